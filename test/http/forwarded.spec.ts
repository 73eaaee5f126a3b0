import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseForwarded } from '../../lib/http/forwarded.js';

describe('Forwarded', () => {
  it.each([
    ['for=192.0.2.60;proto=http;by=203.0.113.43', [['192.0.2.60', 'http']]],
    ['For="[2001:db8:cafe::17]:4711"', [['[2001:db8:cafe::17]:4711', '']]],
    [
      'for=192.0.2.43, for=198.51.100.17',
      [
        ['192.0.2.43', ''],
        ['198.51.100.17', ''],
      ],
    ],
    [
      'for=192.0.2.43,for="[::1]";PROTO=https',
      [
        ['192.0.2.43', ''],
        ['[::1]', 'https'],
      ],
    ],
    ['for=_SEVKISEK', [['_SEVKISEK', '']]],
    ['for="_gazonk"', [['_gazonk', '']]],
    ['proto=https', [['', 'https']]],
    ['for=1.2.3.4; proto="https"', [['1.2.3.4', 'https']]],
    ['for="a\\"b"', [['a"b', '']]],
    ['for=9.9.9.9;host="a, for=1.2.3.4;x=";proto=https', [['9.9.9.9', 'https']]],
  ])('R-TL-06 reads %s', (text, expected) => {
    expect(parseForwarded(text, 20)?.map((one) => [one.for, one.proto])).toEqual(expected);
  });

  it.each([
    'for="1.2.3.4',
    'for="1.2.3.4\\',
    'for="1.2.3.4"x',
    'for=1.2.3.4"',
    'for=1.2.3.4;for=5.6.7.8',
    'for=1.2.3.4;',
    'for=1.2.3.4,',
    ', for=1.2.3.4',
    'for',
    '=1.2.3.4',
    'f or=1.2.3.4',
    'for==" for=1.2.3.4',
    '1.2.3.4',
  ])('R-TL-06 takes nothing from what is broken: %s', (text) => {
    expect(parseForwarded(text, 20)).toBeUndefined();
  });

  it('R-TL-06 stops at the greatest number of elements', () => {
    const list = (count: number) => Array.from({ length: count }, () => 'for=1.2.3.4').join(', ');
    expect(parseForwarded(list(20), 20)).toHaveLength(20);
    expect(parseForwarded(list(21), 20)).toBeUndefined();
  });

  it('R-TL-06 no text of a client becomes an element once a proxy has quoted it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'",;=\\ for1.:[]'.split('')), maxLength: 30 }),
        (host) => {
          const quoted = host.replaceAll(/["\\]/g, String.raw`\$&`);
          const elements = parseForwarded(`for=9.9.9.9;host="${quoted}";proto=https`, 20);
          expect(elements).toEqual([{ for: '9.9.9.9', proto: 'https' }]);
        },
      ),
    );
  });
});
