import {
  FINGERPRINT_HIGH,
  FINGERPRINT_LOW,
  hasLapsed,
  initRecord,
  isBlocked,
  LAST_USED,
  RECORD_WORDS,
} from './counter-record.js';

const MIN_RECORDS = 8;
const MIN_SLOTS = 16;
const NOTHING = new Uint32Array(0);

/**
 * Part of the counters: records packed in one array, found through an open-addressing index. Grows by an eighth and gives
 * memory back as it empties; small enough that neither takes longer than a few milliseconds.
 */
export class CounterShard {
  words: Uint32Array = NOTHING;
  count = 0;
  /** Record number + 1 by slot; 0 is a free slot. */
  #slots: Uint16Array | Uint32Array = new Uint16Array(0);
  #hand = 0;

  /** Offset of the record in `words`, or -1. */
  find(high: number, low: number): number {
    const slots = this.#slots;
    if (slots.length === 0) return -1;
    const mask = slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot]!;
      if (number === 0) return -1;
      const at = (number - 1) * RECORD_WORDS;
      if (this.words[at + FINGERPRINT_LOW] === low >>> 0 && this.words[at + FINGERPRINT_HIGH] === high >>> 0)
        return at;
    }
  }

  /** Offset of a fresh record. */
  add(high: number, low: number, windowMs: number): number {
    if ((this.count + 1) * RECORD_WORDS > this.words.length)
      this.#resize(this.count + Math.max(MIN_RECORDS, this.count >> 3));
    if ((this.count + 1) * 4 > this.#slots.length * 3)
      this.#reindex(Math.max(MIN_SLOTS, this.#slots.length * 2));
    const at = this.count * RECORD_WORDS;
    initRecord(this.words, at, high, low, windowMs);
    this.count++;
    this.#insert(this.count);
    return at;
  }

  /** Removes the record at an offset; the last one takes its place. */
  remove(at: number): void {
    const last = (this.count - 1) * RECORD_WORDS;
    this.#unlink(at / RECORD_WORDS + 1);
    if (at !== last) {
      this.#unlink(this.count);
      this.words.copyWithin(at, last, last + RECORD_WORDS);
      this.#insert(at / RECORD_WORDS + 1);
    }
    this.count--;
    if (this.count === 0) {
      this.words = NOTHING;
      this.#slots = new Uint16Array(0);
    } else if (this.count * RECORD_WORDS * 2 < this.words.length && this.count > MIN_RECORDS) {
      this.#resize(this.count + (this.count >> 3));
      this.#reindex(slotsFor(this.count));
    }
  }

  /** Looks at the next few records and removes those that have lapsed; tells how many went. */
  sweep(now: number, steps: number): number {
    let removed = 0;
    for (let step = 0; step < steps && this.count > 0; step++) {
      if (this.#hand >= this.count) this.#hand = 0;
      const at = this.#hand * RECORD_WORDS;
      if (hasLapsed(this.words, at, now)) {
        this.remove(at);
        removed++;
      } else this.#hand++;
    }
    return removed;
  }

  /** Makes room: a lapsed record, or else the least recently used of a sample that blocks nobody (R-RL-17). */
  evict(now: number, sample: number): boolean {
    let victim = -1;
    let oldest = -1;
    for (let step = 0; step < Math.min(sample, this.count); step++) {
      if (this.#hand >= this.count) this.#hand = 0;
      const at = this.#hand++ * RECORD_WORDS;
      const idle = (now - this.words[at + LAST_USED]!) >>> 0;
      if (hasLapsed(this.words, at, now)) {
        victim = at;
        break;
      }
      if (idle <= oldest || isBlocked(this.words, at, now)) continue;
      victim = at;
      oldest = idle;
    }
    if (victim >= 0) this.remove(victim);
    return victim >= 0;
  }

  #insert(number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.words[(number - 1) * RECORD_WORDS + FINGERPRINT_LOW]! & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = number;
  }

  /** Frees a record's slot and moves later ones of its run back, so that no tombstones pile up. */
  #unlink(number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.words[(number - 1) * RECORD_WORDS + FINGERPRINT_LOW]! & mask;
    while (slots[hole] !== number) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.words[(slots[slot]! - 1) * RECORD_WORDS + FINGERPRINT_LOW]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = 0;
  }

  #resize(records: number): void {
    const words = new Uint32Array(records * RECORD_WORDS);
    words.set(this.words.subarray(0, this.count * RECORD_WORDS));
    this.words = words;
  }

  #reindex(size: number): void {
    this.#slots = size > 0xffff ? new Uint32Array(size) : new Uint16Array(size);
    for (let number = 1; number <= this.count; number++) this.#insert(number);
  }
}

function slotsFor(count: number): number {
  let size = MIN_SLOTS;
  while (count * 4 > size * 3) size *= 2;
  return size;
}
