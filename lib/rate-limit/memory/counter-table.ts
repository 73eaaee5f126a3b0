import type { LimitMeter } from '../../policy/limit-meter.js';
import { CounterMeter, CounterMeters } from './counter-meter.js';
import type { Moment } from './counter-record.js';
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
  meter: CounterMeter = NO_METER;
  limit: LimitMeter | undefined = undefined;
  shard: CounterShard = NO_SHARD;
  /** Slot of the record in its shard; -1 while there is none. */
  number = -1;

  /** Looks again, after records may have moved. */
  find(): void {
    this.number = this.shard.find(this.high, this.low, this.meter);
  }

  /** Whether both lead to one counter, be it there yet or not. */
  meets({ high, low, meter, shard }: Place): boolean {
    return this.low === low && this.high === high && this.meter === meter && this.shard === shard;
  }
}

const NO_METER = new CounterMeter(0, 0, 1, '');
const NO_SHARD = new CounterShard(new CounterMeters());

/** All counters: which shard holds a key, how many there may be, and who has to go when there are too many (R-RL-17). */
export class CounterTable {
  /** Counters of single keys. */
  size = 0;
  /** Counters that newcomers share while no record may go, one for each limit. */
  readonly #meters = new CounterMeters();
  readonly #overflow = new CounterShard(this.#meters);
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
    this.#shards = Array.from(
      { length: 1 << bits },
      (_, i) => new CounterShard(this.#meters, i / (1 << bits)),
    );
  }

  /** Whether nothing is held, shared counters included. */
  get empty(): boolean {
    return this.size === 0 && this.#overflow.count === 0;
  }

  /** Says whose counters places are pointed at from here on. */
  subject(subject: string): void {
    this.#hash.digest(subject);
  }

  /** Points a place at the subject's counter under a limit. */
  aim(place: Place, limit: LimitMeter): void {
    const { high, low } = this.#hash;
    place.high = high;
    place.low = low;
    if (place.limit !== limit || place.meter.retired) {
      place.meter = this.#meters.of(limit);
      place.limit = limit;
    }
    place.shard = this.#shards[high >>> this.#shift]!;
    place.number = place.shard.find(high, low, place.meter);
  }

  /** Points a place at the counter that newcomers share. */
  aimAtOverflow(place: Place, limit: number): void {
    place.high = limit;
    place.low = limit;
    place.shard = this.#overflow;
    place.find();
  }

  /** Makes a counter where a place points. Records move: other places have to be aimed anew. */
  add(place: Place): void {
    if (place.shard !== this.#overflow) this.size++;
    place.number = place.shard.add(place.high, place.low, place.meter);
  }

  /** Sweeps a little around a newcomer. Records move: places have to be aimed anew. */
  tidy({ shard }: Place, moment: Moment): void {
    if (shard !== this.#overflow) this.size -= shard.sweepSome(moment, SWEEP_ON_ADD);
  }

  /** Whether a newcomer fits without anybody going. `reserved` counts newcomers of the same call. */
  hasRoom({ shard }: Place, reserved: number): boolean {
    return this.size + reserved < this.maxKeys && shard.count + reserved < MAX_SHARD_RECORDS;
  }

  /** Whether a record may go for a newcomer; with `evict` it goes. Records of the `pinned` places stay. */
  makeRoom({ shard }: Place, pinned: readonly Place[], moment: Moment, evict: boolean): boolean {
    for (let tries = 0; tries < VICTIM_SHARDS; tries++) {
      const from =
        tries === 0
          ? shard
          : this.#shards[(this.#victimShard = (this.#victimShard + 1) % this.#shards.length)]!;
      const isPinned = (number: number) =>
        pinned.some((place) => place.shard === from && place.number === number);
      const victim = from.victim(moment, VICTIM_SAMPLE, isPinned);
      if (victim < 0) continue;
      if (evict) {
        from.remove(victim);
        this.size--;
      }
      return true;
    }
    return false;
  }

  /** Forgets the counter of a place. */
  forget({ shard, number }: Place): void {
    if (number < 0) return;
    shard.remove(number);
    this.size--;
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
  sweepAll(moment: Moment): void {
    for (const shard of this.#shards) this.size -= shard.sweep(moment);
    this.#overflow.sweep(moment);
  }

  /** Sweeps the next shard; true when all have been seen once. */
  sweepNext(moment: Moment): boolean {
    this.size -= this.#shards[this.#sweptShard]!.sweep(moment);
    this.#sweptShard = (this.#sweptShard + 1) % this.#shards.length;
    if (this.#sweptShard > 0) return false;
    this.#overflow.sweep(moment);
    return true;
  }

  /** Sweeps a few slots of the next shard: what a request that finds the table full may do for itself. */
  sweepSome(moment: Moment, steps: number): void {
    this.#sweptFirst = (this.#sweptFirst + 1) % this.#shards.length;
    this.size -= this.#shards[this.#sweptFirst]!.sweepSome(moment, steps);
  }
}
