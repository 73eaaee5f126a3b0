import type { ThrottlerStorage } from '@nestjs/throttler';

import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from './rate-limit-storage.js';

/** Units that one request may cost over a foreign storage, which takes them one by one. */
const MAX_COST = 100;

/**
 * Makes a third party's `ThrottlerStorage` serve here. Such a storage can only add one hit: it cannot look, take back or
 * decide about several limits at once, so limits are charged in turn until one refuses, and the earlier ones keep their charge.
 */
export class ThrottlerStorageAdapter implements RateLimitStorage {
  constructor(
    private readonly storage: ThrottlerStorage,
    /** Milliseconds after which an answer is no longer waited for; 100 by default (R-RL-18). */
    private readonly deadlineMs = 100,
  ) {}

  async consume(charges: readonly LimitCharge[]): Promise<LimitDecision> {
    const states: LimitState[] = [];
    let allowed = true;
    for (const charge of charges) {
      const state: LimitState = allowed ? await this.#charge(charge) : untouched(charge);
      allowed &&= state.allowed;
      states.push(state);
    }
    return { allowed, states };
  }

  /** Foreign storages cannot forget a counter: it lapses with its window. */
  reset(): void {}

  async #charge({ key, limit, windowMs, cost }: LimitCharge): Promise<LimitState> {
    let state = untouched({ key, limit, windowMs, cost });
    for (let unit = 0; unit < Math.min(cost, MAX_COST); unit++) {
      const ttl = Math.ceil(windowMs);
      // A block of 0 is an error to some storages (PITFALL R1): the window serves.
      const hit = this.storage.increment(key, ttl, limit, ttl, 'nestjs-api-security');
      const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = await withDeadline(
        hit,
        this.deadlineMs,
      );
      const allowed = !isBlocked && totalHits <= limit;
      const seconds = allowed ? timeToExpire : Math.max(timeToBlockExpire, timeToExpire, 0);
      state = { allowed, remaining: Math.max(0, limit - totalHits), resetMs: Math.max(0, seconds) * 1000 };
      if (!allowed) break;
    }
    return state;
  }
}

function untouched({ limit, windowMs }: LimitCharge): LimitState {
  return { allowed: true, remaining: limit, resetMs: windowMs };
}

function withDeadline<T>(answer: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the storage did not answer within ${ms} ms`)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
