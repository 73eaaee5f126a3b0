import { setTimeout as wait } from 'node:timers/promises';

import { Cluster, Redis } from 'ioredis';
import { createMeter, type LimitCharge } from 'nestjs-api-security';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PenaltyStorage } from '../../lib/rate-limit/throttler/penalty-storage.js';
import { registerThrottled } from '../../lib/rate-limit/throttler/throttled-meter.js';
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../support/servers/redis.js';

// The blockDuration of the throttler's limits, over counters that several nodes share.

let server: RedisServer;
let cluster: RedisCluster;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
});
afterAll(async () => {
  await Promise.all([server.close(), cluster.close()]);
});

const clients = {
  'one server': () => new Redis(server.url),
  'a cluster': () => new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))),
};

describe.each(Object.entries(clients))('penalties in Redis, %s', (_, connect) => {
  const short = createMeter({ bucket: 'short', limit: 1, windowMs: 500 });
  const long = createMeter({ bucket: 'long', limit: 5, windowMs: 60_000 });
  registerThrottled(short, 'short', 1_500);
  const charges: LimitCharge[] = [
    { meter: short, subject: 'caller', cost: 1 },
    { meter: long, subject: 'caller', cost: 1 },
  ];

  it('R-RL-10 R-RL-14 hold on every node, in one step with the limits, and end', async () => {
    const [mine, theirs] = [connect(), connect()];
    const [one, other] = [mine, theirs].map(
      (client) => new PenaltyStorage(new RedisRateLimitStorage(client)),
    );
    try {
      expect((await one!.consume(charges)).allowed).toBe(true);
      const refused = await one!.consume(charges);
      expect(refused.states[0]).toMatchObject({ allowed: false, remaining: 0, resetMs: 1_500 });
      await wait(700);
      const elsewhere = await other!.consume(charges);
      expect(elsewhere.states[0]?.allowed).toBe(false);
      expect(elsewhere.states[0]?.resetMs).toBeGreaterThan(400);
      await wait(900);
      expect((await other!.consume(charges)).states[1]).toMatchObject({ allowed: true, remaining: 3 });
    } finally {
      mine.disconnect();
      theirs.disconnect();
    }
  });
});
