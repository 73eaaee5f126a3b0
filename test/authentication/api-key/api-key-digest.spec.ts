import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { ApiKeyDigest } from '../../../lib/authentication/api-key/api-key-digest.js';
import { generateKey } from '../../../lib/authentication/api-key/key-format.js';

const OLD = 'an old pepper of more than 32 characters';
const NEW = 'a new pepper of more than 32 characters!';
const { key } = generateKey('sk', 'live');
const { key: other } = generateKey('sk', 'live');

/** Counts comparisons, and refuses what the real one would. */
function watched(peppers: string[] = []) {
  const lengths: number[][] = [];
  const digests = new ApiKeyDigest(peppers, (one, two) => {
    lengths.push([one.length, two.length]);
    return timingSafeEqual(one, two);
  });
  return { digests, lengths };
}

describe('digests of keys', () => {
  it('R-AK-04 are SHA-256 of the whole key, or HMAC-SHA-256 under the pepper', () => {
    expect(new ApiKeyDigest([]).of(key)).toBe(createHash('sha256').update(key).digest('base64url'));
    expect(new ApiKeyDigest([NEW, OLD]).of(key)).toBe(
      createHmac('sha256', NEW)
        .update(createHash('sha256').update(key).digest('base64url'))
        .digest('base64url'),
    );
  });

  it('R-AK-04 verify with every pepper there is, and with no other', () => {
    const byOld = new ApiKeyDigest([OLD]).of(key);
    expect(new ApiKeyDigest([NEW, OLD]).matches(key, byOld)).toBe(true);
    expect(new ApiKeyDigest([OLD, NEW]).matches(key, byOld)).toBe(true);
    expect(new ApiKeyDigest([NEW]).matches(key, byOld)).toBe(false);
    expect(new ApiKeyDigest([]).matches(key, byOld)).toBe(false);
  });

  it('R-AK-04 cover every character of the key', () => {
    const digests = new ApiKeyDigest([]);
    const digest = digests.of(key);
    for (let at = 0; at < key.length; at++) {
      const changed = `${key.slice(0, at)}${key[at] === 'x' ? 'y' : 'x'}${key.slice(at + 1)}`;
      expect(digests.matches(changed, digest)).toBe(false);
    }
    expect(digests.matches(digest, digest)).toBe(false);
  });

  it.each([
    ['the right key', (digests: ApiKeyDigest) => digests.of(key), true],
    ['a wrong secret', (digests: ApiKeyDigest) => digests.of(other), false],
    ['an unknown id', () => undefined, false],
    ['a digest that is too short', () => 'abc', false],
    ['an empty digest', () => '', false],
    ['a digest that is too long', (digests: ApiKeyDigest) => `${digests.of(key)}x`, false],
  ])('R-AK-06 %s: one comparison for each pepper, of equal lengths', (_, digestOf, expected) => {
    for (const peppers of [[], [NEW], [NEW, OLD]]) {
      const { digests, lengths } = watched(peppers);
      expect(digests.matches(key, digestOf(digests))).toBe(expected);
      expect(lengths).toEqual(Array.from({ length: Math.max(1, peppers.length) }, () => [43, 43]));
    }
  });

  it('R-AK-06 no key matches the digest that stands in for unknown ones', () => {
    const digests = new ApiKeyDigest([], () => true);
    for (const digest of [undefined, '', 'abc']) expect(digests.matches(key, digest)).toBe(false);
  });

  it('R-AK-17 do not show their peppers', () => {
    expect(inspect(new ApiKeyDigest([NEW]), { depth: 9, showHidden: true })).not.toContain('pepper of');
  });
});
