import type { LimitState } from '../../rate-limit/rate-limit-storage.js';
import type { Grant, Hold, LeasedCounter } from './lease.js';

/** What became of a charge: units are held for it, it is refused, or the server has to be asked about it alone. */
export type Leasing = Hold | LimitState | 'exact';

interface Waiter {
  readonly cost: number;
  readonly resolve: (leasing: Leasing) => void;
  readonly reject: (error: unknown) => void;
}

/** Leases in a row that may be over when their answer comes; then each charge is decided by the server itself. */
const MAX_LATE = 2;

/** All who wait for units of one counter: one question to the server at a time is theirs, and each gets what it asked for or is told no. */
export class LeaseAsk {
  #waiting: Waiter[] = [];
  #sent: readonly Waiter[] = [];
  #late = 0;

  constructor(readonly counter: LeasedCounter) {}

  get isDone(): boolean {
    return this.#waiting.length === 0;
  }

  join(cost: number): Promise<Leasing> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ cost, resolve, reject });
    });
  }

  /** Whoever waits now goes along. @returns what the first needs, and what all need */
  leave(): string {
    this.#sent = this.#waiting;
    this.#waiting = [];
    const needed = this.#sent.reduce((sum, { cost }) => sum + cost, 0);
    return `${this.#sent[0]!.cost},${needed}`;
  }

  /** Hands out what was granted, in turn. Whoever can be told neither yes nor no waits on: never the first, unless the lease came too late. */
  serve({ granted, remaining, resetMs }: Grant, now: number, isLate: boolean): void {
    const least = this.#sent[0]!.cost;
    const all = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    const { counter } = this;
    if (isLate) this.#late++;
    for (const waiter of all) {
      const { cost, resolve } = waiter;
      const lease = counter.take(cost, now);
      if (lease !== undefined) resolve({ counter, lease, cost, now });
      else if (granted === 0 && cost === least) resolve({ allowed: false, remaining, resetMs });
      else if (this.#late >= MAX_LATE) resolve('exact');
      else this.#waiting.push(waiter);
    }
  }

  fail(error: unknown): void {
    for (const { reject } of [...this.#sent, ...this.#waiting]) reject(error);
  }
}
