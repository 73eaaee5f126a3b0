/** Numbers that look random and are the same in every run with the same seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to, but not, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0 up to, but not, `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** The time to the next of many independent events. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** A rank from 0 up to, but not, `end`, by Zipf's law with exponent 1: rank r is drawn in proportion to log(1 + 1/(r + 1)). */
  zipf(end: number): number {
    return Math.floor(Math.exp(this.next() * Math.log(end + 1))) - 1;
  }

  /** Different whole numbers below `end`, `count` of them or all. */
  some(count: number, end: number): number[] {
    const found = new Set<number>();
    while (found.size < Math.min(count, end)) found.add(this.below(end));
    return [...found];
  }
}
