import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isMalformedCredential, readCredential } from '../../lib/authentication/credential-reader.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln-_';
const TOKEN68 = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,60}={0,3}$/);

/** Raw header lines with some others around. */
function lines(...fields: readonly (readonly [name: string, value: string])[]): string[] {
  return [
    ['Host', 'localhost'],
    ['Accept', '*/*'],
    ...fields,
    ['User-Agent', 'x'],
    ['Content-Typo', 'Bearer x'],
  ].flat();
}

const authorization = (value: string) => readCredential(lines(['Authorization', value]), true);
const apiKey = (value: string) => readCredential(lines(['X-API-Key', value]), true);

describe('the credential reader', () => {
  it('R-AU-05 finds nothing where nothing is', () => {
    expect(readCredential([], true)).toBeUndefined();
    expect(readCredential(lines(), true)).toBeUndefined();
    expect(
      readCredential(lines(['Authorizatiom', `Bearer ${TOKEN}`], ['X-API-Kez', 'a']), true),
    ).toBeUndefined();
    expect(readCredential(lines(['Proxy-Authorization', `Bearer ${TOKEN}`]), true)).toBeUndefined();
  });

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR', 'Api-Key', 'api-key', 'API-KEY', 'DPoP', 'Dpop', 'dpop'])(
    'R-AU-03 PITFALL-K1 the scheme %s is read in lower case, the credential as it is',
    (scheme) => {
      expect(authorization(`${scheme} ${TOKEN}`)).toEqual({ scheme: scheme.toLowerCase(), value: TOKEN });
    },
  );

  it.each(['Authorization', 'authorization', 'AUTHORIZATION', 'aUTHORIZATION'])(
    'R-AU-05 the field may be spelled %s',
    (name) => {
      expect(readCredential(lines([name, `Bearer ${TOKEN}`]), false)).toEqual({
        scheme: 'bearer',
        value: TOKEN,
      });
    },
  );

  it.each(['Basic', 'Digest', 'Negotiate', 'Made-Up.2_x'])(
    'R-AU-07 the unknown scheme %s is read',
    (scheme) => {
      expect(authorization(`${scheme} dXNlcjpw`)).toEqual({
        scheme: scheme.toLowerCase(),
        value: 'dXNlcjpw',
      });
    },
  );

  it.each(['X-API-Key', 'x-api-key', 'X-Api-Key'])(
    'R-AK-20 %s carries a key, where it is switched on',
    (name) => {
      expect(readCredential(lines([name, 'sk_live_a']), true)).toEqual({
        scheme: 'api-key',
        value: 'sk_live_a',
      });
      expect(readCredential(lines([name, 'sk_live_a']), false)).toBeUndefined();
    },
  );

  it('R-AU-05 PITFALL-K6 several spaces belong to the separator, never to the credential', () => {
    expect(authorization(`Api-Key    ${TOKEN}`)).toEqual({ scheme: 'api-key', value: TOKEN });
  });

  it.each([
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'Bearer   ',
    ' Bearer X',
    'Bearer\tX',
    'Bearer \tX',
    'Bearer X ',
    'Bearer X Y',
    'Bearer X junk more',
    'Bearer X, Basic q',
    'Api-Key X, Bearer Y',
    'Bearer X,',
    'Bearer "X"',
    'Bearer X;q=1',
    'Bearer é',
    'Béarer X',
    'Bearer X\u0100',
    'Bearer \u0130',
    'Bearer =',
    'Bearer X=Y',
    'Bearer ==X',
    'Bearer X\0',
    'Bearer X\r\nY',
    'Bearer: X',
    'Bearer,X',
    '"Bearer" X',
    `${'B'.repeat(33)} X`,
    'Bearer realm="x"',
    'X',
  ])('R-AU-05 PITFALL-J5 PITFALL-K7 %j is malformed', (value) => {
    expect(authorization(value.replace(/X\b/, TOKEN))).toEqual({ reason: 'credential.grammar' });
  });

  it.each(['', ' ', 'a b', 'a,b', 'sk_live_a, sk_live_b', '"a"', 'a\tb', 'é', '='])(
    'R-AU-05 R-AK-20 the key %j is malformed',
    (value) => {
      expect(apiKey(value)).toEqual({ reason: 'credential.grammar' });
    },
  );

  it.each<[string, readonly (readonly [string, string])[], string]>([
    [
      'one Authorization twice',
      [
        ['Authorization', 'Bearer a'],
        ['Authorization', 'Bearer a'],
      ],
      'credential.repeated',
    ],
    [
      'in two spellings',
      [
        ['Authorization', 'Bearer a'],
        ['authorization', 'Basic b'],
      ],
      'credential.repeated',
    ],
    [
      'an empty one first',
      [
        ['Authorization', ''],
        ['Authorization', 'Bearer a'],
      ],
      'credential.repeated',
    ],
    [
      'an empty one last',
      [
        ['Authorization', 'Bearer a'],
        ['Authorization', ''],
      ],
      'credential.repeated',
    ],
    [
      'a key twice',
      [
        ['X-API-Key', 'a'],
        ['x-api-key', 'a'],
      ],
      'credential.repeated',
    ],
    [
      'both carriers',
      [
        ['Authorization', 'Bearer a'],
        ['X-API-Key', 'b'],
      ],
      'credential.several',
    ],
    [
      'both, the other way round',
      [
        ['X-API-Key', 'b'],
        ['Authorization', 'Bearer a'],
      ],
      'credential.several',
    ],
    [
      'both, one of them empty',
      [
        ['X-API-Key', ''],
        ['Authorization', 'Bearer a'],
      ],
      'credential.several',
    ],
    [
      'both, one of them broken',
      [
        ['X-API-Key', 'a'],
        ['Authorization', 'Bearer'],
      ],
      'credential.several',
    ],
  ])('R-AU-04 several credentials are malformed: %s', (_, fields, reason) => {
    expect(readCredential(lines(...fields), true)).toEqual({ reason });
  });

  it('R-AU-04 a header that is no carrier here is nobody’s credential', () => {
    expect(readCredential(lines(['X-API-Key', 'b'], ['Authorization', 'Bearer a']), false)).toEqual({
      scheme: 'bearer',
      value: 'a',
    });
  });

  it('R-AU-05 a credential of 8 KiB is the longest', () => {
    const longest = 'a'.repeat(8_192);
    expect(authorization(`Bearer ${longest}`)).toEqual({ scheme: 'bearer', value: longest });
    expect(authorization(`Bearer ${longest}a`)).toEqual({ reason: 'credential.too-long' });
    expect(apiKey(longest)).toEqual({ scheme: 'api-key', value: longest });
    expect(apiKey(`${longest}a`)).toEqual({ reason: 'credential.too-long' });
    expect(authorization(`Bearer${' '.repeat(16_400)}a`)).toEqual({ reason: 'credential.too-long' });
  });

  it('R-AU-05 reads what the grammar makes, and nothing with a stranger in it', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,31}$/),
        TOKEN68,
        fc.nat({ max: 3 }),
        (scheme, value, more) => {
          const text = `${scheme} ${' '.repeat(more)}${value}`;
          expect(authorization(text)).toEqual({ scheme: scheme.toLowerCase(), value });
        },
      ),
    );
    const stranger = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 1 })
      .filter((one) => !/^[A-Za-z0-9._~+/=-]$/.test(one));
    fc.assert(
      fc.property(TOKEN68, stranger, fc.nat(), (value, odd, at) => {
        const place = 1 + (at % value.length);
        const result = authorization(`Bearer ${value.slice(0, place)}${odd}${value.slice(place)}`);
        expect(result && isMalformedCredential(result)).toBe(true);
      }),
    );
  });

  it('PITFALL-J13 the time grows with the length, not with its square', () => {
    const hostile = (length: number) => [
      'a'.repeat(length),
      ' '.repeat(length),
      `Bearer ${'a'.repeat(length)} `,
      `Bearer${' '.repeat(length)}`,
      `Bearer ${'='.repeat(length)}`,
    ];
    for (const value of hostile(1 << 20)) {
      const started = performance.now();
      expect(authorization(value)).toHaveProperty('reason');
      // A square of a million steps would take minutes.
      expect(performance.now() - started).toBeLessThan(250);
    }
    for (const value of hostile(8_000)) expect(authorization(value)).toHaveProperty('reason');
  });
});
