import { BoundedCache } from '../../authentication/bounded-cache.js';
import type { LimitState } from '../../rate-limit/rate-limit-storage.js';

/** That a counter had nothing left when it was last asked; times of the monotonic clock. */
export interface Refusal {
  /** When the same charge would pass, as far as is known. */
  readonly resetAt: number;
  /** Until when nobody needs to ask. */
  readonly until: number;
}

/** Counters that are known to be over their limit. Never more than a number: of those that are pushed out the server is asked again. */
export class LeaseRefusals {
  readonly #refusals: BoundedCache<Refusal>;

  constructor(maxSize: number) {
    this.#refusals = new BoundedCache(maxSize);
  }

  get(limit: string, who: string, now: number): LimitState | undefined {
    const name = nameOf(limit, who);
    const refusal = this.#refusals.get(name);
    if (refusal === undefined) return undefined;
    if (now < refusal.until)
      return { allowed: false, remaining: 0, resetMs: Math.max(1, Math.ceil(refusal.resetAt - now)) };
    this.#refusals.delete(name);
    return undefined;
  }

  add(limit: string, who: string, refusal: Refusal): void {
    this.#refusals.set(nameOf(limit, who), refusal);
  }

  delete(limit: string, who: string): void {
    this.#refusals.delete(nameOf(limit, who));
  }
}

/** A limit's name has one line end, so no subject makes two names one. */
function nameOf(limit: string, who: string): string {
  return `${limit}\n${who}`;
}
