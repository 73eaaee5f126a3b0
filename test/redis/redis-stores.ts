import { createClient, createCluster, createSentinel } from '@redis/client';
import { Cluster, Redis } from 'ioredis';
import { Cluster as ValkeyCluster, Redis as Valkey } from 'iovalkey';

import { RedisAuthorizationStore } from '../../lib/redis/redis-authorization-store.js';
import { RedisApiKeyStore } from '../../lib/redis/redis-api-key-store.js';
import type { RedisClient } from '../../lib/redis/redis-connection.js';
import { RedisTokenStore } from '../../lib/redis/redis-token-store.js';
import type { RedisSentinel } from '../support/servers/redis-sentinel.js';
import type { RedisServer } from '../support/servers/redis.js';
import type { OpenStore } from '../authentication/api-key/store-contract.js';
import type { OpenAuthorizationStore } from '../authorization-server/store-contract.js';
import type { OpenTokenStore } from '../authentication/jwt/token-store-contract.js';

/** A client that is connected, and how it is closed. */
export interface OpenClient {
  readonly client: RedisClient;
  readonly close: () => void;
}

export async function ioredis({ url }: Pick<RedisServer, 'url'>): Promise<OpenClient> {
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  return { client, close: () => client.disconnect() };
}

export async function nodeRedis({ url }: Pick<RedisServer, 'url'>): Promise<OpenClient> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  return { client, close: () => client.destroy() };
}

export async function ioredisCluster({
  nodes,
}: {
  readonly nodes: readonly Pick<RedisServer, 'url'>[];
}): Promise<OpenClient> {
  const client = new Cluster(
    nodes.map(({ url }) => url),
    { lazyConnect: true },
  );
  await client.connect();
  return { client, close: () => client.disconnect() };
}

export async function nodeRedisCluster({
  nodes,
}: {
  readonly nodes: readonly Pick<RedisServer, 'url'>[];
}): Promise<OpenClient> {
  const client = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
  client.on('error', () => undefined);
  await client.connect();
  return { client, close: () => client.destroy() };
}

export async function iovalkey({ url }: Pick<RedisServer, 'url'>): Promise<OpenClient> {
  const client = new Valkey(url, { lazyConnect: true });
  await client.connect();
  return { client, close: () => client.disconnect() };
}

export async function iovalkeyCluster({
  nodes,
}: {
  readonly nodes: readonly Pick<RedisServer, 'url'>[];
}): Promise<OpenClient> {
  const client = new ValkeyCluster(
    nodes.map(({ url }) => url),
    { lazyConnect: true },
  );
  await client.connect();
  return { client, close: () => client.disconnect() };
}

export async function ioredisSentinel({ host, name, port }: RedisSentinel): Promise<OpenClient> {
  const client = new Redis({ sentinels: [{ host, port }], name, lazyConnect: true });
  client.on('error', () => undefined);
  await client.connect();
  return { client, close: () => client.disconnect() };
}

export async function nodeRedisSentinel({ host, name, port }: RedisSentinel): Promise<OpenClient> {
  const client = createSentinel({ name, sentinelRootNodes: [{ host, port }] });
  client.on('error', () => undefined);
  await client.connect();
  return { client, close: () => void client.destroy() };
}

let stores = 0;

/** A store without keys on a server that may have others: each has a prefix of its own. */
export function openStore(connect: () => Promise<OpenClient>): Promise<OpenStore> {
  return openEmpty((client, prefix) => new RedisApiKeyStore(client, { prefix }), connect);
}

/** The same for tokens. */
export function openTokenStore(connect: () => Promise<OpenClient>): Promise<OpenTokenStore> {
  return openEmpty((client, prefix) => new RedisTokenStore(client, { prefix }), connect);
}

/** The same for an authorization server. */
export function openAuthorizationStore(connect: () => Promise<OpenClient>): Promise<OpenAuthorizationStore> {
  return openEmpty((client, prefix) => new RedisAuthorizationStore(client, { prefix }), connect);
}

async function openEmpty<T extends { close(): Promise<void> }>(
  make: (client: RedisClient, prefix: string) => T,
  connect: () => Promise<OpenClient>,
): Promise<{ store: T; another: () => Promise<T>; close: () => Promise<void> }> {
  const prefix = `test ${stores++}:`;
  const opened: OpenClient[] = [];
  const made: T[] = [];
  const another = async (): Promise<T> => {
    const one = await connect();
    opened.push(one);
    const store = make(one.client, prefix);
    made.push(store);
    return store;
  };
  return {
    store: await another(),
    another,
    close: async () => {
      await Promise.all(made.map((store) => store.close()));
      for (const { close } of opened) close();
    },
  };
}
