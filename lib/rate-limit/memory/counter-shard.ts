import type { CounterMeters, CounterMeter } from './counter-meter.js';
import { idleOfRecord, type Moment } from './counter-record.js';
import { FINGERPRINT, METER, RECORD_WORDS } from './record-layout.js';

/** Most records of one shard. */
export const MAX_SHARD_RECORDS = 16_384;

const MIN_SLOTS = 16;
/** A shard with fewer slots than this for each record is rebuilt … */
const FULL = 1.15;
/** … and one with more too, late: memory that comes and goes makes V8 collect garbage, with pauses; … */
const EMPTY = 4;
/** … then it has so many. */
const ROOMY = 1.5;
const TWO_32 = 4_294_967_296;
const NEIGHBOUR_BITS = 3;
/** A tag of a slot: 0 if it is free, else 15 bits of the fingerprint, not all 0, and this bit for a counter without room. */
const BLOCKED = 1;
/** The tag of a record that the sweep under way takes out. */
const LAPSED = 1;

/**
 * Part of the counters: an open-addressing table with its records in place, so that a check touches two cache lines, one
 * of the tags and the record. A shard is small enough to be rebuilt in less than a millisecond.
 *
 * A record's number is its slot. It changes when records are added or removed.
 */
export class CounterShard {
  count = 0;
  /** All records, one for each slot. */
  words = new Uint32Array(0);
  /** The same memory. */
  doubles = new Float64Array(0);
  #tags = new Uint16Array(0);
  #hand = 0;

  /**
   * @param spread 0–1: shards that differ in this are rebuilt at different times, so that their memory adds up to the mean
   */
  constructor(
    private readonly meters: CounterMeters,
    private readonly spread = 0,
  ) {}

  /** Slot of the record of a subject's digest under a meter, or -1. */
  find(high: number, low: number, meter: CounterMeter): number {
    const tags = this.#tags;
    const size = tags.length;
    if (size === 0) return -1;
    const words = this.words;
    const wanted = tagOf(high, meter);
    const identity = identityOf(high, meter);
    for (let slot = homeOf(low, meter.number, size); ;) {
      const tag = tags[slot]!;
      if (tag === 0) return -1;
      if ((tag & ~BLOCKED) === wanted) {
        const at = slot * RECORD_WORDS;
        if (words[at + FINGERPRINT] === low >>> 0 && words[at + METER] === identity) return slot;
      }
      if (++slot === size) slot = 0;
    }
  }

  /** Slot of a fresh record; the shard must not be full. Other records get other slots. */
  add(high: number, low: number, meter: CounterMeter): number {
    if ((this.count + 1) * FULL > this.#tags.length) this.#rebuild(this.count + 1);
    const slot = this.#freeSlot(homeOf(low, meter.number, this.#tags.length));
    this.#tags[slot] = tagOf(high, meter);
    const at = slot * RECORD_WORDS;
    this.words.fill(0, at, at + RECORD_WORDS);
    this.words[at + FINGERPRINT] = low;
    this.words[at + METER] = identityOf(high, meter);
    meter.live++;
    this.count++;
    return slot;
  }

  /** Removes a record, and moves later ones of its run back, so that no tombstones pile up. */
  remove(number: number): void {
    this.#meterOf(number).live--;
    this.#close(number);
  }

  #close(number: number): void {
    const { words } = this;
    const tags = this.#tags;
    const size = tags.length;
    let hole = number;
    for (let slot = hole + 1 === size ? 0 : hole + 1; tags[slot] !== 0;) {
      const home = homeOfRecord(words, slot, size);
      const fromHome = slot >= home ? slot - home : slot - home + size;
      const fromHole = slot >= hole ? slot - hole : slot - hole + size;
      if (fromHome >= fromHole) {
        tags[hole] = tags[slot]!;
        copyRecord(words, slot, words, hole);
        hole = slot;
      }
      if (++slot === size) slot = 0;
    }
    tags[hole] = 0;
    this.count--;
    if (this.count === 0) this.#take(0);
  }

  clear(): void {
    for (let slot = 0; slot < this.#tags.length; slot++)
      if (this.#tags[slot]! > LAPSED) this.#meterOf(slot).live--;
    this.count = 0;
    this.#take(0);
  }

  /** Whether the counter had no room when it was last asked: a flood of other keys cannot push it out (R-RL-17). */
  isBlocked(number: number): boolean {
    return (this.#tags[number]! & BLOCKED) !== 0;
  }

  markBlocked(number: number, blocked: boolean): void {
    const tag = this.#tags[number]!;
    const marked = blocked ? tag | BLOCKED : tag & ~BLOCKED;
    if (marked !== tag) this.#tags[number] = marked;
  }

  /** Looks at the next few slots and removes records that have lapsed; tells how many went. */
  sweepSome(moment: Moment, steps: number): number {
    let removed = 0;
    for (let step = 0; step < steps && this.count > 0; step++) {
      const number = this.#next();
      if (!this.#hasLapsed(number, moment)) continue;
      this.remove(number);
      // Another record may have taken its place.
      this.#hand = number;
      removed++;
    }
    return removed;
  }

  /** Removes all records that have lapsed, and gives back what they took; tells how many went. */
  sweep(moment: Moment): number {
    const tags = this.#tags;
    let lapsed = 0;
    for (let slot = 0; slot < tags.length; slot++) {
      if (!this.#hasLapsed(slot, moment)) continue;
      this.#meterOf(slot).live--;
      tags[slot] = LAPSED;
      lapsed++;
    }
    const left = this.count - lapsed;
    if (left === 0) {
      if (lapsed > 0) this.clear();
      return lapsed;
    }
    this.count = left;
    if (tags.length > Math.max(left * EMPTY, MIN_SLOTS * ROOMY)) this.#rebuild(left);
    else if (lapsed > 0) this.#closeUp();
    return lapsed;
  }

  /** Takes out all records that are marked as lapsed and moves later ones of their runs back, in one round from a slot that was free before. */
  #closeUp(): void {
    const { words } = this;
    const tags = this.#tags;
    const size = tags.length;
    let slot = tags.indexOf(0);
    for (let left = size - 1; left > 0; left--) {
      if (++slot === size) slot = 0;
      const tag = tags[slot]!;
      if (tag === 0) continue;
      tags[slot] = 0;
      if (tag === LAPSED) continue;
      const free = this.#freeSlot(homeOfRecord(words, slot, size));
      tags[free] = tag;
      if (free !== slot) copyRecord(words, slot, words, free);
    }
  }

  /**
   * Which record may go to make room: a lapsed one, or else the least recently used of the next few that blocks
   * nobody and is not pinned; -1 if none may.
   */
  victim(moment: Moment, sample: number, isPinned: (number: number) => boolean): number {
    let victim = -1;
    let oldest = -1;
    let looked = 0;
    for (let step = this.#tags.length; step > 0 && looked < sample; step--) {
      const number = this.#next();
      if (this.#tags[number] === 0) continue;
      looked++;
      if (isPinned(number)) continue;
      const idle = idleOfRecord(this, number, this.#meterOf(number), moment);
      if (idle < 0) return number;
      if (idle <= oldest || this.isBlocked(number)) continue;
      victim = number;
      oldest = idle;
    }
    return victim;
  }

  #hasLapsed(slot: number, moment: Moment): boolean {
    return this.#tags[slot] !== 0 && idleOfRecord(this, slot, this.#meterOf(slot), moment) < 0;
  }

  #meterOf(slot: number): CounterMeter {
    return this.meters.at(this.words[slot * RECORD_WORDS + METER]! & 0xffff);
  }

  #take(slots: number): void {
    this.words = new Uint32Array(slots * RECORD_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
    this.#tags = new Uint16Array(slots);
  }

  #next(): number {
    if (this.#hand >= this.#tags.length) this.#hand = 0;
    return this.#hand++;
  }

  #freeSlot(home: number): number {
    const tags = this.#tags;
    const size = tags.length;
    let slot = home;
    while (tags[slot] !== 0) if (++slot === size) slot = 0;
    return slot;
  }

  #rebuild(records: number): void {
    const { words } = this;
    const tags = this.#tags;
    const fewest = Math.round(MIN_SLOTS * (1 + this.spread * (ROOMY / FULL - 1)));
    const size = Math.max(fewest, Math.ceil(records * ROOMY));
    this.#take(size);
    for (let from = 0; from < tags.length; from++) {
      if (tags[from]! <= LAPSED) continue;
      const slot = this.#freeSlot(homeOfRecord(words, from, size));
      this.#tags[slot] = tags[from]!;
      copyRecord(words, from, this.words, slot);
    }
  }
}

/** Word by word: for so few the methods of typed arrays take longer to begin. */
function copyRecord(source: Uint32Array, from: number, target: Uint32Array, to: number): void {
  const begin = from * RECORD_WORDS;
  const shift = (to - from) * RECORD_WORDS;
  for (let at = begin; at < begin + RECORD_WORDS; at++) target[at + shift] = source[at]!;
}

function tagOf(high: number, meter: CounterMeter): number {
  return ((high ^ meter.mix) & 0x7fff || 1) << 1;
}

function identityOf(high: number, meter: CounterMeter): number {
  return ((high & 0xffff_0000) | meter.number) >>> 0;
}

/**
 * Where a record would like to be: spread over any number of slots by the whole word. Records of one subject are neighbours, in groups of eight
 * limits: those of one request are numbered one after the other, and many limits must not make one long run.
 */
function homeOf(low: number, meter: number, size: number): number {
  const spread = (low ^ Math.imul(meter >>> NEIGHBOUR_BITS, 0x9e37_79b1)) >>> 0;
  return Math.floor((spread * size) / TWO_32);
}

function homeOfRecord(words: Uint32Array, slot: number, size: number): number {
  const at = slot * RECORD_WORDS;
  return homeOf(words[at + FINGERPRINT]!, words[at + METER]! & 0xffff, size);
}
