import { afterAll, beforeAll } from 'vitest';

import { RedisTokenStore } from '../../lib/redis/redis-token-store.js';
import { describeApiKeyStore } from '../authentication/api-key/store-contract.js';
import { describeAuthorizationStore } from '../authorization-server/store-contract.js';
import { describeTokenProcesses } from '../authentication/jwt/token-processes.js';
import { describeTokenStore } from '../authentication/jwt/token-store-contract.js';
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../support/servers/redis.js';
import {
  ioredis,
  ioredisCluster,
  nodeRedis,
  nodeRedisCluster,
  openAuthorizationStore,
  openStore,
  openTokenStore,
} from './redis-stores.js';

let server: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
});
afterAll(async () => {
  await Promise.all([server.close(), cluster.close()]);
});

const subscribes = { subscribes: true };
describeApiKeyStore('Redis by ioredis', () => openStore(() => ioredis(server)), subscribes);
describeApiKeyStore('Redis by node-redis', () => openStore(() => nodeRedis(server)), subscribes);
describeApiKeyStore('a Redis cluster by ioredis', () => openStore(() => ioredisCluster(cluster)), subscribes);
describeApiKeyStore(
  'a Redis cluster by node-redis',
  () => openStore(() => nodeRedisCluster(cluster)),
  subscribes,
);

describeTokenStore('Redis by ioredis', () => openTokenStore(() => ioredis(server)), subscribes);
describeTokenStore('Redis by node-redis', () => openTokenStore(() => nodeRedis(server)), subscribes);
describeTokenStore(
  'a Redis cluster by ioredis',
  () => openTokenStore(() => ioredisCluster(cluster)),
  subscribes,
);
describeTokenStore(
  'a Redis cluster by node-redis',
  () => openTokenStore(() => nodeRedisCluster(cluster)),
  subscribes,
);

describeAuthorizationStore('Redis by ioredis', () => openAuthorizationStore(() => ioredis(server)));
describeAuthorizationStore('Redis by node-redis', () => openAuthorizationStore(() => nodeRedis(server)));
describeAuthorizationStore('a Redis cluster by ioredis', () =>
  openAuthorizationStore(() => ioredisCluster(cluster)),
);
describeAuthorizationStore('a Redis cluster by node-redis', () =>
  openAuthorizationStore(() => nodeRedisCluster(cluster)),
);

let places = 0;
describeTokenProcesses('Redis', () => {
  const prefix = `processes ${places++}:`;
  const { url } = server;
  return { url, prefix, open: () => RedisTokenStore.open(url, { prefix }) };
});
