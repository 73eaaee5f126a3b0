import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

import { sha256 } from '../sha256.js';

/** Compares two texts of equal length in constant time; a test may count the calls. */
export type Compare = (one: Buffer, other: Buffer) => boolean;

/** What stands in for an unknown key, so that finding none takes as long as finding one (R-AK-06): a text, as digests in a store are. */
const DUMMY = sha256('no such key');

/**
 * Digests of keys at rest: SHA-256, or that under HMAC-SHA-256 with a pepper kept outside the store. A key has 256 random
 * bits, so a slow password hash would protect nothing more (R-AK-04). Both begin with the plain SHA-256, so that whoever
 * found a key can prove it without sending it.
 */
export class ApiKeyDigest {
  readonly #digests: readonly ((hash: string) => string)[];
  readonly #compare: Compare;

  /** @param peppers newest first: it makes new digests, all of them verify; none: plain SHA-256 */
  constructor(peppers: readonly string[], compare: Compare = timingSafeEqual) {
    this.#digests =
      peppers.length === 0
        ? [(hash) => hash]
        : peppers.map((pepper) => hmacWith(createSecretKey(pepper, 'utf8')));
    this.#compare = compare;
  }

  /** The digest to keep of a new key. */
  of(key: string): string {
    return this.#digests[0]!(sha256(key));
  }

  /** Whether the key belongs to the digest. */
  matches(key: string, digest: string | undefined): boolean {
    return this.position(sha256(key), digest) >= 0;
  }

  /**
   * Which pepper a key's SHA-256 in base64url and a digest belong together by: 0 for the newest, -1 for none. There is one
   * comparison for each pepper, whatever is known of the key: an unknown one, or one whose stored digest is damaged, is
   * compared with a digest that no key has (R-AK-06).
   */
  position(hash: string, digest: string | undefined): number {
    const stored = Buffer.from(digest ?? DUMMY);
    const comparable = stored.length === DUMMY.length;
    const expected = comparable ? stored : Buffer.from(DUMMY);
    let position = -1;
    for (let i = 0; i < this.#digests.length; i++) {
      if (this.#compare(Buffer.from(this.#digests[i]!(hash)), expected)) position = i;
    }
    return comparable && digest !== undefined ? position : -1;
  }
}

function hmacWith(secret: KeyObject): (hash: string) => string {
  return (hash) => createHmac('sha256', secret).update(hash).digest('base64url');
}
