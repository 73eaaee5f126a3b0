import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ClaimsRefused, parseStrictClaims } from '../../../lib/authentication/jwt/strict-claims.js';

/** The same data, as `JSON.parse` would have it: with prototypes. */
const ordinary = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const parsed = (text: string): unknown => {
  try {
    return parseStrictClaims(text);
  } catch (error) {
    if (error instanceof ClaimsRefused) return undefined;
    throw error;
  }
};

const claims = fc.dictionary(
  fc.string({ unit: 'binary', maxLength: 20 }).filter((name) => name !== '__proto__'),
  fc.jsonValue({ maxDepth: 4, noUnicodeString: false }),
);

describe('strict claims', () => {
  it('R-JW-12 every plain object is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(claims, fc.constantFrom(undefined, 1, '\t', '\r\n '), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        fc.pre(!text.includes('__proto__') && !/\\ud[89a-f]/i.test(text));
        expect(ordinary(parsed(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('R-JW-12 no text is read that JSON.parse refuses or reads otherwise', () => {
    const pieces =
      '{ } [ ] , : "a" "b" " \\ \\u0061 \\n 0 1 - .5 e9 E+2 00 \n \u00a0 \ufeff true null NaN // \u0000 \u2028 1e400 -0'.split(
        ' ',
      );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(' ', ...pieces), { maxLength: 12 }), (chosen) => {
        const text = `{"x":${chosen.join('')}}`;
        const value = parsed(text);
        if (value === undefined) return;
        accepted++;
        expect(ordinary(value)).toEqual(ordinary(JSON.parse(text)));
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('R-JW-12 objects have no prototype at any level', () => {
    const value = parseStrictClaims('{"a":{"b":{}},"toString":1,"constructor":2}') as { a: { b: object } };
    for (const one of [value, value.a, value.a.b]) expect(Object.getPrototypeOf(one)).toBeNull();
    expect(Object.keys(value)).toEqual(['a', 'toString', 'constructor']);
  });
});
