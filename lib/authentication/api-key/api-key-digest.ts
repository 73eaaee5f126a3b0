import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

import { sha256 } from '../sha256.js';

/** Compares two texts of equal length in constant time; a test may count the calls. */
export type Compare = (one: Buffer, other: Buffer) => boolean;

/** What stands in for an unknown key, so that finding none takes as long as finding one (R-AK-06). */
const DUMMY = Buffer.from(sha256('no such key'));

/**
 * Digests of keys at rest: SHA-256, or HMAC-SHA-256 with a pepper kept outside the store. A key has 256 random bits,
 * so a slow password hash would protect nothing more (R-AK-04).
 */
export class ApiKeyDigest {
  readonly #digests: readonly ((key: string) => string)[];
  readonly #compare: Compare;

  /** @param peppers newest first: it makes new digests, all of them verify; none: plain SHA-256 */
  constructor(peppers: readonly string[], compare: Compare = timingSafeEqual) {
    this.#digests =
      peppers.length === 0 ? [sha256] : peppers.map((pepper) => hmacWith(createSecretKey(pepper, 'utf8')));
    this.#compare = compare;
  }

  /** The digest to keep of a new key. */
  of(key: string): string {
    return this.#digests[0]!(key);
  }

  /**
   * Whether the key belongs to the digest. There is one comparison for each pepper, whatever is known of the key: an unknown
   * one, or one whose stored digest is damaged, is compared with a digest that no key has (R-AK-06).
   */
  matches(key: string, digest: string | undefined): boolean {
    const stored = digest === undefined ? DUMMY : Buffer.from(digest);
    const comparable = stored.length === DUMMY.length;
    const expected = comparable ? stored : DUMMY;
    let matches = false;
    for (const digestOf of this.#digests) {
      if (this.#compare(Buffer.from(digestOf(key)), expected)) matches = true;
    }
    return matches && comparable && digest !== undefined;
  }
}

function hmacWith(secret: KeyObject): (key: string) => string {
  return (key) => createHmac('sha256', secret).update(key).digest('base64url');
}
