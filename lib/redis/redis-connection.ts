import {
  type IoredisClient,
  type IoredisCluster,
  IoredisConnection,
  isIoredis,
} from './ioredis-connection.js';
import {
  isNodeRedis,
  type NodeRedisClient,
  type NodeRedisCluster,
  NodeRedisConnection,
} from './node-redis-connection.js';
import type { RedisScript } from './redis-script.js';

/** A client of the application's: of ioredis 5 or 6, or of node-redis (`redis`, `@redis/client`), for one server or a cluster. */
export type RedisClient = IoredisClient | IoredisCluster | NodeRedisClient | NodeRedisCluster;

/** The little that is asked of Redis, whatever client speaks to it. Errors say what went wrong, and quote no arguments. */
export interface RedisConnection {
  /** Whether keys are spread over slots: then all keys of a script have to be in one. */
  readonly isCluster: boolean;
  /** Runs a script where its first key is, always on a master. Rejects when the server cannot be asked. */
  run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /**
   * Follows a channel on a connection of its own, which does not come back by itself.
   *
   * @param ended called once when that connection is lost, but not after it was closed
   * @returns closes it
   */
  listen(channel: string, heard: (message: string) => void, ended: () => void): Promise<() => void>;
}

/** Speaks through a client, which stays the application's: it is neither changed nor closed. @throws TypeError for anything else */
export function connectionOver(client: RedisClient): RedisConnection {
  if (isIoredis(client)) return new IoredisConnection(client);
  if (isNodeRedis(client)) return new NodeRedisConnection(client);
  throw new TypeError('this is neither a client of ioredis nor one of node-redis');
}
