import type { LeasedCounter } from './lease.js';

/** Counters of which units may be here, by limit and subject. Never more than a number: others ask the server. */
export class LeaseTable implements Iterable<LeasedCounter> {
  readonly #byLimit = new Map<string, Map<string, LeasedCounter>>();
  #size = 0;

  constructor(private readonly maxSize: number) {}

  get isFull(): boolean {
    return this.#size >= this.maxSize;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get(limit: string, who: string): LeasedCounter | undefined {
    return this.#byLimit.get(limit)?.get(who);
  }

  /** A counter that is not there yet. */
  add(counter: LeasedCounter): void {
    const { limit, who } = counter;
    let counters = this.#byLimit.get(limit);
    if (counters === undefined) this.#byLimit.set(limit, (counters = new Map()));
    counters.set(who, counter);
    this.#size++;
  }

  delete({ limit, who }: LeasedCounter): void {
    const counters = this.#byLimit.get(limit);
    if (counters?.delete(who) !== true) return;
    this.#size--;
    if (counters.size === 0) this.#byLimit.delete(limit);
  }

  /** All; what is deleted meanwhile does no harm. */
  *[Symbol.iterator](): Generator<LeasedCounter> {
    for (const counters of this.#byLimit.values()) yield* counters.values();
  }
}
