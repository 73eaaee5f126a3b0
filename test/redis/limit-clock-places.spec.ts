import { Cluster, Redis } from 'ioredis';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { consume, tenAMinute } from '../rate-limit/plain-charge.js';
import { type RedisCluster, startRedis, startRedisCluster } from '../support/servers/redis.js';
import { type SteppedClock, steppedClock } from '../support/servers/stepped-clock.js';

const HOUR = 3_600_000;

it.each([300_000, -300_000])(
  'R-RL-16 a replica whose clock is %i ms off becomes the master, and nobody is freed',
  async (ms) => {
    const own = await steppedClock();
    own.set(ms);
    const [master, replica] = await Promise.all([
      startRedis({ settings: { 'repl-diskless-sync-delay': 0 } }),
      startRedis({ env: own.env }),
    ]);
    const toReplica = new Redis(replica.url);
    const moving = new Redis(master.url, { retryStrategy: () => 20 });
    moving.on('error', () => undefined);
    const storage = new RedisRateLimitStorage(moving);
    try {
      await toReplica.replicaof('127.0.0.1', master.port);
      await consume(storage, [tenAMinute({ cost: 10 })]);
      expect(await moving.wait(1, 5_000)).toBe(1);
      await toReplica.replicaof('NO', 'ONE');
      moving.options.port = replica.port;
      await master.stop();
      const { allowed, states } = await consume(storage, [tenAMinute()]);
      expect(allowed).toBe(false);
      expect(states[0]!.resetMs).toBeLessThanOrEqual(70_000);
    } finally {
      await storage.close();
      for (const one of [toReplica, moving]) one.disconnect();
      await Promise.all([master.close(), replica.close()]);
      own.close();
    }
  },
  30_000,
);

describe('R-RL-16 a cluster whose clocks are set', () => {
  let clock: SteppedClock;
  let cluster: RedisCluster;
  let toCluster: Cluster;
  beforeAll(async () => {
    clock = await steppedClock();
    cluster = await startRedisCluster(clock.env);
    toCluster = new Cluster(cluster.nodes.map(({ url }) => url));
  });
  afterAll(async () => {
    toCluster.disconnect();
    await cluster.close();
    clock.close();
  });

  it.each([HOUR, -HOUR])(
    'by %i ms frees nobody: what is known of a clock lies in the slot of its counters',
    async (ms) => {
      const [storage, other] = [1, 2].map(() => new RedisRateLimitStorage(toCluster, { prefix: `${ms}:` }));
      const full = Array.from({ length: 60 }, (_, i) => tenAMinute({ key: `subject ${i}`, cost: 10 }));
      try {
        for (const one of full) expect((await consume(storage!, [one])).allowed).toBe(true);
        for (const one of full) await consume(other!, [{ ...one, cost: 0 }]);
        clock.set(ms);
        for (const [i, one] of full.entries())
          expect((await consume(i % 2 === 0 ? storage! : other!, [one])).allowed).toBe(false);
        for (const one of full) expect((await consume(other!, [one])).allowed).toBe(false);
      } finally {
        await Promise.all([storage!.close(), other!.close()]);
        clock.set(0);
      }
    },
  );
});
