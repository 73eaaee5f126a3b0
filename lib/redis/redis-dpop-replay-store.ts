import type { DpopReplayStore } from '../authentication/oauth2/dpop/dpop-replay-store.js';
import { connectionOver, type RedisClient, type RedisConnection } from './redis-connection.js';
import { RedisScript } from './redis-script.js';

/** Options of `RedisDpopReplayStore`. */
export interface RedisDpopReplayStoreOptions {
  /** What the names of all keys in Redis begin with: `'security:'` by default. */
  readonly prefix?: string;
}

const USE = new RedisScript("return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0");

/**
 * DPoP proofs that any node has seen, in Redis: one key each, which lapses with the proof (R-DP-06).
 *
 * @example
 * oauth2: { …, dpop: { replayStore: new RedisDpopReplayStore(client) } }
 */
export class RedisDpopReplayStore implements DpopReplayStore {
  readonly #connection: RedisConnection;
  readonly #prefix: string;

  /** @throws TypeError for a client of neither ioredis nor node-redis */
  constructor(client: RedisClient, { prefix = 'security:' }: RedisDpopReplayStoreOptions = {}) {
    this.#connection = connectionOver(client);
    this.#prefix = `${prefix}dpop:`;
  }

  async use(proof: string, ttlMs: number): Promise<boolean> {
    return (await this.#connection.run(USE, [this.#prefix + proof], [String(Math.ceil(ttlMs))])) === 1;
  }
}
