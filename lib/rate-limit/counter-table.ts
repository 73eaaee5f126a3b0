import { CounterShard, MAX_SHARD_RECORDS } from './counter-shard.js';
import { KeyedHash } from './keyed-hash.js';

/** Keys that one shard is meant for: half of what it can hold, because a hash does not spread evenly. */
const KEYS_PER_SHARD = 8_192;
const MIN_SHARDS = 16;
/** Records looked at in one shard, and shards looked at, to find one that may go. */
const VICTIM_SAMPLE = 16;
const VICTIM_SHARDS = 4;
/** Slots looked at for lapsed records at every newcomer, so that a storage whose timer is late does not grow. */
const SWEEP_ON_ADD = 4;

/** Where the counter of one charge is, if there is one. Made once and aimed anew for every call. */
export class Place {
  high = 0;
  low = 0;
  windowMs = 0;
  shard: CounterShard = NO_SHARD;
  /** Number of the record in its shard; -1 while there is none. */
  number = -1;

  /** Looks again, after records may have moved. */
  find(): void {
    this.number = this.shard.find(this.high, this.low, this.windowMs);
  }

  /** Whether both lead to one counter, be it there yet or not. */
  meets({ high, low, windowMs, shard }: Place): boolean {
    return this.low === low && this.high === high && this.windowMs === windowMs && this.shard === shard;
  }
}

const NO_SHARD = new CounterShard();

/** All counters: which shard holds a key, how many there may be, and who has to go when there are too many (R-RL-17). */
export class CounterTable {
  /** Counters of single keys. */
  size = 0;
  /** Counters that newcomers share while no record may go, one for each limit and window. */
  readonly #overflow = new CounterShard();
  readonly #shards: readonly CounterShard[];
  readonly #shift: number;
  readonly #hash = new KeyedHash();
  #sweptShard = 0;
  #sweptFirst = 0;
  #victimShard = 0;

  constructor(private readonly maxKeys: number) {
    let bits = Math.log2(MIN_SHARDS);
    while (KEYS_PER_SHARD << bits < maxKeys) bits++;
    this.#shift = 32 - bits;
    this.#shards = Array.from({ length: 1 << bits }, (_, i) => new CounterShard(i / (1 << bits)));
  }

  /** Whether nothing is held, shared counters included. */
  get empty(): boolean {
    return this.size === 0 && this.#overflow.count === 0;
  }

  /** Points a place at the counter of a key under a window. */
  aim(place: Place, key: string, windowMs: number): void {
    this.#hash.digest(key);
    const { high, low } = this.#hash;
    place.high = high;
    place.low = low;
    place.windowMs = windowMs;
    place.shard = this.#shards[high >>> this.#shift]!;
    place.number = place.shard.find(high, low, windowMs);
  }

  /** Points a place at the counter that newcomers share. */
  aimAtOverflow(place: Place, limit: number, windowMs: number): void {
    place.high = limit;
    // Slots are chosen by the low word; limits differ more often than windows do.
    place.low = limit ^ windowMs;
    place.windowMs = windowMs;
    place.shard = this.#overflow;
    place.find();
  }

  /** Makes a counter where a place points. Records move: other places have to be aimed anew. */
  add(place: Place): void {
    if (place.shard !== this.#overflow) this.size++;
    place.number = place.shard.add(place.high, place.low, place.windowMs);
  }

  /** Sweeps a little around a newcomer. Records move: places have to be aimed anew. */
  tidy({ shard }: Place, now: number): void {
    if (shard !== this.#overflow) this.size -= shard.sweepSome(now, SWEEP_ON_ADD);
  }

  /** Whether a newcomer fits without anybody going. `reserved` counts newcomers of the same call. */
  hasRoom({ shard }: Place, reserved: number): boolean {
    return this.size + reserved < this.maxKeys && shard.count + reserved < MAX_SHARD_RECORDS;
  }

  /** Whether a record may go for a newcomer; with `evict` it goes. Records of the `pinned` places stay. */
  makeRoom({ shard }: Place, pinned: readonly Place[], now: number, evict: boolean): boolean {
    for (let tries = 0; tries < VICTIM_SHARDS; tries++) {
      const from =
        tries === 0
          ? shard
          : this.#shards[(this.#victimShard = (this.#victimShard + 1) % this.#shards.length)]!;
      const isPinned = (number: number) =>
        pinned.some((place) => place.shard === from && place.number === number);
      const victim = from.victim(now, VICTIM_SAMPLE, isPinned);
      if (victim < 0) continue;
      if (evict) {
        from.remove(victim);
        this.size--;
      }
      return true;
    }
    return false;
  }

  /** Forgets the counters of a key under every window. */
  forget(key: string): void {
    this.#hash.digest(key);
    const { high, low } = this.#hash;
    const shard = this.#shards[high >>> this.#shift]!;
    for (let number = shard.find(high, low, 0); number >= 0; number = shard.find(high, low, 0)) {
      shard.remove(number);
      this.size--;
    }
  }

  clear(): void {
    for (const shard of this.#shards) shard.clear();
    this.#overflow.clear();
    this.size = 0;
  }

  /** Whether a newcomer has no room. */
  get full(): boolean {
    return this.size >= this.maxKeys;
  }

  /** Sweeps every record. */
  sweepAll(now: number): void {
    for (const shard of this.#shards) this.size -= shard.sweep(now);
    this.#overflow.sweep(now);
  }

  /** Sweeps the next shard; true when all have been seen once. */
  sweepNext(now: number): boolean {
    this.size -= this.#shards[this.#sweptShard]!.sweep(now);
    this.#sweptShard = (this.#sweptShard + 1) % this.#shards.length;
    if (this.#sweptShard > 0) return false;
    this.#overflow.sweep(now);
    return true;
  }

  /** Sweeps a few slots of the next shard: what a request that finds the table full may do for itself. */
  sweepSome(now: number, steps: number): void {
    this.#sweptFirst = (this.#sweptFirst + 1) % this.#shards.length;
    this.size -= this.#shards[this.#sweptFirst]!.sweepSome(now, steps);
  }
}
