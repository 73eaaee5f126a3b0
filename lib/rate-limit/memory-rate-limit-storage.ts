import type { ThrottlerStorage } from '@nestjs/throttler';

import { type SecurityClock, systemClock } from '../clock.js';
import { addUnits, isBlocked, markBlocked, msUntilFreed, usedUnits, windowOf } from './counter-record.js';
import { CounterShard } from './counter-shard.js';
import { KeyedHash } from './keyed-hash.js';
import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from './rate-limit-storage.js';

/** Options of the storage in memory. */
export interface MemoryRateLimitStorageOptions {
  /** Most counters at once; 100 000 by default, 1 000 – 10 000 000. */
  readonly maxKeys?: number;
  readonly clock?: SecurityClock;
}

/** What the throttler's guard gets back. */
type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const SHARD_BITS = 5;
const SWEEP_MS = 1_000;
const BUSY_MS = 20;
const SLICE_MS = 1.5;
const EVICTION_SAMPLE = 16;

/**
 * Counters of one process: a sliding window that never lets more than the limit through in any interval of one window,
 * in constant time and about 95 bytes a key, whatever the limit. One timer in all gives memory back when windows have
 * passed. Also a `ThrottlerStorage`, for guards of @nestjs/throttler.
 */
export class MemoryRateLimitStorage implements RateLimitStorage, ThrottlerStorage {
  readonly #clock: SecurityClock;
  readonly #maxKeys: number;
  readonly #start: number;
  readonly #hash = new KeyedHash();
  readonly #shards = Array.from({ length: 1 << SHARD_BITS }, () => new CounterShard());
  #size = 0;
  #sweeping = 0;
  #victimShard = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ maxKeys = 100_000, clock = systemClock }: MemoryRateLimitStorageOptions = {}) {
    this.#maxKeys = maxKeys;
    this.#clock = clock;
    this.#start = clock.monotonic();
  }

  /** Counters held now. */
  get size(): number {
    return this.#size;
  }

  consume(charges: readonly LimitCharge[]): LimitDecision {
    const elapsed = this.#clock.monotonic() - this.#start;
    const now = Math.floor(elapsed);
    const hit = Math.ceil(elapsed);
    if (charges.length === 1) {
      const state = this.#settle(charges[0]!, 0, now, hit, true);
      return { allowed: state.allowed, states: [state] };
    }
    const allowed = charges.every((charge, index) => this.#hasRoom(charge, before(charges, index), now));
    const states = charges.map((charge, index) =>
      this.#settle(charge, allowed ? 0 : before(charges, index), now, hit, allowed),
    );
    return { allowed, states };
  }

  reset(key: string): void {
    this.#hash.digest(key);
    const { high, low } = this.#hash;
    const shard = this.#shardOf(high);
    const at = shard.find(high, low);
    if (at < 0) return;
    shard.remove(at);
    this.#size--;
  }

  /** For the throttler's guard. Windows slide here, so `blockDuration` means nothing: a block ends when there is room. */
  increment(key: string, ttl: number, limit: number): Promise<ThrottlerRecord> {
    const windowMs = Math.max(1, Math.ceil(ttl));
    const { allowed, states } = this.consume([{ key: `throttler:${key}`, limit, windowMs, cost: 1 }]);
    const { remaining, resetMs } = states[0]!;
    const seconds = Math.ceil(resetMs / 1000);
    return Promise.resolve({
      totalHits: allowed ? limit - remaining : limit + 1,
      timeToExpire: seconds,
      isBlocked: !allowed,
      timeToBlockExpire: allowed ? 0 : seconds,
    });
  }

  /** Stops the sweep and forgets everything. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const shard of this.#shards) while (shard.count > 0) shard.remove((shard.count - 1) * 21);
    this.#size = 0;
  }

  #shardOf(high: number): CounterShard {
    return this.#shards[high >>> (32 - SHARD_BITS)]!;
  }

  #hasRoom({ key, limit, cost }: LimitCharge, alsoTaken: number, now: number): boolean {
    this.#hash.digest(key);
    const { high, low } = this.#hash;
    const shard = this.#shardOf(high);
    const at = shard.find(high, low);
    return (at < 0 ? 0 : usedUnits(shard.words, at, now)) + alsoTaken + cost <= limit;
  }

  #settle(charge: LimitCharge, alsoTaken: number, now: number, hit: number, commit: boolean): LimitState {
    const { key, limit, windowMs, cost } = charge;
    this.#hash.digest(key);
    const { high, low } = this.#hash;
    const shard = this.#shardOf(high);
    let at = shard.find(high, low);
    if (at >= 0 && windowOf(shard.words, at) !== windowMs) {
      // The same key under another window is another counter: a configuration has changed.
      shard.remove(at);
      this.#size--;
      at = -1;
    }
    const used = at < 0 ? 0 : usedUnits(shard.words, at, now);
    if (used + alsoTaken + cost > limit) {
      const resetMs = at < 0 ? windowMs : msUntilFreed(shard.words, at, now, used + alsoTaken + cost - limit);
      if (at >= 0 && cost > 0) markBlocked(shard.words, at, now, resetMs);
      return { allowed: false, remaining: Math.max(0, limit - used), resetMs };
    }
    if (!commit || cost === 0) {
      return {
        allowed: true,
        remaining: limit - used,
        resetMs: used === 0 ? 0 : msUntilFreed(shard.words, at, now, 1),
      };
    }
    if (at < 0) return this.#open(shard, high, low, charge, now, hit);
    addUnits(shard.words, at, hit, cost);
    this.#size -= shard.sweep(now >>> 0, 1);
    return {
      allowed: true,
      remaining: limit - used - cost,
      resetMs: used === 0 ? windowMs : this.#resetOf(high, low, now),
    };
  }

  #resetOf(high: number, low: number, now: number): number {
    const shard = this.#shardOf(high);
    // The sweep may have moved the record.
    const at = shard.find(high, low);
    return at < 0 ? 0 : msUntilFreed(shard.words, at, now, 1);
  }

  #open(
    shard: CounterShard,
    high: number,
    low: number,
    charge: LimitCharge,
    now: number,
    hit: number,
  ): LimitState {
    const { limit, windowMs, cost } = charge;
    if (this.#size >= this.#maxKeys && !this.#makeRoom(shard, now)) return this.#overflow(charge, now, hit);
    const at = shard.add(high, low, windowMs);
    this.#size++;
    addUnits(shard.words, at, hit, cost);
    this.#schedule(SWEEP_MS);
    return { allowed: true, remaining: limit - cost, resetMs: windowMs };
  }

  #makeRoom(shard: CounterShard, now: number): boolean {
    for (let tries = 0; tries < 4; tries++) {
      const from =
        tries === 0 && shard.count > 0
          ? shard
          : this.#shards[this.#victimShard++ & (this.#shards.length - 1)]!;
      if (!from.evict(now >>> 0, EVICTION_SAMPLE)) continue;
      this.#size--;
      return true;
    }
    return false;
  }

  /** Nothing can go, so newcomers share one counter for each limit: few, and never more than the limit together. */
  #overflow({ limit, windowMs, cost }: LimitCharge, now: number, hit: number): LimitState {
    this.#hash.digest(`overflow:${limit}:${windowMs}`);
    const { high, low } = this.#hash;
    const shard = this.#shardOf(high);
    let at = shard.find(high, low);
    if (at < 0) {
      at = shard.add(high, low, windowMs);
      this.#size++;
    }
    const used = usedUnits(shard.words, at, now);
    if (used + cost > limit) {
      const resetMs = msUntilFreed(shard.words, at, now, used + cost - limit);
      if (!isBlocked(shard.words, at, now)) markBlocked(shard.words, at, now, resetMs);
      return { allowed: false, remaining: Math.max(0, limit - used), resetMs };
    }
    addUnits(shard.words, at, hit, cost);
    return { allowed: true, remaining: limit - used - cost, resetMs: msUntilFreed(shard.words, at, now, 1) };
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
    }, ms);
    this.#timer.unref();
  }

  /** Goes round all shards in slices, so that no pause is felt; rests when it has been round once. */
  #sweep(): void {
    const now = Math.floor(this.#clock.monotonic() - this.#start) >>> 0;
    const deadline = performance.now() + SLICE_MS;
    let left = this.#shards[this.#sweeping]!.count;
    while (performance.now() < deadline) {
      const shard = this.#shards[this.#sweeping]!;
      const steps = Math.min(left, 256);
      this.#size -= shard.sweep(now, steps);
      left -= steps;
      if (left > 0) continue;
      this.#sweeping = (this.#sweeping + 1) % this.#shards.length;
      if (this.#sweeping === 0) {
        if (this.#size > 0) this.#schedule(SWEEP_MS);
        return;
      }
      left = this.#shards[this.#sweeping]!.count;
    }
    this.#schedule(BUSY_MS);
  }
}

/** Units that earlier charges of the same call take from the same counter. */
function before(charges: readonly LimitCharge[], index: number): number {
  let taken = 0;
  for (let i = 0; i < index; i++) if (charges[i]!.key === charges[index]!.key) taken += charges[i]!.cost;
  return taken;
}
