import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { RedisDpopReplayStore } from 'nestjs-api-security/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../support/servers/redis.js';
import { ioredis, ioredisCluster, nodeRedis, nodeRedisCluster } from './redis-stores.js';

let server: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
});
afterAll(async () => {
  await Promise.all([server.close(), cluster.close()]);
});

describe.each([
  ['ioredis', () => ioredis(server)],
  ['node-redis', () => nodeRedis(server)],
  ['a cluster by ioredis', () => ioredisCluster(cluster)],
  ['a cluster by node-redis', () => nodeRedisCluster(cluster)],
])('R-DP-06 RedisDpopReplayStore over %s', (_, open) => {
  it('R-DP-06 of many nodes that see one proof at once one takes it, until it lapses', async () => {
    const clients = await Promise.all([open(), open()]);
    try {
      const stores = clients.map(({ client }) => new RedisDpopReplayStore(client, { prefix: 'test:' }));
      const proof = randomUUID();
      const uses = Array.from({ length: 50 }, (__, i) => stores[i % 2]!.use(proof, 2_000));
      expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1);
      expect(await stores[0]!.use(randomUUID(), 200)).toBe(true);
      await sleep(2_300);
      expect(await stores[1]!.use(proof, 2_000)).toBe(true);
    } finally {
      for (const { close } of clients) close();
    }
  });
});
