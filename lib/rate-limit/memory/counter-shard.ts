import type { CounterMeters, CounterMeter } from './counter-meter.js';
import { idleOfRecord, type Moment } from './counter-record.js';
import {
  BLOCKED,
  DIGEST_SHIFT,
  FINGERPRINT,
  FREE,
  IDENTITY,
  LAPSED,
  METER_MASK,
  RECORD_WORDS,
} from './record-layout.js';

/** Most records of one shard. */
export const MAX_SHARD_RECORDS = 16_384;

const MIN_SLOTS = 16;
/** A shard with fewer slots than this for each record is rebuilt … */
const FULL = 1.2;
/** … and one with more too, late: memory that comes and goes makes V8 collect garbage, with pauses; … */
const EMPTY = 4;
/** … then it has so many. */
const ROOMY = 1.6;
const TWO_32 = 4_294_967_296;
const NEIGHBOUR_BITS = 3;

/**
 * Part of the counters: an open-addressing table of nothing but records, so that a check waits for memory once. That other records of a run
 * are looked at costs little: they follow each other. A shard is small enough to be rebuilt in less than a millisecond.
 *
 * A record's number is its slot. It changes when records are added or removed.
 */
export class CounterShard {
  count = 0;
  /** All records, one for each slot. */
  words = new Uint32Array(0);
  /** The same memory. */
  doubles = new Float64Array(0);
  #slots = 0;
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
    const { words } = this;
    const slots = this.#slots;
    if (slots === 0) return -1;
    const fingerprint = low >>> 0;
    const identity = identityOf(high, meter);
    for (let slot = homeOf(low, meter.number, slots); ;) {
      const at = slot * RECORD_WORDS;
      const word = words[at + IDENTITY]!;
      if (words[at + FINGERPRINT] === fingerprint && (word & ~BLOCKED) >>> 0 === identity) return slot;
      if (word === FREE) return -1;
      if (++slot === slots) slot = 0;
    }
  }

  /** Slot of a fresh record; the shard must not be full. Other records get other slots. */
  add(high: number, low: number, meter: CounterMeter): number {
    if ((this.count + 1) * FULL > this.#slots) this.#rebuild(this.count + 1);
    const slot = this.#freeSlot(homeOf(low, meter.number, this.#slots));
    const at = slot * RECORD_WORDS;
    this.words.fill(0, at, at + RECORD_WORDS);
    this.words[at + FINGERPRINT] = low;
    this.words[at + IDENTITY] = identityOf(high, meter);
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
    const slots = this.#slots;
    let hole = number;
    for (let slot = hole + 1 === slots ? 0 : hole + 1; identityAt(words, slot) !== FREE;) {
      const home = homeOfRecord(words, slot, slots);
      const fromHome = slot >= home ? slot - home : slot - home + slots;
      const fromHole = slot >= hole ? slot - hole : slot - hole + slots;
      if (fromHome >= fromHole) {
        copyRecord(words, slot, words, hole);
        hole = slot;
      }
      if (++slot === slots) slot = 0;
    }
    setIdentity(words, hole, FREE);
    this.count--;
    if (this.count === 0) this.#take(0);
  }

  clear(): void {
    for (let slot = 0; slot < this.#slots; slot++)
      if (isRecord(identityAt(this.words, slot))) this.#meterOf(slot).live--;
    this.count = 0;
    this.#take(0);
  }

  /** Whether the counter had no room when it was last asked: a flood of other keys cannot push it out (R-RL-17). */
  isBlocked(number: number): boolean {
    return (identityAt(this.words, number) & BLOCKED) !== 0;
  }

  markBlocked(number: number, blocked: boolean): void {
    const word = identityAt(this.words, number);
    const marked = (blocked ? word | BLOCKED : word & ~BLOCKED) >>> 0;
    if (marked !== word) setIdentity(this.words, number, marked);
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
    const slots = this.#slots;
    let lapsed = 0;
    for (let slot = 0; slot < slots; slot++) {
      if (!this.#hasLapsed(slot, moment)) continue;
      this.#meterOf(slot).live--;
      setIdentity(this.words, slot, LAPSED);
      lapsed++;
    }
    const left = this.count - lapsed;
    if (left === 0) {
      if (lapsed > 0) this.clear();
      return lapsed;
    }
    this.count = left;
    if (slots > Math.max(left * EMPTY, MIN_SLOTS * ROOMY)) this.#rebuild(left);
    else if (lapsed > 0) this.#closeUp();
    return lapsed;
  }

  /** Takes out all records that are marked as lapsed and moves later ones of their runs back, in one round from a slot that was free before. */
  #closeUp(): void {
    const { words } = this;
    const slots = this.#slots;
    let slot = this.#freeSlot(0);
    for (let left = slots - 1; left > 0; left--) {
      if (++slot === slots) slot = 0;
      const identity = identityAt(words, slot);
      if (identity === FREE) continue;
      const home = homeOfRecord(words, slot, slots);
      setIdentity(words, slot, FREE);
      if (identity === LAPSED) continue;
      const free = this.#freeSlot(home);
      if (free !== slot) copyRecord(words, slot, words, free);
      setIdentity(words, free, identity);
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
    for (let step = this.#slots; step > 0 && looked < sample; step--) {
      const number = this.#next();
      if (identityAt(this.words, number) === FREE) continue;
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
    return identityAt(this.words, slot) !== FREE && idleOfRecord(this, slot, this.#meterOf(slot), moment) < 0;
  }

  #meterOf(slot: number): CounterMeter {
    return this.meters.at(identityAt(this.words, slot) & METER_MASK);
  }

  #take(slots: number): void {
    this.words = new Uint32Array(slots * RECORD_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
    this.#slots = slots;
  }

  #next(): number {
    if (this.#hand >= this.#slots) this.#hand = 0;
    return this.#hand++;
  }

  #freeSlot(home: number): number {
    const { words } = this;
    const slots = this.#slots;
    let slot = home;
    while (identityAt(words, slot) !== FREE) if (++slot === slots) slot = 0;
    return slot;
  }

  #rebuild(records: number): void {
    const { words } = this;
    const before = this.#slots;
    const fewest = Math.round(MIN_SLOTS * (1 + this.spread * (ROOMY / FULL - 1)));
    const slots = Math.max(fewest, Math.ceil(records * ROOMY));
    this.#take(slots);
    for (let from = 0; from < before; from++)
      if (isRecord(identityAt(words, from)))
        copyRecord(words, from, this.words, this.#freeSlot(homeOfRecord(words, from, slots)));
  }
}

/** Word by word: for so few the methods of typed arrays take longer to begin. */
function copyRecord(source: Uint32Array, from: number, target: Uint32Array, to: number): void {
  const begin = from * RECORD_WORDS;
  const shift = (to - from) * RECORD_WORDS;
  for (let at = begin; at < begin + RECORD_WORDS; at++) target[at + shift] = source[at]!;
}

function identityAt(words: Uint32Array, slot: number): number {
  return words[slot * RECORD_WORDS + IDENTITY]!;
}

function setIdentity(words: Uint32Array, slot: number, identity: number): void {
  words[slot * RECORD_WORDS + IDENTITY] = identity;
}

/** Whether there is a record, and not one that is being taken out. */
function isRecord(identity: number): boolean {
  return (identity & METER_MASK) !== 0;
}

/** The lower bits of the upper half of the digest: its upper ones, which choose the shard, are the same for all records of one. */
function identityOf(high: number, meter: CounterMeter): number {
  return ((high << DIGEST_SHIFT) | meter.number) >>> 0;
}

/**
 * Where a record would like to be: spread over any number of slots by the whole word. Records of one subject are neighbours, in groups of eight
 * limits: those of one request are numbered one after the other, and many limits must not make one long run.
 */
function homeOf(low: number, meter: number, slots: number): number {
  const spread = (low ^ Math.imul(meter >>> NEIGHBOUR_BITS, 0x9e37_79b1)) >>> 0;
  return Math.floor((spread * slots) / TWO_32);
}

function homeOfRecord(words: Uint32Array, slot: number, slots: number): number {
  const fingerprint = words[slot * RECORD_WORDS + FINGERPRINT]!;
  return homeOf(fingerprint, identityAt(words, slot) & METER_MASK, slots);
}
