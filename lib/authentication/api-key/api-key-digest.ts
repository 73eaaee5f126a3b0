import { createHmac, timingSafeEqual } from 'node:crypto';

import { sha256 } from '../sha256.js';

/** Compares two texts of equal length in constant time; a test may count the calls. */
export type Compare = (one: Buffer, other: Buffer) => boolean;

/** What stands in for an unknown key, so that finding none takes as long as finding one (R-AK-06). */
const DUMMY = sha256('no such key');

/**
 * Digests of keys at rest: SHA-256, or HMAC-SHA-256 with a pepper kept outside the store. A key has 256 random bits,
 * so a slow password hash would protect nothing more (R-AK-04).
 */
export class ApiKeyDigest {
  /** @param peppers newest first: it makes new digests, all of them verify */
  constructor(
    private readonly peppers: readonly string[],
    private readonly compare: Compare = timingSafeEqual,
  ) {}

  of(key: string): string {
    const [pepper] = this.peppers;
    return pepper === undefined ? sha256(key) : hmac(key, pepper);
  }

  /** Whether the key belongs to the digest; an unknown key is compared with a digest that no key has. */
  matches(key: string, digest: string | undefined): boolean {
    const expected = Buffer.from(digest ?? DUMMY);
    const candidates =
      this.peppers.length === 0 ? [sha256(key)] : this.peppers.map((pepper) => hmac(key, pepper));
    let matches = false;
    for (const candidate of candidates) {
      const actual = Buffer.from(candidate);
      if (actual.length === expected.length && this.compare(actual, expected)) matches = true;
    }
    return matches && digest !== undefined;
  }
}

function hmac(key: string, pepper: string): string {
  return createHmac('sha256', pepper).update(key).digest('base64url');
}
