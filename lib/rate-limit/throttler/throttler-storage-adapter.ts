import { hash } from 'node:crypto';

import type { ThrottlerStorage } from '@nestjs/throttler';

import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from '../rate-limit-storage.js';
import { isPenalty, throttledMeter } from './throttled-meter.js';

/** Units that one request may cost over a foreign storage, which takes them one by one; more are counted as so many. */
export const MAX_ADAPTED_COST = 100;

const DEFAULT_DEADLINE_MS = 100;
const THROTTLER_NAME = 'nestjs-api-security';

/**
 * Makes a third party's `ThrottlerStorage` serve here. Such a storage can only add one hit at a time, hence:
 * several limits are charged in turn until one refuses, and the earlier ones keep their charge; a cost of n is n hits, and those
 * before a refusal stay; a cost of 0 cannot look and always passes; a counter cannot be reset. How exactly a window is kept is
 * the storage's own affair. Keys are hashed: no user text reaches a store's commands (R-RL-20).
 */
export class ThrottlerStorageAdapter implements RateLimitStorage {
  /** @param deadlineMs how long one decision may take before it is given up; 100 by default (R-RL-18) */
  constructor(
    private readonly storage: ThrottlerStorage,
    private readonly deadlineMs: number = DEFAULT_DEADLINE_MS,
  ) {}

  /** Rejects if the storage fails or is late. */
  consume(charges: readonly LimitCharge[]): Promise<LimitDecision> {
    const overdue = { passed: false };
    return withDeadline(this.#consume(charges, overdue), this.deadlineMs, overdue);
  }

  /** Foreign storages cannot forget a counter: it lapses with its window. */
  reset(): void {}

  async #consume(charges: readonly LimitCharge[], overdue: Overdue): Promise<LimitDecision> {
    const states: LimitState[] = [];
    let allowed = true;
    for (const charge of charges) {
      const state: LimitState = allowed ? await this.#charge(charge, overdue) : untouched(charge);
      allowed &&= state.allowed;
      states.push(state);
    }
    return { allowed, states, at: 0 };
  }

  async #charge(charge: LimitCharge, overdue: Overdue): Promise<LimitState> {
    const { meter, subject, cost } = charge;
    const { bucket, limit, windowMs } = meter;
    // Such a storage keeps the penalty by itself: it is told the block with every hit.
    if (isPenalty(meter)) return untouched(charge);
    const { name = THROTTLER_NAME, penalty } = throttledMeter(meter) ?? {};
    // A block of 0 is an error to some storages (PITFALL R1): the window serves.
    const blockMs = penalty?.blockMs ?? windowMs;
    // The same subject under another window is another counter here as in memory.
    const digest = hash('sha256', `${windowMs}:${bucket}:${subject}`, 'base64url');
    let state = untouched(charge);
    for (let unit = 0; unit < Math.min(cost, MAX_ADAPTED_COST) && state.allowed && !overdue.passed; unit++) {
      const hit = await this.storage.increment(digest, windowMs, limit, blockMs, name);
      state = stateOf(hit, limit, windowMs);
    }
    return state;
  }
}

type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

interface Overdue {
  passed: boolean;
}

function stateOf(hit: Hit, limit: number, windowMs: number): LimitState {
  const { totalHits, timeToExpire, isBlocked, timeToBlockExpire } = hit;
  // An answer that is no number must not open the limit.
  if (!Number.isFinite(totalHits)) throw new TypeError('the storage did not tell how many hits there were');
  if (!isBlocked && totalHits <= limit) {
    const remaining = Math.max(0, Math.floor(limit - totalHits));
    return { allowed: true, remaining, resetMs: Math.min(windowMs, milliseconds(timeToExpire)) };
  }
  const resetMs = Math.max(milliseconds(timeToBlockExpire), isBlocked ? 0 : milliseconds(timeToExpire));
  return { allowed: false, remaining: 0, resetMs: resetMs || windowMs };
}

function milliseconds(seconds: number): number {
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds * 1000) : 0;
}

function untouched({ meter: { limit } }: LimitCharge): LimitState {
  return { allowed: true, remaining: limit, resetMs: 0 };
}

function withDeadline<T>(answer: Promise<T>, ms: number, overdue: Overdue): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      overdue.passed = true;
      reject(new Error(`the storage did not answer within ${ms} ms`));
    }, ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
