import type { LimitMeter } from '../../lib/policy/limit-meter.js';
import type { LimitCharge, LimitDecision, LimitState } from '../../lib/rate-limit/rate-limit-storage.js';
import {
  BucketCounter,
  FixedCounter,
  type Moment,
  type ReferenceCounter,
  SlidingCounter,
} from './reference-counters.js';

/**
 * What every storage has to decide, written to be read and not to be fast: one storage is right if it decides like this for the same
 * charges at the same times. It has no clock, and never forgets a counter.
 */
export class ReferenceLimiter {
  readonly #counters = new Map<string, ReferenceCounter>();

  /** @param time milliseconds, whole or not */
  consume(charges: readonly LimitCharge[], time: number): LimitDecision {
    const moment = { now: Math.floor(time), hit: Math.ceil(time) };
    for (const charge of charges) this.#counterOf(charge).settle(moment);
    const enforced = charges.filter(({ meter }) => !meter.dryRun);
    const allowed = enforced.every((charge) => this.#fits(charge, enforced, moment));
    if (allowed) for (const charge of enforced) this.#charge(charge, moment);
    const states = charges.map((charge) => {
      const passes = allowed && !charge.meter.dryRun ? true : this.#fits(charge, enforced, moment);
      if (allowed && passes && charge.meter.dryRun) this.#charge(charge, moment);
      return this.#stateOf(charge, enforced, moment, passes);
    });
    return { allowed, states, at: moment.hit };
  }

  refund(charges: readonly LimitCharge[], { at }: LimitDecision): void {
    for (const charge of charges) this.#counterOf(charge).refund(charge.meter, at, charge.cost);
  }

  reset(meter: LimitMeter, subject: string): void {
    this.#counters.delete(nameOf(meter, subject));
  }

  #counterOf({ meter, subject }: LimitCharge): ReferenceCounter {
    const name = nameOf(meter, subject);
    let counter = this.#counters.get(name);
    if (!counter) this.#counters.set(name, (counter = newCounter(meter)));
    return counter;
  }

  /** What a charge needs: enforced ones of the same counter have to fit together; a look, and a dry run, stands for itself. */
  #needs({ meter, subject, cost }: LimitCharge, enforced: readonly LimitCharge[]): number {
    if (cost === 0 || meter.dryRun) return cost;
    const name = nameOf(meter, subject);
    return enforced
      .filter((other) => nameOf(other.meter, other.subject) === name)
      .reduce((sum, other) => sum + other.cost, 0);
  }

  #fits(charge: LimitCharge, enforced: readonly LimitCharge[], moment: Moment): boolean {
    const used = this.#counterOf(charge).used(charge.meter, moment);
    return used + this.#needs(charge, enforced) <= charge.meter.burst;
  }

  #charge(charge: LimitCharge, moment: Moment): void {
    if (charge.cost > 0) this.#counterOf(charge).add(charge.meter, moment, charge.cost);
  }

  #stateOf(
    charge: LimitCharge,
    enforced: readonly LimitCharge[],
    moment: Moment,
    allowed: boolean,
  ): LimitState {
    const { meter } = charge;
    const counter = this.#counterOf(charge);
    const remaining = Math.max(0, meter.burst - counter.used(meter, moment));
    if (allowed) return { allowed, remaining, resetMs: counter.resetMs(meter, moment) };
    const needs = this.#needs(charge, enforced);
    const resetMs = needs > meter.burst ? meter.windowMs : counter.waitMs(meter, moment, needs);
    return { allowed, remaining, resetMs };
  }
}

function kindOf({ algorithm }: LimitMeter): string {
  return algorithm === 'concurrency' ? 'sliding-window' : algorithm;
}

function nameOf(meter: LimitMeter, subject: string): string {
  return JSON.stringify([kindOf(meter), meter.windowMs, meter.bucket, subject]);
}

function newCounter(meter: LimitMeter): ReferenceCounter {
  if (meter.algorithm === 'token-bucket') return new BucketCounter();
  return meter.algorithm === 'fixed-window'
    ? new FixedCounter(meter.windowMs)
    : new SlidingCounter(meter.windowMs);
}
