import { type SecurityClock, systemClock } from '../clock.js';
import type { LimitMeter } from '../policy/limit-meter.js';
import { assertCountable } from '../rate-limit/assert-countable.js';
import type { LimitCharge, LimitDecision, RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import { warnOfEviction } from './eviction-warning.js';
import { DecisionBatches } from './limits/decision-batches.js';
import { ExactLimits } from './limits/exact-limits.js';
import { LeaseReturns } from './limits/lease-returns.js';
import { LeasedLimits } from './limits/leased-limits.js';
import { LimitNames } from './limits/limit-names.js';
import { LongerLife } from './limits/longer-life.js';
import { NodeCensus } from './limits/node-census.js';
import { RequestLimits } from './limits/request-limits.js';
import { closeRedis, openRedis } from './open-redis.js';
import { connectionOver, type RedisClient, type RedisConnection } from './redis-connection.js';

/** Options of `RedisRateLimitStorage`. */
export interface RedisRateLimitStorageOptions {
  /**
   * What the names of all keys in Redis begin with: `'security:'` by default. Applications and environments that share a server, and are not to
   * share limits, take one each (R-RL-20).
   */
  readonly prefix?: string;
  /**
   * Whose monotonic reading tells when a lease ends, and what has passed when the server's clock has stepped; the machine's own by default. What a
   * node's wall clock says decides nothing (R-RL-16).
   */
  readonly clock?: SecurityClock;
  /**
   * Steps of the server's clock up to so many milliseconds free nobody's counters: an hour by default. Counters are kept as much longer as that, since
   * the server drops what has expired by its clock, but never more than about 200 000 of them for it; 0 keeps none.
   */
  readonly clockStepMs?: number;
}

/**
 * Limits that hold across nodes, in Redis or Valkey: one server, Sentinel or a cluster, through the application's own client.
 *
 * All limits of a request are one atomic script call, together with those of other requests of the same turn of the event loop, by the clock of the
 * server (R-RL-10, R-RL-14, R-RL-16). Limits in the mode `lease` are taken to the node in batches and handed out there. `docs/redis.md` tells what
 * the server must be set to, and the bounds of a lease.
 *
 * @example
 * rateLimit: { read: '300/minute', storage: new RedisRateLimitStorage(client) }
 */
export class RedisRateLimitStorage implements RateLimitStorage {
  readonly #connection: RedisConnection;
  readonly #names: LimitNames;
  readonly #exact: ExactLimits;
  readonly #leased: LeasedLimits;
  readonly #requests: RequestLimits;
  readonly #census: NodeCensus;
  #started = false;
  #own: RedisClient | undefined;

  /** @throws TypeError for a client that is none of ioredis, iovalkey and node-redis */
  constructor(
    client: RedisClient,
    { prefix = 'security:', clock = systemClock, clockStepMs = 3_600_000 }: RedisRateLimitStorageOptions = {},
  ) {
    const connection = connectionOver(client);
    const names = new LimitNames(prefix);
    this.#connection = connection;
    this.#names = names;
    this.#census = new NodeCensus(connection, names.nodes);
    const life = new LongerLife(clockStepMs, () => this.nodes);
    const batches = new DecisionBatches(connection, names, clock, life);
    this.#exact = new ExactLimits(connection, names, batches);
    this.#leased = new LeasedLimits(names, batches, this.#census, new LeaseReturns(connection), clock);
    this.#requests = new RequestLimits(names, this.#exact, this.#leased);
  }

  /**
   * With a client of its own, of ioredis or else node-redis, which `close()` closes too.
   * @throws TypeError for a URL that does not begin with redis:// or rediss://
   */
  static async open(url: string, options?: RedisRateLimitStorageOptions): Promise<RedisRateLimitStorage> {
    const client = await openRedis(url);
    const storage = new RedisRateLimitStorage(client, options);
    storage.#own = client;
    return storage;
  }

  /** Storages that have announced themselves under this prefix in the last ten seconds; 1 until it is known. */
  get nodes(): number {
    return this.#census.count;
  }

  /** @throws RangeError for a cost that is no whole number, or a limit out of bounds: nothing is counted wrongly in silence */
  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    for (const charge of charges) assertCountable(charge);
    if (!this.#started) this.#start();
    return this.#requests.consume(charges);
  }

  /** Units of a lease that were handed out are not taken back. */
  refund(charges: readonly LimitCharge[], decision: LimitDecision): Promise<void> {
    return this.#requests.refund(charges, decision);
  }

  /** Forgets a counter, and what this node holds of it; what other nodes hold they may hand out. */
  async reset(meter: LimitMeter, subject: string): Promise<void> {
    this.#leased.forget(meter, subject);
    await this.#exact.reset(meter, subject);
  }

  /** Gives back what this node holds, withdraws it, and stops its timers. The client stays open, unless the storage has opened it. */
  async close(): Promise<void> {
    await Promise.all([this.#leased.close(), this.#census.stop()]);
    if (this.#own !== undefined) closeRedis(this.#own);
  }

  #start(): void {
    this.#started = true;
    this.#census.start();
    // Every counter expires, so all policies but one would drop some.
    warnOfEviction(this.#connection, this.#names.nodes, 'counters of rate limits', '').catch(() => {
      // Whoever asks for a decision hears of a server that is not there.
    });
  }
}
