import type { ThrottlerStorage } from '@nestjs/throttler';

import { type SecurityClock, systemClock } from '../../clock.js';
import type { LimitMeter } from '../../policy/limit-meter.js';
import { MAX_WINDOW_MS } from '../../policy/limit-spec.js';
import {
  addToRecord,
  chargeRecord,
  type Moment,
  readRecord,
  refundRecord,
  restoreRecord,
  saveRecord,
  startRecord,
  waitOfRecord,
} from './counter-record.js';
import { CounterSweeper } from './counter-sweeper.js';
import { seatNewcomers } from './counter-seats.js';
import { CounterTable, Place } from './counter-table.js';
import { assertCountable } from '../assert-countable.js';
import { assertKeyCount, DEFAULT_MAX_KEYS } from './memory-storage-bounds.js';
import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from '../rate-limit-storage.js';
import { RECORD_WORDS, type Standing } from './record-layout.js';
import { throttlerIncrement, type ThrottlerRecord } from '../throttler/throttler-increment.js';

/** Options of the storage in memory. */
export interface MemoryRateLimitStorageOptions {
  /** Most counters at once; 100 000 by default, 1 000 – 10 000 000. One takes at most 64 bytes. */
  readonly maxKeys?: number;
  /** Where the time comes from; only its monotonic reading is used (R-RL-16). */
  readonly clock?: SecurityClock;
}

/** Records keep times modulo 2^32 and less: what has lapsed must be cleared before it is that old. */
const MAX_UNSWEPT_MS = 1_000_000_000;

/**
 * Counters of one process: all algorithms, in constant time and at most 64 bytes a counter, whatever the limit. It decides synchronously, and
 * about several charges at once all or nothing (R-RL-14); the counters of one subject lie side by side. At `maxKeys` lapsed and then idle
 * counters make room, never one that has none itself; when none may go, newcomers with the same limit share one (R-RL-17).
 *
 * Also a `ThrottlerStorage`, for guards of @nestjs/throttler.
 */
export class MemoryRateLimitStorage implements RateLimitStorage, ThrottlerStorage {
  readonly #clock: SecurityClock;
  readonly #start: number;
  readonly #table: CounterTable;
  readonly #sweeper = new CounterSweeper(() => this.#sweep());
  readonly #places: Place[] = [];
  readonly #standing: Standing = { used: 0, resetMs: 0 };
  readonly #moment: Moment = { now: 0, hit: 0 };
  #saved = new Uint32Array(8 * RECORD_WORDS);
  #elapsed = 0;
  #sweptAt = 0;

  /** @throws RangeError if `maxKeys` is no whole number in its bounds */
  constructor({ maxKeys = DEFAULT_MAX_KEYS, clock = systemClock }: MemoryRateLimitStorageOptions = {}) {
    assertKeyCount(maxKeys);
    this.#table = new CounterTable(maxKeys);
    this.#clock = clock;
    this.#start = clock.monotonic();
  }

  /** Subjects and limits that have a counter of their own now. */
  get size(): number {
    return this.#table.size;
  }

  /** @throws RangeError for a cost that is no whole number, or a limit out of bounds: nothing is counted wrongly in silence */
  consume(charges: readonly LimitCharge[]): LimitDecision {
    this.#advance();
    const newcomers = this.#aim(charges);
    const at = this.#moment.hit;
    if (!newcomers) {
      const states = this.#chargeQuickly(charges);
      if (states !== undefined) return { allowed: true, states, at };
    } else {
      this.#seat(charges);
    }
    const states: LimitState[] = [];
    let allowed = true;
    for (let i = 0; allowed && i < charges.length; i++)
      allowed = charges[i]!.meter.dryRun || this.#fits(charges, i);
    if (!allowed) {
      for (let i = 0; i < charges.length; i++) states.push(this.#stateOf(charges, i, this.#fits(charges, i)));
      return { allowed, states, at };
    }
    for (let i = 0; i < charges.length; i++) if (!charges[i]!.meter.dryRun) this.#charge(charges[i]!, i);
    for (let i = 0; i < charges.length; i++) {
      const { meter } = charges[i]!;
      const passed = !meter.dryRun || this.#fits(charges, i);
      if (meter.dryRun && passed) this.#charge(charges[i]!, i);
      states.push(this.#stateOf(charges, i, passed));
    }
    if (newcomers) this.#tidy(charges.length);
    return { allowed, states, at };
  }

  refund(charges: readonly LimitCharge[], { at }: LimitDecision): void {
    this.#advance();
    const place = this.#placeOf(0);
    for (const { meter, subject, cost } of charges) {
      this.#table.subject(subject);
      this.#table.aim(place, meter);
      if (place.number < 0) this.#table.aimAtOverflow(place, meter.limit);
      if (place.number < 0) continue;
      refundRecord(place.shard, place.number, place.meter, meter, this.#moment, at, cost);
      place.shard.markBlocked(place.number, false);
    }
  }

  reset(meter: LimitMeter, subject: string): void {
    const place = this.#placeOf(0);
    this.#table.subject(subject);
    this.#table.aim(place, meter);
    this.#table.forget(place);
  }

  /** For the throttler's guard: see `ThrottlerStorage`. */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    const hit = { key, ttl, limit, blockDuration, name: throttlerName };
    return throttlerIncrement(hit, (charge) => this.consume([charge]));
  }

  /** Stops the timer and forgets everything. */
  close(): void {
    this.#sweeper.stop();
    this.#table.clear();
  }

  /** Milliseconds since the storage was made; never fewer than at the last call, whatever the clock does. */
  #advance(): void {
    const elapsed = Math.max(this.#elapsed, this.#clock.monotonic() - this.#start);
    // Longer than any window: all has lapsed, and old times must not begin to look new again.
    if (elapsed - this.#elapsed > MAX_WINDOW_MS + MAX_UNSWEPT_MS) {
      this.#table.clear();
      this.#sweptAt = elapsed;
    }
    // The timer has seen everything long before this; without it, after a sleep, this call has to.
    while (elapsed - this.#sweptAt > MAX_UNSWEPT_MS) {
      this.#setMoment((this.#sweptAt += MAX_UNSWEPT_MS));
      this.#table.sweepAll(this.#moment);
    }
    this.#elapsed = elapsed;
    this.#setMoment(elapsed);
  }

  #setMoment(elapsed: number): void {
    this.#moment.now = Math.floor(elapsed);
    this.#moment.hit = Math.ceil(elapsed);
  }

  #placeOf(index: number): Place {
    return (this.#places[index] ??= new Place());
  }

  /** Points the places at the charges' counters; tells whether one that is to be charged is not there yet. */
  #aim(charges: readonly LimitCharge[]): boolean {
    let newcomers = false;
    for (let i = 0; i < charges.length; i++) {
      const charge = charges[i]!;
      assertCountable(charge);
      const place = this.#placeOf(i);
      // The limits of a request mostly count one subject.
      if (i === 0 || charge.subject !== charges[i - 1]!.subject) this.#table.subject(charge.subject);
      this.#table.aim(place, charge.meter);
      newcomers ||= place.number < 0;
    }
    return newcomers;
  }

  /** Apart from `consume`: its closure would cost every call a context of its own. */
  #seat(charges: readonly LimitCharge[]): void {
    const fit = () => charges.every(({ meter }, i) => meter.dryRun || this.#fits(charges, i));
    seatNewcomers(this.#table, this.#places.slice(0, charges.length), charges, this.#moment, fit);
  }

  /**
   * The short way: all charges are enforced and allowed, and each has a counter of its own. One that has no room takes those before it back.
   */
  #chargeQuickly(charges: readonly LimitCharge[]): LimitState[] | undefined {
    if (charges.length === 1) {
      const state = this.#chargeOne(charges[0]!, this.#places[0]!);
      return state && [state];
    }
    if (charges.length * RECORD_WORDS > this.#saved.length)
      this.#saved = new Uint32Array(2 * charges.length * RECORD_WORDS);
    const states: LimitState[] = [];
    for (let i = 0; i < charges.length; i++) {
      const place = this.#places[i]!;
      // The last one changes nothing if it does not fit.
      if (i + 1 < charges.length) saveRecord(place.shard, place.number, this.#saved, i);
      const state = this.#isRepeated(i) ? undefined : this.#chargeOne(charges[i]!, place);
      if (state === undefined) {
        while (--i >= 0) restoreRecord(this.#places[i]!.shard, this.#places[i]!.number, this.#saved, i);
        return undefined;
      }
      states.push(state);
    }
    return states;
  }

  #chargeOne({ meter, cost }: LimitCharge, { shard, number, meter: counted }: Place): LimitState | undefined {
    const standing = this.#standing;
    if (
      cost === 0 ||
      meter.dryRun ||
      !chargeRecord(shard, number, counted, meter, this.#moment, cost, standing)
    )
      return undefined;
    const remaining = meter.burst - standing.used;
    shard.markBlocked(number, remaining === 0);
    return { allowed: true, remaining, resetMs: standing.resetMs };
  }

  #isRepeated(index: number): boolean {
    const place = this.#places[index]!;
    for (let i = 0; i < index; i++) if (this.#places[i]!.meets(place)) return true;
    return false;
  }

  #tidy(places: number): void {
    if (this.#table.empty) return;
    for (let i = 0; i < places; i++) this.#table.tidy(this.#places[i]!, this.#moment);
    this.#sweeper.wake();
  }

  /** How a charge's counter stands; the same object every time. */
  #read({ meter }: LimitCharge, place: Place): Standing {
    const standing = this.#standing;
    if (place.number >= 0) readRecord(place.shard, place.number, place.meter, meter, this.#moment, standing);
    else {
      standing.used = 0;
      standing.resetMs = 0;
    }
    return standing;
  }

  #fits(charges: readonly LimitCharge[], index: number): boolean {
    const charge = charges[index]!;
    return this.#read(charge, this.#places[index]!).used + this.#taken(charges, index) <= charge.meter.burst;
  }

  /** Units that all enforced charges of the call take from one counter: each of their limits has to bear them. */
  #taken(charges: readonly LimitCharge[], index: number): number {
    const { cost, meter } = charges[index]!;
    if (charges.length === 1 || cost === 0 || meter.dryRun) return cost;
    let taken = 0;
    for (let i = 0; i < charges.length; i++)
      if (!charges[i]!.meter.dryRun && this.#places[i]!.meets(this.#places[index]!))
        taken += charges[i]!.cost;
    return taken;
  }

  #charge({ meter, cost }: LimitCharge, index: number): void {
    if (cost === 0) return;
    const place = this.#places[index]!;
    if (place.number < 0) this.#make(place, meter);
    addToRecord(place.shard, place.number, place.meter, meter, this.#moment, cost);
  }

  /** Makes a newcomer's counter, unless an earlier charge of the call has made it. Other records of the shard may move. */
  #make(place: Place, meter: LimitMeter): void {
    place.find();
    if (place.number >= 0) return;
    this.#table.add(place);
    startRecord(place.shard, place.number, place.meter, meter.limit, this.#moment);
    for (const other of this.#places) if (other !== place && other.shard === place.shard) other.find();
  }

  #stateOf(charges: readonly LimitCharge[], index: number, allowed: boolean): LimitState {
    const charge = charges[index]!;
    const { meter } = charge;
    const place = this.#places[index]!;
    const standing = this.#read(charge, place);
    const { used, resetMs } = standing;
    const remaining = Math.max(0, meter.burst - used);
    if (place.number < 0) return { allowed, remaining, resetMs: allowed ? 0 : meter.windowMs };
    const { shard, number } = place;
    shard.markBlocked(number, !allowed || remaining === 0);
    if (allowed) return { allowed, remaining, resetMs };
    const cost = this.#taken(charges, index);
    const wait = waitOfRecord(shard, number, place.meter, meter, this.#moment, standing, cost);
    return { allowed, remaining, resetMs: wait || meter.windowMs };
  }

  #sweep(): 'more' | 'round' | 'empty' {
    this.#advance();
    const round = this.#table.sweepNext(this.#moment);
    if (round) this.#sweptAt = this.#elapsed;
    if (this.#table.empty) return 'empty';
    return round ? 'round' : 'more';
  }
}
