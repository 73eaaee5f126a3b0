import type { SecurityClock } from '../../../clock.js';

const FAILURES = 5;
const OPEN_MS = 5_000;

/**
 * Stops asking a server that does not answer: after five failures in a row nobody waits for it for five seconds, and then one
 * question finds out whether it is back (R-IN-05).
 */
export class CircuitBreaker {
  #failures = 0;
  #retryAt = Number.NEGATIVE_INFINITY;
  #probing = false;

  constructor(private readonly clock: SecurityClock) {}

  /** Whether a question may go out; whoever is let through must report how it ended. */
  admits(): boolean {
    if (this.#failures < FAILURES) return true;
    if (this.#probing || this.clock.monotonic() < this.#retryAt) return false;
    this.#probing = true;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probing = false;
  }

  failed(): void {
    this.#failures += 1;
    this.#probing = false;
    this.#retryAt = this.clock.monotonic() + OPEN_MS;
  }
}
