import { warnOfEviction } from './eviction-warning.js';
import { closeRedis } from './open-redis.js';
import { connectionOver, type RedisClient, type RedisConnection } from './redis-connection.js';
import { RedisSubscription } from './redis-subscription.js';

/** What every store in Redis has: a connection, those who follow its changes, one warning of eviction, and its client if that is its own. */
export class StoreConnection {
  readonly redis: RedisConnection;
  readonly #subscriptions = new Set<RedisSubscription>();
  #ownClient: RedisClient | undefined;
  #warned = false;

  /**
   * @param anyKey leads to a server of the store
   * @param kept what would be lost there, for the warning
   * @throws TypeError for a client of neither ioredis nor node-redis
   */
  constructor(
    client: RedisClient,
    private readonly anyKey: string,
    private readonly kept: string,
  ) {
    this.redis = connectionOver(client);
  }

  /** The client is the store's own: `close()` closes it. */
  own(client: RedisClient): void {
    this.#ownClient = client;
  }

  /** Warns, once, of a server that may drop what the store keeps. */
  checkEviction(): void {
    if (this.#warned) return;
    this.#warned = true;
    // A server that cannot be asked now is asked the next time.
    void warnOfEviction(this.redis, this.anyKey, this.kept).catch(() => {
      this.#warned = false;
    });
  }

  /**
   * Follows a channel on a connection of its own. If that cannot be opened, or is lost, it is tried again and again.
   *
   * @param what is told there, for the warning that it is not heard yet
   * @param missed called once the connection is there again
   */
  async follow(
    channel: string,
    what: string,
    heard: (message: string) => void,
    missed: () => void,
  ): Promise<() => Promise<void>> {
    const subscription = new RedisSubscription(this.redis, channel, heard, missed);
    this.#subscriptions.add(subscription);
    this.checkEviction();
    await subscription.start().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : 'Redis failed';
      process.emitWarning(`${what} are not heard yet: ${reason}`, { code: 'REDIS_SUBSCRIPTION' });
    });
    return () => {
      subscription.stop();
      this.#subscriptions.delete(subscription);
      return Promise.resolve();
    };
  }

  /** Ends what follows, and closes the client if it is the store's own. */
  close(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.stop();
    this.#subscriptions.clear();
    const client = this.#ownClient;
    this.#ownClient = undefined;
    if (client) closeRedis(client);
    return Promise.resolve();
  }
}
