import type { ThrottlerStorage } from '@nestjs/throttler';

import { type SecurityClock, systemClock } from '../clock.js';
import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { addUnits, type Charged, chargeUnits, msUntilFreed, usedUnits } from './counter-record.js';
import { CounterSweeper } from './counter-sweeper.js';
import { CounterTable, Place } from './counter-table.js';
import { createMeter, type LimitMeter } from '../policy/limit-meter.js';
import { MAX_LIMIT, MAX_WINDOW_MS } from '../policy/limit-spec.js';
import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from './rate-limit-storage.js';

/** Options of the storage in memory. */
export interface MemoryRateLimitStorageOptions {
  /** Most counters at once; 100 000 by default, 1 000 – 10 000 000. One takes about 90 bytes. */
  readonly maxKeys?: number;
  /** Where the time comes from; only its monotonic reading is used (R-RL-16). */
  readonly clock?: SecurityClock;
}

const DEFAULT_MAX_KEYS = 100_000;
/** Times are modulo 2^32: what has lapsed must be cleared before it is that old. */
const MAX_UNSWEPT_MS = 1_000_000_000;
const SWEEP_WHEN_FULL = 48;
const MIN_KEYS = 1_000;
const MAX_KEYS = 10_000_000;

/** What the throttler's guard gets back. */
type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Counters of one process: a sliding window that lets no more than the limit through in any interval of one window
 * (R-RL-15), in constant time and about 90 bytes a key, whatever the limit. It decides synchronously, and about several
 * charges at once all or nothing (R-RL-14). At `maxKeys` lapsed and then idle counters make room, never one that has
 * none itself; when none may go, newcomers with the same limit share one counter (R-RL-17).
 *
 * Also a `ThrottlerStorage`, for guards of @nestjs/throttler.
 */
export class MemoryRateLimitStorage implements RateLimitStorage, ThrottlerStorage {
  readonly #clock: SecurityClock;
  readonly #start: number;
  readonly #table: CounterTable;
  readonly #sweeper = new CounterSweeper(() => this.#sweep());
  readonly #places: Place[] = [];
  readonly #charged: Charged = { used: 0, resetMs: 0 };
  #elapsed = 0;
  #sweptAt = 0;

  /** @throws RangeError if `maxKeys` is no whole number in its bounds */
  constructor({ maxKeys = DEFAULT_MAX_KEYS, clock = systemClock }: MemoryRateLimitStorageOptions = {}) {
    if (!isKeyCount(maxKeys)) throw new RangeError(`maxKeys must be whole, ${MIN_KEYS} to ${MAX_KEYS}`);
    this.#table = new CounterTable(maxKeys);
    this.#clock = clock;
    this.#start = clock.monotonic();
  }

  /** Keys that have a counter of their own now. */
  get size(): number {
    return this.#table.size;
  }

  /** @throws RangeError for a cost that is no whole number, or a window out of bounds: nothing is counted wrongly in silence */
  consume(charges: readonly LimitCharge[]): LimitDecision {
    const elapsed = this.#advance();
    const now = Math.floor(elapsed) >>> 0;
    let newcomers = 0;
    for (let i = 0; i < charges.length; i++) {
      const charge = charges[i]!;
      assertCountable(charge);
      const place = this.#placeOf(i);
      this.#table.aim(place, `${charge.meter.bucket}:${charge.subject}`, charge.meter.windowMs);
      if (place.number < 0) newcomers++;
    }
    if (charges.length === 1) {
      const state = this.#single(charges[0]!, this.#places[0]!, now, Math.ceil(elapsed));
      if (state !== undefined) return { allowed: true, states: [state], at: elapsed };
    }
    if (newcomers > 0) this.#seat(charges, now);
    let allowed = true;
    for (let i = 0; allowed && i < charges.length; i++) allowed = this.#fits(charges, i, now);
    const states: LimitState[] = [];
    if (!allowed) {
      for (let i = 0; i < charges.length; i++) states.push(this.#refusedState(charges, i, now));
      return { allowed, states, at: elapsed };
    }
    if (newcomers > 0) this.#make(charges);
    for (let i = 0; i < charges.length; i++) this.#charge(charges[i]!, this.#places[i]!, Math.ceil(elapsed));
    for (let i = 0; i < charges.length; i++)
      states.push(this.#chargedState(charges[i]!, this.#places[i]!, now));
    if (newcomers > 0) this.#tidy(charges.length, now);
    return { allowed, states, at: elapsed };
  }

  reset({ bucket }: LimitMeter, subject: string): void {
    this.#table.forget(`${bucket}:${subject}`);
  }

  /**
   * For the throttler's guard. Windows slide, so a block ends as soon as there is room. Only a `blockDuration` longer than
   * the window is a penalty of its own, and lasts that long from the refusal on.
   */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    const counter = `${throttlerName.length}:${throttlerName}:${key}`;
    const windowMs = Math.max(1, Math.ceil(ttl));
    const meter = createMeter({ bucket: 'throttler', limit: wholeLimit(limit), windowMs });
    const charge = { meter, subject: counter, cost: 1 };
    if (!(blockDuration > windowMs)) return throttlerRecord(charge, this.consume([charge]));
    const blockMs = Math.min(Math.ceil(blockDuration), MAX_WINDOW_MS);
    const penaltyMeter = createMeter({ bucket: 'penalty', limit: 1, windowMs: blockMs });
    const penalty = { meter: penaltyMeter, subject: counter, cost: 1 };
    const standing = this.consume([{ ...penalty, cost: 0 }]);
    if (standing.states[0]!.remaining === 0) return throttlerRecord(charge, { ...standing, allowed: false });
    const decision = this.consume([charge]);
    if (decision.allowed) return throttlerRecord(charge, decision);
    return throttlerRecord(charge, { ...this.consume([penalty]), allowed: false });
  }

  /** Stops the timer and forgets everything. */
  close(): void {
    this.#sweeper.stop();
    this.#table.clear();
  }

  /** Milliseconds since the storage was made; never fewer than at the last call, whatever the clock does. */
  #advance(): number {
    const elapsed = Math.max(this.#elapsed, this.#clock.monotonic() - this.#start);
    // Longer than any window: all has lapsed, and times modulo 2^32 must not begin to look new again.
    if (elapsed - this.#elapsed > MAX_WINDOW_MS) {
      this.#table.clear();
      this.#sweptAt = elapsed;
    }
    // The timer has seen everything long before this; without it, after a sleep, this call has to.
    while (elapsed - this.#sweptAt > MAX_UNSWEPT_MS) {
      this.#sweptAt += MAX_UNSWEPT_MS;
      this.#table.sweepAll(this.#sweptAt >>> 0);
    }
    this.#elapsed = elapsed;
    return elapsed;
  }

  #placeOf(index: number): Place {
    return (this.#places[index] ??= new Place());
  }

  /** The short way for one charge that is allowed and brings no newcomer; otherwise undefined. */
  #single(
    { meter: { limit }, cost }: LimitCharge,
    place: Place,
    now: number,
    hit: number,
  ): LimitState | undefined {
    const { shard, number } = place;
    if (number < 0) {
      // Without room a look has to see the counter that newcomers share.
      const isLook = cost === 0 && this.#table.hasRoom(place, 0);
      return isLook ? { allowed: true, remaining: limit, resetMs: 0 } : undefined;
    }
    if (cost === 0) return undefined;
    const charged = this.#charged;
    if (!chargeUnits(shard.words, shard.offset(number), now, hit, limit, cost, charged)) return undefined;
    const { used, resetMs } = charged;
    shard.markBlocked(number, used >= limit);
    return { allowed: true, remaining: limit - used, resetMs };
  }

  /** Finds out where newcomers can go; makes room for those that will be charged, if nothing speaks against it. */
  #seat(charges: readonly LimitCharge[], now: number): void {
    const places = this.#places.slice(0, charges.length);
    // Lapsed counters go first, wherever they are (R-RL-17).
    if (this.#table.full) this.#table.sweepSome(now, SWEEP_WHEN_FULL);
    for (const place of places) place.find();
    const evict = charges.every((_, i) => this.#fits(charges, i, now));
    const repeated = places.map((place, i) => places.findIndex((other) => place.meets(other)) < i);
    let reserved = 0;
    let shared = false;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      const { cost } = charges[i]!;
      if (place.number >= 0 || repeated[i]) continue;
      if (this.#table.hasRoom(place, reserved)) reserved++;
      else if (!this.#table.makeRoom(place, places, now, evict && cost > 0)) shared = true;
      else if (evict && cost > 0) {
        reserved++;
        for (const other of places) other.find();
      }
    }
    // All or none of a call's newcomers share, so that two charges of one key cannot part.
    if (!shared) return;
    for (let i = 0; i < places.length; i++) {
      const { limit, windowMs } = charges[i]!.meter;
      if (places[i]!.number < 0) this.#table.aimAtOverflow(places[i]!, limit, windowMs);
    }
  }

  #tidy(places: number, now: number): void {
    if (this.#table.empty) return;
    for (let i = 0; i < places; i++) this.#table.tidy(this.#places[i]!, now);
    this.#sweeper.wake();
  }

  #used({ shard, number }: Place, now: number): number {
    return number < 0 ? 0 : usedUnits(shard.words, shard.offset(number), now);
  }

  #fits(charges: readonly LimitCharge[], index: number, now: number): boolean {
    const { cost, meter } = charges[index]!;
    const { limit } = meter;
    const taken = cost === 0 ? 0 : this.#takenTogether(charges, index);
    return this.#used(this.#places[index]!, now) + taken <= limit;
  }

  /** Units that all charges of the call take from one counter: each of their limits has to bear them. */
  #takenTogether(charges: readonly LimitCharge[], index: number): number {
    let taken = 0;
    for (let i = 0; i < charges.length; i++)
      if (this.#places[i]!.meets(this.#places[index]!)) taken += charges[i]!.cost;
    return taken;
  }

  /** Makes the counters of newcomers that are charged. */
  #make(charges: readonly LimitCharge[]): void {
    for (let i = 0; i < charges.length; i++) {
      const place = this.#places[i]!;
      if (charges[i]!.cost === 0) continue;
      // An earlier charge of this call may have made it.
      place.find();
      if (place.number < 0) this.#table.add(place);
    }
    for (let i = 0; i < charges.length; i++) this.#places[i]!.find();
  }

  #charge({ cost }: LimitCharge, { shard, number }: Place, hit: number): void {
    if (cost > 0) addUnits(shard.words, shard.offset(number), hit, cost);
  }

  #chargedState({ meter: { limit, windowMs } }: LimitCharge, place: Place, now: number): LimitState {
    const { shard, number } = place;
    if (number < 0) return { allowed: true, remaining: limit, resetMs: 0 };
    const { words } = shard;
    const at = shard.offset(number);
    const used = usedUnits(words, at, now);
    const resetMs = used === 0 ? 0 : Math.min(windowMs, msUntilFreed(words, at, now, 1));
    shard.markBlocked(number, used >= limit);
    return { allowed: true, remaining: Math.max(0, limit - used), resetMs };
  }

  #refusedState(charges: readonly LimitCharge[], index: number, now: number): LimitState {
    const { limit, windowMs } = charges[index]!.meter;
    const place = this.#places[index]!;
    if (this.#fits(charges, index, now)) return this.#chargedState(charges[index]!, place, now);
    const used = this.#used(place, now);
    const remaining = Math.max(0, limit - used);
    if (place.number < 0) return { allowed: false, remaining, resetMs: windowMs };
    const { words } = place.shard;
    const at = place.shard.offset(place.number);
    const missing = used + this.#takenTogether(charges, index) - limit;
    const resetMs = Math.min(windowMs, msUntilFreed(words, at, now, missing));
    place.shard.markBlocked(place.number, true);
    return { allowed: false, remaining, resetMs };
  }

  #sweep(): 'more' | 'round' | 'empty' {
    const round = this.#table.sweepNext(Math.floor(this.#advance()) >>> 0);
    if (round) this.#sweptAt = this.#elapsed;
    if (this.#table.empty) return 'empty';
    return round ? 'round' : 'more';
  }
}

/** Reports options that are no options or out of bounds. */
export function checkMemoryRateLimitStorageOptions(
  options: MemoryRateLimitStorageOptions,
  where: string,
  problems: ConfigurationProblems,
): void {
  if (options.maxKeys !== undefined && !isKeyCount(options.maxKeys)) {
    problems.add(
      'rate-limit.max-keys',
      `${where}.maxKeys`,
      `is no whole number from ${MIN_KEYS} to ${MAX_KEYS}`,
      `leave it out for ${DEFAULT_MAX_KEYS}, or give as many counters as there are clients at once`,
    );
  }
}

function isKeyCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= MIN_KEYS && Number(value) <= MAX_KEYS;
}

function assertCountable({ meter: { limit, windowMs }, cost }: LimitCharge): void {
  // The words of a counter have 32 bits: anything else would be cut off, and the limit with it.
  if (cost >>> 0 !== cost) throw new RangeError(`a cost must be a whole number, not ${cost}`);
  if (limit >>> 0 !== limit || limit > MAX_LIMIT)
    throw new RangeError(`a limit must be whole, 0 to ${MAX_LIMIT}, not ${limit}`);
  if (windowMs >>> 0 !== windowMs || windowMs < 1 || windowMs > MAX_WINDOW_MS)
    throw new RangeError(`a window must be whole milliseconds up to 31 days, not ${windowMs}`);
}

/** The throttler takes any number for a limit, such as `Infinity` for none. */
function wholeLimit(limit: number): number {
  return Math.min(MAX_LIMIT, Math.max(0, Math.floor(limit)));
}

function throttlerRecord(
  { meter: { limit } }: LimitCharge,
  { allowed, states }: LimitDecision,
): ThrottlerRecord {
  const { remaining, resetMs } = states[0]!;
  const seconds = Math.ceil(resetMs / 1000);
  return {
    totalHits: allowed ? limit - remaining : limit + 1,
    timeToExpire: seconds,
    isBlocked: !allowed,
    timeToBlockExpire: allowed ? 0 : seconds,
  };
}
