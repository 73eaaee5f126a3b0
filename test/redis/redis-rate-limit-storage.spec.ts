import { afterAll, beforeAll } from 'vitest';

import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../support/servers/redis.js';
import { type RedisSentinel, startRedisSentinel } from '../support/servers/redis-sentinel.js';
import { describeLimitStorage } from './limit-storage-contract.js';
import {
  ioredis,
  ioredisCluster,
  ioredisSentinel,
  iovalkey,
  iovalkeyCluster,
  nodeRedis,
  nodeRedisCluster,
  nodeRedisSentinel,
} from './redis-stores.js';

let server: RedisServer;
let cluster: RedisCluster;
let sentinel: RedisSentinel;
beforeAll(async () => {
  [server, cluster, sentinel] = await Promise.all([startRedis(), startRedisCluster(), startRedisSentinel()]);
});
afterAll(async () => {
  await Promise.all([server.close(), cluster.close(), sentinel.close()]);
});

describeLimitStorage('ioredis', () => ioredis(server));
describeLimitStorage('node-redis', () => nodeRedis(server));
describeLimitStorage('iovalkey', () => iovalkey(server));
describeLimitStorage('a cluster by ioredis', () => ioredisCluster(cluster));
describeLimitStorage('a cluster by node-redis', () => nodeRedisCluster(cluster));
describeLimitStorage('a cluster by iovalkey', () => iovalkeyCluster(cluster));
describeLimitStorage('Sentinel by ioredis', () => ioredisSentinel(sentinel));
describeLimitStorage('Sentinel by node-redis', () => nodeRedisSentinel(sentinel));
