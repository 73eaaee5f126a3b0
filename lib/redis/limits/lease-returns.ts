import type { RedisConnection } from '../redis-connection.js';
import type { LeasedCounter } from './lease.js';
import { REFUND } from './limit-scripts.js';

/** Counters that one script gives units back to. */
const MAX_KEYS = 500;

interface Return {
  readonly counter: LeasedCounter;
  readonly at: number;
  readonly cost: number;
}

/** Gives units back that were taken in advance and not used, those of one turn of the event loop together. What cannot be given back lapses. */
export class LeaseReturns {
  readonly #connection: RedisConnection;
  #waiting: Return[] = [];

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** @param at when the units were counted, by the server's clock */
  add(counter: LeasedCounter, at: number, cost: number): void {
    if (this.#waiting.length === 0) setImmediate(() => void this.flush());
    this.#waiting.push({ counter, at, cost });
  }

  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    // On a cluster a script has one slot.
    const size = this.#connection.isCluster ? 1 : MAX_KEYS;
    const runs: Promise<unknown>[] = [];
    for (let i = 0; i < waiting.length; i += size) runs.push(this.#run(waiting.slice(i, i + size)));
    await Promise.allSettled(runs);
  }

  #run(returns: readonly Return[]): Promise<unknown> {
    const keys = returns.map(({ counter }) => counter.name);
    const args = returns.map(
      ({ counter: { meter }, at, cost }) => `s${meter.limit},${meter.windowMs},${cost},${at}`,
    );
    return this.#connection.run(REFUND, keys, args);
  }
}
