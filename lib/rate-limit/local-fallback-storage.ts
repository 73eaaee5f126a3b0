import type { SecurityClock } from '../clock.js';
import type { LimitMeter } from '../policy/limit-meter.js';
import type { LimitCharge, LimitDecision, RateLimitStorage } from './rate-limit-storage.js';

/** What happens when a shared storage fails. */
export interface LocalFallbackOptions {
  /** Milliseconds after which an answer is no longer waited for; 100 by default (R-RL-18). */
  readonly deadlineMs?: number;
  readonly clock: SecurityClock;
  /** Told of a failure, at most once a minute. */
  readonly onFailure: (error: unknown) => void;
}

const DEADLINE_MS = 100;
const ALERT_MS = 60_000;
/** How long nobody asks a storage that has just failed: requests must not each wait for the deadline. */
const REST_MS = 1_000;

/**
 * Counts in a local storage while the shared one is down: limits go on, each process counting for itself, and there is never
 * "no limit" (R-RL-18). After a failure the shared storage is left alone for a second; then one request tries it again.
 */
export class LocalFallbackStorage implements RateLimitStorage {
  readonly #deadlineMs: number;
  readonly #options: LocalFallbackOptions;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #alertAgain = Number.NEGATIVE_INFINITY;
  #failing = false;

  constructor(
    private readonly shared: RateLimitStorage,
    private readonly local: RateLimitStorage,
    options: LocalFallbackOptions,
  ) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  }

  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    if (this.#failing) {
      const now = this.#options.clock.monotonic();
      if (now < this.#restsUntil) return this.local.consume(charges);
      // The one that tries; the others stay local until it knows.
      this.#restsUntil = now + Math.max(REST_MS, this.#deadlineMs);
    }
    try {
      const decision = this.shared.consume(charges);
      if (!(decision instanceof Promise)) return this.#recovered(decision);
      return this.#inTime(decision).then(
        (settled) => this.#recovered(settled),
        (error: unknown) => this.#failed(error, charges),
      );
    } catch (error) {
      return this.#failed(error, charges);
    }
  }

  async reset(meter: LimitMeter, subject: string): Promise<void> {
    await this.local.reset(meter, subject);
    await this.shared.reset(meter, subject);
  }

  #recovered(decision: LimitDecision): LimitDecision {
    this.#failing = false;
    return decision;
  }

  #failed(error: unknown, charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    const now = this.#options.clock.monotonic();
    this.#failing = true;
    this.#restsUntil = now + REST_MS;
    if (now >= this.#alertAgain) {
      this.#alertAgain = now + ALERT_MS;
      this.#options.onFailure(error);
    }
    return this.local.consume(charges);
  }

  #inTime(decision: Promise<LimitDecision>): Promise<LimitDecision> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the storage did not answer within ${this.#deadlineMs} ms`));
      const timer = setTimeout(late, this.#deadlineMs);
      decision.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
