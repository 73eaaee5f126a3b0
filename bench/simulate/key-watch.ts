/** Times in their order, of which only those of the last window are kept. */
class RecentTimes {
  #times: number[] = [];
  #first = 0;

  get size(): number {
    return this.#times.length - this.#first;
  }

  add(time: number): void {
    this.#times.push(time);
  }

  /** Forgets what is as old as `time` or older. */
  forget(time: number): void {
    while (this.#first < this.#times.length && this.#times[this.#first]! <= time) this.#first++;
    if (this.#first < 4_096 || this.#first * 2 < this.#times.length) return;
    this.#times = this.#times.slice(this.#first);
    this.#first = 0;
  }
}

/** One key under an exact sliding log over all nodes: what it may have, and what it got. */
export class KeyWatch {
  /** Requests that the log lets through. */
  allowed = 0;
  /** Requests that were let through. */
  admitted = 0;
  /** Most requests let through in any interval of one window. */
  busiest = 0;
  readonly #allowed = new RecentTimes();
  readonly #admitted = new RecentTimes();
  #busiestOfLate = 0;

  constructor(
    readonly limit: number,
    private readonly windowMs: number,
  ) {}

  /** Units above the limit, in the worst interval of one window. */
  get over(): number {
    return Math.max(0, this.busiest - this.limit);
  }

  arrive(time: number): void {
    this.#allowed.forget(time - this.windowMs);
    if (this.#allowed.size >= this.limit) return;
    this.#allowed.add(time);
    this.allowed++;
  }

  admit(time: number): void {
    this.#admitted.forget(time - this.windowMs);
    this.#admitted.add(time);
    this.admitted++;
    this.busiest = Math.max(this.busiest, this.#admitted.size);
    this.#busiestOfLate = Math.max(this.#busiestOfLate, this.#admitted.size);
  }

  /** The most that was let through in a window since this was last asked. */
  sample(time: number): number {
    const most = this.#busiestOfLate;
    this.#admitted.forget(time - this.windowMs);
    this.#busiestOfLate = this.#admitted.size;
    return Math.max(most, this.#admitted.size);
  }
}
