import {
  blockedMs,
  FINGERPRINT_HIGH,
  FINGERPRINT_LOW,
  idleMs,
  RECORD_WORDS,
  usedUnits,
  WINDOW,
} from './counter-record.js';

/** Most records of one shard. */
export const MAX_SHARD_RECORDS = 0x3fff;

const NUMBER_BITS = 14;
const NUMBER_MASK = 0x3fff;
const PAGE_BITS = 9;
const PAGE_RECORDS = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_RECORDS - 1;
const MIN_PAGE_RECORDS = 16;
const MIN_SLOTS = 16;
const NO_SLOTS = new Uint32Array(0);

/**
 * Part of the counters: records packed densely in small pages, found through an open-addressing index. Growing adds a
 * page or doubles the last one; only the index is ever rebuilt, and a shard is small enough for that to take less than a millisecond.
 *
 * A slot holds 18 bits of the fingerprint and the record's number + 1, so that probing seldom touches a wrong record
 * and rebuilding touches none. Records have numbers from 0; removing one moves the last into its place.
 */
export class CounterShard {
  count = 0;
  #pages: Uint32Array[] = [];
  #slots = NO_SLOTS;
  #hand = 0;

  /** The page that holds a record. */
  page(number: number): Uint32Array {
    return this.#pages[number >>> PAGE_BITS]!;
  }

  /** Where in its page a record begins. */
  offset(number: number): number {
    return (number & PAGE_MASK) * RECORD_WORDS;
  }

  /** Number of the record with this fingerprint and window, or -1; any window if it is 0. */
  find(high: number, low: number, windowMs: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    if (mask < 0) return -1;
    const tag = (low << NUMBER_BITS) >>> NUMBER_BITS;
    for (let slot = tag & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === 0) return -1;
      if (entry >>> NUMBER_BITS !== tag) continue;
      const number = (entry & NUMBER_MASK) - 1;
      const words = this.page(number);
      const at = this.offset(number);
      if (
        words[at + FINGERPRINT_LOW] === low >>> 0 &&
        words[at + FINGERPRINT_HIGH] === high >>> 0 &&
        (windowMs === 0 || words[at + WINDOW] === windowMs)
      )
        return number;
    }
  }

  /** Number of a fresh record; the shard must not be full. */
  add(high: number, low: number, windowMs: number): number {
    const number = this.count;
    this.#extend();
    if ((number + 1) * 4 > this.#slots.length * 3) this.#rebuild(Math.max(MIN_SLOTS, this.#slots.length * 2));
    const words = this.page(number);
    const at = this.offset(number);
    words.fill(0, at, at + RECORD_WORDS);
    words[at + FINGERPRINT_HIGH] = high;
    words[at + FINGERPRINT_LOW] = low;
    words[at + WINDOW] = windowMs;
    this.#insert(((low << NUMBER_BITS) | (number + 1)) >>> 0);
    this.count++;
    return number;
  }

  /** Removes a record; the last one takes its place. */
  remove(number: number): void {
    const last = this.count - 1;
    this.#unlink(this.#slotOf(number));
    if (number !== last) {
      const slot = this.#slotOf(last);
      this.#slots[slot] = (this.#slots[slot]! & ~NUMBER_MASK) | (number + 1);
      const from = this.offset(last);
      this.page(number).set(this.page(last).subarray(from, from + RECORD_WORDS), this.offset(number));
    }
    this.count = last;
    this.#shrink();
  }

  clear(): void {
    this.count = 0;
    this.#pages = [];
    this.#slots = NO_SLOTS;
  }

  /** Looks at the next few records and removes those that have lapsed; tells how many went. */
  sweep(now: number, steps: number): number {
    let removed = 0;
    for (let step = 0; step < steps && this.count > 0; step++) {
      const number = this.#next();
      const words = this.page(number);
      const at = this.offset(number);
      blockedMs(words, at, now);
      if (usedUnits(words, at, now) > 0) continue;
      this.remove(number);
      this.#hand = number;
      removed++;
    }
    return removed;
  }

  /**
   * Which record may go to make room: a lapsed one, or else the least recently used of the next few that blocks
   * nobody and is not pinned; -1 if none may.
   */
  victim(now: number, sample: number, isPinned: (number: number) => boolean): number {
    let victim = -1;
    let oldest = -1;
    for (let step = Math.min(sample, this.count); step > 0; step--) {
      const number = this.#next();
      if (isPinned(number)) continue;
      const words = this.page(number);
      const at = this.offset(number);
      const idle = idleMs(words, at, now);
      if (idle < 0) return number;
      if (idle <= oldest || blockedMs(words, at, now) > 0) continue;
      victim = number;
      oldest = idle;
    }
    return victim;
  }

  #next(): number {
    if (this.#hand >= this.count) this.#hand = 0;
    return this.#hand++;
  }

  #insert(entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (entry >>> NUMBER_BITS) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry;
  }

  #slotOf(number: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.page(number)[this.offset(number) + FINGERPRINT_LOW]! & mask;
    while ((this.#slots[slot]! & NUMBER_MASK) !== number + 1) slot = (slot + 1) & mask;
    return slot;
  }

  /** Frees a slot and moves later ones of its run back, so that no tombstones pile up. */
  #unlink(freed: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = freed;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = (slots[slot]! >>> NUMBER_BITS) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = 0;
  }

  /** Makes room for one more record. */
  #extend(): void {
    const index = this.count >>> PAGE_BITS;
    const page = this.#pages[index];
    if (page === undefined) {
      this.#pages.push(new Uint32Array(MIN_PAGE_RECORDS * RECORD_WORDS));
    } else if (this.offset(this.count) >= page.length) {
      const doubled = new Uint32Array(page.length * 2);
      doubled.set(page);
      this.#pages[index] = doubled;
    }
  }

  /** Gives back what has become empty, with a margin so that a few keys coming and going cost nothing. */
  #shrink(): void {
    if (this.count === 0) {
      this.clear();
      return;
    }
    const last = this.#pages.length - 1;
    if (this.count + MIN_PAGE_RECORDS <= last * PAGE_RECORDS) this.#pages.pop();
    const size = this.#slots.length;
    if (size > MIN_SLOTS && this.count * 6 < size) this.#rebuild(size / 2);
  }

  #rebuild(size: number): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(size);
    for (const entry of old) if (entry !== 0) this.#insert(entry);
  }
}
