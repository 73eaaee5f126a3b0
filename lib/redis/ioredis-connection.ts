import type { RedisConnection } from './redis-connection.js';
import { isUnknownScript, redisFailure } from './redis-failure.js';
import type { RedisScript } from './redis-script.js';

interface IoredisCommands {
  readonly status: string;
  evalsha(sha1: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(source: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** What is used of a `Redis` of ioredis. */
export interface IoredisClient extends IoredisCommands {
  duplicate(override: object): IoredisClient;
  connect(): Promise<unknown>;
  disconnect(): void;
  subscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** What is used of a `Cluster` of ioredis. */
export interface IoredisCluster extends IoredisCommands {
  nodes(role: 'master'): readonly IoredisClient[];
}

/** Tells a client of ioredis by its shape. */
export function isIoredis(client: unknown): client is IoredisClient | IoredisCluster {
  const { evalsha, status } = client as Partial<IoredisClient>;
  return typeof evalsha === 'function' && typeof status === 'string';
}

/** Speaks through ioredis. */
export class IoredisConnection implements RedisConnection {
  readonly #client: IoredisClient | IoredisCluster;

  constructor(client: IoredisClient | IoredisCluster) {
    this.#client = client;
  }

  get isCluster(): boolean {
    return 'nodes' in this.#client;
  }

  async run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const client = this.#client;
    try {
      return await client.evalsha(script.sha1, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknownScript(error)) throw redisFailure(client, client.status === 'ready', error);
    }
    try {
      return await client.eval(script.source, keys.length, ...keys, ...args);
    } catch (error) {
      throw redisFailure(client, client.status === 'ready', error);
    }
  }

  async listen(channel: string, heard: (message: string) => void, ended: () => void): Promise<() => void> {
    const subscriber = this.#node().duplicate({
      lazyConnect: true,
      enableOfflineQueue: true,
      retryStrategy: null,
      // A node of a cluster has none either, but its client may have been told to read from replicas.
      readOnly: false,
      keyPrefix: '',
    });
    let closed = false;
    const close = (): void => {
      closed = true;
      subscriber.disconnect();
    };
    // What an error means is told by the end of the connection.
    subscriber.on('error', () => undefined);
    subscriber.on('message', (_, message) => heard(String(message)));
    try {
      await subscriber.connect();
      await subscriber.subscribe(channel);
    } catch (error) {
      close();
      throw redisFailure(subscriber, true, error);
    }
    if (subscriber.status !== 'ready') throw new Error('the connection was lost');
    subscriber.on('end', () => {
      if (!closed) ended();
    });
    return close;
  }

  /** Any node hears what is published on another. */
  #node(): IoredisClient {
    const client = this.#client;
    if (!('nodes' in client)) return client;
    const nodes = client.nodes('master');
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    if (node === undefined) throw new Error('no node of the cluster is known');
    return node;
  }
}
