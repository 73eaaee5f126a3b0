/** Counters of all nodes that are kept although they count no more; about 50 MB of a server's memory. */
const MAX_KEPT = 200_000;
/** Over which the rate of new counters is measured; milliseconds. */
const RATE_MS = 10_000;

/**
 * How much longer than they count counters are kept: a server drops what has expired by its clock, also when that has stepped forward. Where so many
 * counters are made that too many would be kept, each is kept as much shorter.
 */
export class LongerLife {
  /** Counters that this node has made in the last ten seconds, older ones for less. */
  #made = 0;
  #since = 0;

  /** @param longestMs 0 for none */
  constructor(
    private readonly longestMs: number,
    private readonly nodes: () => number,
  ) {}

  /** Milliseconds. */
  get ms(): number {
    const made = Math.max(1, this.#made * this.nodes());
    return Math.min(this.longestMs, Math.floor((RATE_MS * MAX_KEPT) / made));
  }

  /** @param now by the monotonic clock */
  add(made: number, now: number): void {
    this.#made = this.#made * Math.exp((this.#since - now) / RATE_MS) + made;
    this.#since = now;
  }
}
