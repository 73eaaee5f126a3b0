import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { escapeJson, isJsonType } from '../../../lib/http/json/escape-json.js';

const MARKUP = /[<>&\u2028\u2029]/;
const value = fc.oneof(
  fc.json(),
  fc
    .array(fc.constantFrom('<', '>', '&', '\u2028', '\u2029', '\\', '"', '\u003c', 'a', '\u{1f600}'))
    .map((parts) => JSON.stringify({ [parts.join('')]: parts.join('') })),
);

describe('escaping of JSON', () => {
  it('R-IV-24 leaves the value as it is and none of the characters', () => {
    fc.assert(
      fc.property(value, (json) => {
        const safe = escapeJson(json);
        expect(safe).not.toMatch(MARKUP);
        expect(JSON.parse(safe)).toEqual(JSON.parse(json));
        expect(escapeJson(safe)).toBe(safe);
        if (!MARKUP.test(json)) expect(safe).toBe(json);
      }),
    );
  });

  it('R-IV-24 writes each of them', () => {
    expect(escapeJson('"</script>&\u2028\u2029"')).toBe('"\\u003c/script\\u003e\\u0026\\u2028\\u2029"');
  });

  it('R-IV-24 takes linear time for the worst text', () => {
    const worst = JSON.stringify('<&>'.repeat(33_000));
    const begin = performance.now();
    expect(escapeJson(worst)).toHaveLength(2 + 99_000 * 6);
    expect(performance.now() - begin).toBeLessThan(500);
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset=UTF-8',
    'application/problem+json',
    'application/vnd.api+json ; charset=utf-8',
    'text/json',
  ])('R-IV-24 %s is JSON', (type) => {
    expect(isJsonType(type)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'text/plain',
    'text/html; x=application/json',
    'text/html, application/json',
    'application/jsonp',
    'application/x-ndjson',
    'application/json-seq',
    'json',
    7,
    ['application/json'],
  ])('R-IV-24 %j is not', (type) => {
    expect(isJsonType(type)).toBe(false);
  });

  it('R-IV-16 reads a long type in no time', () => {
    const begin = performance.now();
    expect(isJsonType('application/'.repeat(5_000))).toBe(false);
    expect(isJsonType(`a/${'+json'.repeat(10_000)} x`)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(20);
  });
});
