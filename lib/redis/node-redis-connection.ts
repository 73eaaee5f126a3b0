import type { RedisConnection } from './redis-connection.js';
import { isUnknownScript, redisFailure } from './redis-failure.js';
import type { RedisScript } from './redis-script.js';

interface ScriptInput {
  keys: string[];
  arguments: string[];
}

interface NodeRedisCommands {
  readonly isOpen: boolean;
  evalSha(sha1: string, input: ScriptInput): Promise<unknown>;
  eval(source: string, input: ScriptInput): Promise<unknown>;
}

/** What is used of a client that `createClient()` of node-redis made. */
export interface NodeRedisClient extends NodeRedisCommands {
  readonly isReady: boolean;
  readonly options?: { readonly socket?: object } | undefined;
  duplicate(overrides: object): NodeRedisClient;
  connect(): Promise<unknown>;
  destroy(): void;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** What is used of a client that `createCluster()` of node-redis made. */
export interface NodeRedisCluster<Node = unknown> extends NodeRedisCommands {
  readonly masters: readonly Node[];
  nodeClient(node: Node): unknown;
}

/** Tells a client of node-redis by its shape. */
export function isNodeRedis(client: unknown): client is NodeRedisClient | NodeRedisCluster {
  const { evalSha, isOpen } = client as Partial<NodeRedisClient>;
  return (
    typeof evalSha === 'function' &&
    typeof isOpen === 'boolean' &&
    ('isReady' in (client as object) || isCluster(client))
  );
}

function isCluster(client: unknown): client is NodeRedisCluster {
  return typeof (client as Partial<NodeRedisCluster>).nodeClient === 'function';
}

/** Speaks through node-redis. */
export class NodeRedisConnection implements RedisConnection {
  readonly #client: NodeRedisClient | NodeRedisCluster;

  constructor(client: NodeRedisClient | NodeRedisCluster) {
    this.#client = client;
  }

  get isCluster(): boolean {
    return isCluster(this.#client);
  }

  async run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const client = this.#client;
    const input = { keys: [...keys], arguments: [...args] };
    try {
      return await client.evalSha(script.sha1, input);
    } catch (error) {
      if (!isUnknownScript(error)) throw redisFailure(client, this.#isConnected(), error);
    }
    try {
      return await client.eval(script.source, input);
    } catch (error) {
      throw redisFailure(client, this.#isConnected(), error);
    }
  }

  async listen(channel: string, heard: (message: string) => void, ended: () => void): Promise<() => void> {
    const node = await this.#node();
    const subscriber = node.duplicate({
      clientSideCache: undefined,
      keyPrefix: undefined,
      disableOfflineQueue: false,
      socket: { ...node.options?.socket, reconnectStrategy: false },
    });
    let state: 'opening' | 'open' | 'closed' = 'opening';
    const close = (): void => {
      state = 'closed';
      subscriber.destroy();
    };
    subscriber.on('error', () => {
      const wasOpen = state === 'open';
      close();
      if (wasOpen) ended();
    });
    try {
      await subscriber.connect();
      await subscriber.subscribe(channel, heard);
    } catch (error) {
      close();
      throw redisFailure(subscriber, true, error);
    }
    if (!subscriber.isReady) throw new Error('the connection was lost');
    state = 'open';
    return close;
  }

  #isConnected(): boolean {
    return isCluster(this.#client) ? this.#client.isOpen : this.#client.isReady;
  }

  /** Any node hears what is published on another. */
  async #node(): Promise<NodeRedisClient> {
    const client = this.#client;
    if (!isCluster(client)) return client;
    const { masters } = client;
    const node = masters[Math.floor(Math.random() * masters.length)];
    if (node === undefined) throw new Error('no node of the cluster is known');
    return (await client.nodeClient(node)) as NodeRedisClient;
  }
}
