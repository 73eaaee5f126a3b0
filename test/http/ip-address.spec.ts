import { BlockList, isIP } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { addressKey, canonicalAddress } from '../../lib/http/ip-address.js';

/** The parser of the platform, as an oracle: two spellings are one address if a list of the one holds the other. */
function same(left: string, right: string): boolean {
  const list = new BlockList();
  list.addAddress(left, isIP(left) === 4 ? 'ipv4' : 'ipv6');
  return list.check(right, isIP(right) === 4 ? 'ipv4' : 'ipv6');
}

describe('canonical addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8::', '2001:db8::'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ])('R-RL-08 R-TL-06 %s is written %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
    expect(canonicalAddress(canonical)).toBe(canonical);
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '256.1.1.1',
    '010.0.0.1',
    '1.2.3',
    '1.2.3.4%eth0',
    '1.2.3.4 ',
    '0x7f.1',
    '2130706433',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    '::ffff:1.2.3.4.5',
    'localhost',
    '[::1]',
  ])('R-RL-08 R-TL-06 %j is no address, and counts as unknown', (text) => {
    expect(canonicalAddress(text)).toBeUndefined();
    expect(addressKey(text)).toBe('unknown');
  });

  it('R-RL-08 every spelling of an address gives the one that the platform takes for the same', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = canonicalAddress(text)!;
        expect(same(canonical.includes(':') ? canonical : `::ffff:${canonical}`, text)).toBe(true);
        expect(canonicalAddress(text.toUpperCase())).toBe(canonical);
        expect(addressKey(canonical)).toBe(addressKey(text.toUpperCase()));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('limit keys', () => {
  it('R-RL-08 one /64 is one key, two are two', () => {
    const keys = ['2001:db8::1', '2001:DB8:0:0:ffff::2', '2001:db8:0:0:1:2:3:4'].map((one) =>
      addressKey(one),
    );
    expect(new Set(keys).size).toBe(1);
    expect(addressKey('2001:db8:0:1::1')).not.toBe(keys[0]);
  });

  it.each([
    [64, '2001:db8:aaaa:bbcc:1::', '2001:db8:aaaa:bbcc::/64'],
    [56, '2001:db8:aaaa:bbcc:1::', '2001:db8:aaaa:bb00::/56'],
    [48, '2001:db8:aaaa:bbcc:1::', '2001:db8:aaaa:0::/48'],
  ])('R-RL-08 a prefix of %i bits', (prefix, address, key) => {
    expect(addressKey(address, prefix)).toBe(key);
  });

  it('R-RL-08 IPv4 counts whole, in either form', () => {
    expect(addressKey('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('192.0.2.1')).toBe('192.0.2.1');
    expect(addressKey('192.0.2.2')).not.toBe(addressKey('192.0.2.1'));
  });

  it('R-RL-08 addresses that differ in the prefix never share a key', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), fc.constantFrom(48, 56, 64), (left, right, prefix) => {
        if (canonicalAddress(left)!.includes('.') || canonicalAddress(right)!.includes('.')) return;
        const list = new BlockList();
        list.addSubnet(left, prefix, 'ipv6');
        expect(addressKey(left, prefix) === addressKey(right, prefix)).toBe(list.check(right, 'ipv6'));
      }),
      { numRuns: 500 },
    );
  });
});
