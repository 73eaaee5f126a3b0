import type { SecurityClock } from '../../clock.js';

/** More different keys than this in the window, and something is wrong with the configuration, not with the keys. */
const MAX_CREDENTIALS = 5;
const WINDOW_MS = 600_000;

/**
 * Stops mass revocation when a misconfigured proxy makes every request look plain (R-TL-11): five different keys in ten
 * minutes may be revoked. The sixth opens the breaker, and from then on keys are only flagged, until none has been exposed
 * for ten minutes.
 */
export class ExposureBreaker {
  /** When each key was first seen, five at most. */
  readonly #seen = new Map<string, number>();
  #openUntil = -Infinity;

  /** @param onOpen told once each time that revoking stops: worth waking somebody for */
  constructor(
    private readonly clock: SecurityClock,
    private readonly onOpen: () => void = () => undefined,
  ) {}

  /** Whether this key, which was just seen in clear, may be revoked now. */
  allows(keyId: string): boolean {
    const now = this.clock.monotonic();
    if (now < this.#openUntil) {
      this.#openUntil = now + WINDOW_MS;
      return false;
    }
    for (const [id, at] of this.#seen) if (now - at >= WINDOW_MS) this.#seen.delete(id);
    if (this.#seen.has(keyId)) return true;
    if (this.#seen.size < MAX_CREDENTIALS) {
      this.#seen.set(keyId, now);
      return true;
    }
    this.#openUntil = now + WINDOW_MS;
    this.onOpen();
    return false;
  }
}
