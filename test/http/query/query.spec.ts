import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { credentialInUrl } from '../../../lib/http/query/credential-in-url.js';
import { readQuery } from '../../../lib/http/query/strict-query.js';

describe('readQuery', () => {
  it.each([
    ['', {}],
    ['a=1', { a: ['1'] }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a&b=', { a: [''], b: [''] }],
    ['a=b=c', { a: ['b=c'] }],
    ['a=%20+%2B', { a: ['  +'] }],
    ['a%5B0%5D=1&b.c=2', { 'a[0]': ['1'], 'b.c': ['2'] }],
    ['e=e%CC%81', { e: ['\u00e9'] }],
    ['&&a=1&', { a: ['1'] }],
    ['toString=1', { toString: ['1'] }],
  ])('R-IV-18 reads %j', (text, expected) => {
    expect({ ...readQuery(text) }).toEqual(expected);
    expect(Object.getPrototypeOf(readQuery(text))).toBeNull();
  });

  it.each([
    'a=%',
    'a=%zz',
    'a=%ff',
    '%c0%af=1',
    'a=%00',
    'a=%1b',
    'a=%c2%85',
    'a=%ef%bf%bf',
    '__proto__=1',
    '%5f_proto__=1',
    'constructor=1',
    'prototype=x',
    `a=e${'%cc%81'.repeat(31)}`,
  ])('R-IV-06 R-IV-08 R-IV-18 refuses %j', (text) => {
    expect(() => readQuery(text)).toThrow(expect.objectContaining({ code: 'MALFORMED_REQUEST' }) as Error);
  });

  it('R-IV-18 takes a hundred parameters, and not one more', () => {
    expect(Object.keys(readQuery(Array.from({ length: 100 }, (_, i) => `p${i}=1`).join('&')))).toHaveLength(
      100,
    );
    expect(() => readQuery(Array.from({ length: 101 }, (_, i) => `p${i}=1`).join('&'))).toThrow('malformed');
  });

  it('R-IV-18 reads what URLSearchParams writes', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab&=+% []é'.split('')), maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            text.map((name) => `n${name}`),
            text,
          ),
          { maxLength: 8 },
        ),
        (pairs) => {
          const entries = readQuery(new URLSearchParams(pairs).toString());
          const flat = Object.entries(entries).flatMap(([name, values]) =>
            values.map((value) => `${name}=${value}`),
          );
          expect(flat.toSorted()).toEqual(pairs.map((pair) => pair.join('=').normalize('NFC')).toSorted());
        },
      ),
    );
  });
});

const KEY = `sk_live_${'a1B2'.repeat(4)}_${'x'.repeat(49)}`;
const TOKEN = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.${'s'.repeat(86)}`;

describe('credentialInUrl', () => {
  it.each([
    `/a?api_key=x`,
    `/a?API_KEY=x`,
    '/a?apikey=',
    '/a?access_token=abc',
    '/a?x=1&x-api-key=2',
    '/a?%61pi_key=x',
    `/a?q=${KEY}`,
    `/a?q=${encodeURIComponent(TOKEN)}`,
    `/a/${KEY}`,
    `/a/${TOKEN}/b`,
    `/a?q=${KEY.replace('_live_', '%5flive%5f')}`,
  ])('R-AU-06 finds one in %s', (url) => {
    expect(credentialInUrl(url)).toBeDefined();
  });

  it.each([
    '/',
    '/a?token=short',
    '/a?key=value',
    '/eyJust/a/path',
    '/my_live_show?a=1',
    '/a?q=sk_live_x',
    '/a?sort=name',
  ])('R-AU-06 finds none in %s', (url) => {
    expect(credentialInUrl(url)).toBeUndefined();
  });

  it('R-AK-16 hands out the key itself, so that it can be followed up', () => {
    expect(credentialInUrl(`/a?q=${KEY}`)).toEqual({ key: KEY });
  });

  it.each(['eyJ', 'a_live_', 'eyJaaaaaaaa.', 'eyJ.', 'a.', '%65yJ', 'aaaaaaaaaaaaaaaa_live_aaaa_'])(
    'R-IV-16 R-AU-06 reads a URL of 50 kB in no time: %s',
    (piece) => {
      const url = `/a?q=${piece.repeat(50_000 / piece.length)}`;
      const began = performance.now();
      credentialInUrl(url);
      // On a quiet machine it is under 20 ms; reading it anew from every letter took seconds.
      expect(performance.now() - began).toBeLessThan(200);
    },
  );
});
