import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  API_KEY_PATTERN,
  generateKey,
  maskKey,
  parseKey,
} from '../../../lib/authentication/api-key/key-format.js';
import { workshop } from './key-workshop.js';

const WHOLE = new RegExp(`^${API_KEY_PATTERN}$`);
const prefixes = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{1,15}$/);
const environments = fc.constantFrom('live', 'test');
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LETTERS = BASE62.split('');

describe('the form of a key', () => {
  it('R-AK-01 is the published one, for every prefix and environment, and comes apart as it was put together', () => {
    fc.assert(
      fc.property(prefixes, environments, (prefix, environment) => {
        const { key, id } = generateKey(prefix, environment);
        expect(key).toMatch(WHOLE);
        expect(key).toMatch(/^\w{40,200}$/);
        expect(parseKey(key)).toEqual({ prefix, environment, id });
      }),
    );
  });

  it('R-AK-01 R-AK-02 is different each time', () => {
    const keys = Array.from({ length: 10_000 }, () => generateKey('sk', 'live'));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(10_000);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(10_000);
  });

  it('R-AK-01 the pattern finds keys in other text', () => {
    const { key } = generateKey('acme', 'test');
    expect(`curl -H "X-API-Key: ${key}" https://x`.match(new RegExp(API_KEY_PATTERN))?.[0]).toBe(key);
  });

  it('R-AK-01 R-AU-14 other lengths are refused', () => {
    const { key } = generateKey('sk', 'live');
    for (const text of [
      '',
      key.slice(0, 39),
      key.padEnd(201, '0'),
      `${key}0`,
      key.slice(1),
      'x'.repeat(100_000),
    ]) {
      expect(parseKey(text)).toBeUndefined();
    }
  });

  it('R-AK-02 the secret takes 43 characters of 62, of random bytes alone and without bias', () => {
    const asked: number[] = [];
    let next = 0;
    // Every byte value in turn, one at a time: each letter must come up equally often.
    const random = (size: number) => {
      asked.push(size);
      return Uint8Array.of(next++ % 256);
    };
    const counts = new Map<string, number>();
    // 248 keys of 16 + 43 letters use each fair byte 59 times.
    for (let i = 0; i < 248; i++) {
      const { key, id } = generateKey('sk', 'live', random);
      const secret = key.split('_')[3]!.slice(0, -6);
      expect(secret).toHaveLength(43);
      for (const letter of id + secret) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    expect(43 * Math.log2(62)).toBeGreaterThan(256);
    expect(Math.max(...asked)).toBeGreaterThanOrEqual(32);
    expect(counts).toEqual(new Map(LETTERS.map((letter) => [letter, 236])));
  });

  it('R-AK-02 the letters of real keys are evenly spread (chi-squared over 100 000)', () => {
    const counts = new Map(LETTERS.map((letter) => [letter, 0]));
    const rounds = 2_326;
    for (let i = 0; i < rounds; i++) {
      for (const letter of generateKey('sk', 'live').key.split('_')[3]!.slice(0, -6)) {
        counts.set(letter, counts.get(letter)! + 1);
      }
    }
    const expected = (rounds * 43) / 62;
    const chi = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 61 degrees of freedom: one run in a million is over 125.
    expect(chi).toBeLessThan(125);
  });

  it('R-AK-03 one wrong character is always noticed', () => {
    const { key } = generateKey('sk', 'live');
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom(...LETTERS), (at, letter) => {
        fc.pre(key[at] !== letter);
        expect(parseKey(key.slice(0, at) + letter + key.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  it('R-AK-03 two neighbours that changed places are always noticed', () => {
    const { key } = generateKey('sk', 'live');
    for (let at = 0; at < key.length - 1; at++) {
      if (key[at] === key[at + 1]) continue;
      const swapped = key.slice(0, at) + key[at + 1]! + key[at]! + key.slice(at + 2);
      expect(parseKey(swapped), swapped).toBeUndefined();
    }
  });

  it('R-AK-03 R-AU-14 10 000 random well-shaped keys ask the store once at most', async () => {
    const { store, outcome } = workshop();
    const letters = (length: number) => Array.from(randomBytes(length), (byte) => BASE62[byte % 62]).join('');
    const seen = new Set<string>();
    for (let i = 0; i < 10_000; i++) seen.add(await outcome(`sk_live_${letters(16)}_${letters(49)}`));
    expect(store.finds).toBeLessThanOrEqual(1);
    expect(seen).toContain('key.malformed');
  });

  it('R-AU-13 any text at all is a key or is not, and never an error', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc
        .array(
          fc.constantFrom(
            '_',
            'sk',
            'live',
            'test',
            'é',
            '\u0000',
            '__proto__',
            'A'.repeat(16),
            'B'.repeat(49),
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        expect(parseKey(text)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it('R-AU-14 PITFALL-J13 time grows with nothing that a client can choose', () => {
    const attack = ['_'.repeat(8_000), 'a'.repeat(8_000), 'sk_live_'.repeat(1_000)];
    const start = performance.now();
    for (let i = 0; i < 10_000; i++) for (const text of attack) parseKey(text);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('R-AK-17 a masked key shows its id and four characters', () => {
    const { key, id } = generateKey('sk', 'live');
    const masked = maskKey({ prefix: 'sk', environment: 'live', id, last4: key.slice(-4) });
    expect(masked).toBe(`sk_live_${id}…${key.slice(-4)}`);
    expect(masked).not.toContain(key.split('_')[3]!.slice(0, 8));
  });
});
