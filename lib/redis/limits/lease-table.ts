import type { LimitMeter } from '../../policy/limit-meter.js';
import type { LeasedCounter } from './lease.js';

/** Counters of which units may be here, by limit and subject. Never more than a number: others ask the server. */
export class LeaseTable implements Iterable<LeasedCounter> {
  readonly #byMeter = new Map<LimitMeter, Map<string, LeasedCounter>>();
  #size = 0;

  constructor(private readonly maxSize: number) {}

  get isFull(): boolean {
    return this.#size >= this.maxSize;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get(meter: LimitMeter, who: string): LeasedCounter | undefined {
    return this.#byMeter.get(meter)?.get(who);
  }

  /** A counter that is not there yet. */
  add(counter: LeasedCounter): void {
    const { meter, who } = counter;
    let counters = this.#byMeter.get(meter);
    if (counters === undefined) this.#byMeter.set(meter, (counters = new Map()));
    counters.set(who, counter);
    this.#size++;
  }

  delete({ meter, who }: LeasedCounter): void {
    const counters = this.#byMeter.get(meter);
    if (counters?.delete(who) !== true) return;
    this.#size--;
    if (counters.size === 0) this.#byMeter.delete(meter);
  }

  /** All; what is deleted meanwhile does no harm. */
  *[Symbol.iterator](): Generator<LeasedCounter> {
    for (const counters of this.#byMeter.values()) yield* counters.values();
  }
}
