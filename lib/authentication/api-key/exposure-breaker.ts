import type { SecurityClock } from '../../clock.js';

/** More than this many different keys in the window, and something is wrong with the configuration, not with the keys. */
const MAX_CREDENTIALS = 5;
const WINDOW_MS = 600_000;

/**
 * Stops mass revocation when a misconfigured proxy makes every request look plain (R-TL-11): the first five different keys
 * in ten minutes may be revoked, further ones are only flagged.
 */
export class ExposureBreaker {
  readonly #seen = new Map<string, number>();

  constructor(private readonly clock: SecurityClock) {}

  /** Whether this key may be revoked now. */
  allows(keyId: string): boolean {
    const now = this.clock.monotonic();
    for (const [id, at] of this.#seen) if (now - at >= WINDOW_MS) this.#seen.delete(id);
    if (this.#seen.has(keyId)) return true;
    if (this.#seen.size >= MAX_CREDENTIALS) return false;
    this.#seen.set(keyId, now);
    return true;
  }
}
