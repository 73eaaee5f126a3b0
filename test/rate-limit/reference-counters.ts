import type { LimitMeter } from '../../lib/policy/limit-meter.js';

/** A time as counters take it: whole milliseconds, down for what lapses and up for what is counted. */
export interface Moment {
  readonly now: number;
  readonly hit: number;
}

/** A counter in the plainest form: objects and no packing, and nothing is fast. */
export interface ReferenceCounter {
  /** A store's wall clock may step back: what lies ahead is taken for what happened just now. */
  settle(moment: Moment): void;
  used(meter: LimitMeter, moment: Moment): number;
  /** Until the next units come back; 0 if none is taken. */
  resetMs(meter: LimitMeter, moment: Moment): number;
  /** Until a charge of `cost`, at most the burst, fits. */
  waitMs(meter: LimitMeter, moment: Moment, cost: number): number;
  add(meter: LimitMeter, moment: Moment, cost: number): void;
  /** `at` is the hit of the charge. */
  refund(meter: LimitMeter, at: number, cost: number): void;
}

const TURNS = 6;

/** Hits by sixths of a window ("turns"): a group lapses a window after its last hit. */
export class SlidingCounter implements ReferenceCounter {
  #newest = Number.NEGATIVE_INFINITY;
  /** That a count takes: the larger the limit, the coarser the times. */
  #bits = 0;
  #groups = new Map<number, { steps: number; count: number }>();

  constructor(private readonly windowMs: number) {}

  get #turnMs(): number {
    return Math.ceil(this.windowMs / TURNS);
  }

  #stepMs(bits: number): number {
    return Math.ceil(this.#turnMs / (2 ** (32 - bits) - 1));
  }

  #turnOf(time: number): number {
    return Math.floor(time / this.#turnMs);
  }

  #stepsAt(hit: number): number {
    return Math.ceil((hit - this.#turnOf(hit) * this.#turnMs) / this.#stepMs(this.#bits));
  }

  /** How long each group that counts still does, the oldest first. */
  #live({ now, hit }: Moment): { restMs: number; count: number }[] {
    return [...this.#groups]
      .filter(([turn, { count }]) => turn >= this.#turnOf(hit) - TURNS && count > 0)
      .map(([turn, { steps, count }]) => {
        const last = turn * this.#turnMs + Math.min(steps * this.#stepMs(this.#bits), this.#turnMs);
        return { restMs: last + this.windowMs - now, count };
      })
      .filter(({ restMs }) => restMs > 0)
      .toSorted((one, other) => one.restMs - other.restMs);
  }

  #capped(restMs: number): number {
    return Math.min(restMs, this.windowMs + this.#stepMs(this.#bits) - 1);
  }

  settle({ hit }: Moment): void {
    const ahead = this.#newest - this.#turnOf(hit);
    if (!(ahead > 0)) return;
    this.#newest -= ahead;
    this.#groups = new Map([...this.#groups].map(([turn, group]) => [turn - ahead, group]));
    const last = this.#groups.get(this.#newest);
    if (last) last.steps = Math.min(last.steps, this.#stepsAt(hit));
  }

  used(_meter: LimitMeter, moment: Moment): number {
    return this.#live(moment).reduce((sum, { count }) => sum + count, 0);
  }

  resetMs(_meter: LimitMeter, moment: Moment): number {
    return this.#capped(this.#live(moment)[0]?.restMs ?? 0);
  }

  waitMs(meter: LimitMeter, moment: Moment, cost: number): number {
    let missing = this.used(meter, moment) + cost - meter.limit;
    for (const { restMs, count } of this.#live(moment)) {
      missing -= count;
      if (missing <= 0) return this.#capped(restMs);
    }
    throw new Error('a charge that fits a limit waits for no more than all of its units');
  }

  add({ limit }: LimitMeter, moment: Moment, cost: number): void {
    const needed = 32 - Math.clz32(limit);
    if (this.#live(moment).length === 0) {
      this.#groups.clear();
      this.#bits = needed;
    }
    if (this.#bits < needed) {
      const [before, after] = [this.#stepMs(this.#bits), this.#stepMs(needed)];
      for (const group of this.#groups.values()) group.steps = Math.ceil((group.steps * before) / after);
      this.#bits = needed;
    }
    const turn = this.#turnOf(moment.hit);
    const group = this.#groups.get(turn) ?? { steps: 0, count: 0 };
    group.steps = Math.max(group.steps, this.#stepsAt(moment.hit));
    group.count += cost;
    this.#groups.set(turn, group);
    this.#newest = turn;
  }

  refund(_meter: LimitMeter, at: number, cost: number): void {
    const turn = this.#turnOf(at);
    const group = turn >= this.#newest - TURNS ? this.#groups.get(turn) : undefined;
    if (group) group.count = Math.max(0, group.count - cost);
  }
}

/** Hits since the first one, until its window is over. */
export class FixedCounter implements ReferenceCounter {
  #start = 0;
  #count = 0;

  constructor(private readonly windowMs: number) {}

  settle({ hit }: Moment): void {
    this.#start = Math.min(this.#start, hit);
  }

  used(_meter: LimitMeter, { now }: Moment): number {
    return now - this.#start < this.windowMs ? this.#count : 0;
  }

  resetMs(meter: LimitMeter, moment: Moment): number {
    if (this.used(meter, moment) === 0) return 0;
    return Math.min(this.windowMs, this.#start + this.windowMs - moment.now);
  }

  waitMs(meter: LimitMeter, moment: Moment): number {
    return this.resetMs(meter, moment);
  }

  add(meter: LimitMeter, moment: Moment, cost: number): void {
    if (this.used(meter, moment) === 0) {
      this.#start = moment.hit;
      this.#count = 0;
    }
    this.#count += cost;
  }

  refund(_meter: LimitMeter, at: number, cost: number): void {
    if (at >= this.#start && at < this.#start + this.windowMs) this.#count = Math.max(0, this.#count - cost);
  }
}

/** Part of a unit by which sums of doubles may be off. */
const SLACK = 1e-6;

/** GCRA: the milliseconds until all tokens are back, and when that was. */
export class BucketCounter implements ReferenceCounter {
  #level = 0;
  #seen = 0;

  settle({ now }: Moment): void {
    this.#seen = Math.min(this.#seen, now);
  }

  #levelAt(now: number): number {
    return Math.max(0, this.#level - (now - this.#seen));
  }

  used({ limit, windowMs, burst }: LimitMeter, { now }: Moment): number {
    const unitMs = windowMs / limit;
    const room = Math.floor((burst * unitMs - this.#levelAt(now) + unitMs * SLACK) / unitMs);
    return burst - Math.min(burst, Math.max(0, room));
  }

  resetMs(meter: LimitMeter, moment: Moment): number {
    const level = this.#levelAt(moment.now);
    const unitMs = meter.windowMs / meter.limit;
    const missing = this.used(meter, moment) - 1;
    return level === 0 ? 0 : Math.max(1, Math.ceil(level - missing * unitMs - unitMs * SLACK));
  }

  waitMs({ limit, windowMs, burst }: LimitMeter, { now }: Moment, cost: number): number {
    const unitMs = windowMs / limit;
    return Math.max(1, Math.ceil(this.#levelAt(now) + (cost - burst) * unitMs - unitMs * SLACK));
  }

  add({ limit, windowMs }: LimitMeter, { now }: Moment, cost: number): void {
    this.#level = this.#levelAt(now) + (cost * windowMs) / limit;
    this.#seen = now;
  }

  refund({ limit, windowMs }: LimitMeter, _at: number, cost: number): void {
    this.#level -= (cost * windowMs) / limit;
  }
}
