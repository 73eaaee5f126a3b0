import { Redis } from 'ioredis';
import { createMeter } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Lease } from '../../bench/simulate/lease-limiter.js';
import { LeaseStore } from '../../bench/simulate/lease-store.js';
import { Random } from '../../bench/simulate/random.js';
import { LEASE_MS, type Scenario } from '../../bench/simulate/scenario.js';
import { DECIDE } from '../../lib/redis/limits/decide-script.js';
import { LeasedCounter } from '../../lib/redis/limits/lease.js';
import { REFUND } from '../../lib/redis/limits/limit-scripts.js';
import { connectionOver } from '../../lib/redis/redis-connection.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

const KEY = 1;
const STEPS = 3_000;

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.close();
});

describe('the leases that are simulated, beside those of the Redis storage', () => {
  it.each([
    { windowMs: 60_000, limit: 1_200, nodes: 3 },
    { windowMs: 7_001, limit: 40, nodes: 2 },
    { windowMs: 3_600_000, limit: 1_440_000, nodes: 100 },
  ])(
    'R-RL-15 grants and takes back the same: $limit in $windowMs ms on $nodes nodes',
    async ({ windowMs, limit, nodes }) => {
      const redis = connectionOver(client);
      const name = `lease:${limit}`;
      const rule = `s${limit},${windowMs},${32 - Math.clz32(limit)},0;`;
      const scenario = { windowMs, limit, nodes, keys: 2 } as Scenario;
      const store = new LeaseStore(scenario);
      const random = new Random(limit);
      let unused: { at: number; permits: number }[] = [];
      let micros = 0;
      let refused = 0;
      for (let step = 0; step < STEPS; step++) {
        micros += Math.floor(random.exponential((1_500 * windowMs) / limit));
        if (unused.length > 0 && random.next() < 0.3) {
          const { at, permits } = unused.splice(random.below(unused.length), 1)[0]!;
          store.giveBack(KEY, at, permits);
          await redis.run(REFUND, [name], [`s${limit},${windowMs},${permits},${at}`]);
          continue;
        }
        const [needed, wanted] = [1 + random.below(3), 1 + random.below(limit)];
        const group = `l1,1,${needed},${wanted},${LEASE_MS},${nodes}`;
        const [, , , granted, , resetMs, at, restMs] = (await redis.run(
          DECIDE,
          ['clock', name],
          [String(micros), rule, '0', '3600000', '', '', '', group],
        )) as number[];
        const grant = store.take(KEY, micros / 1_000, needed, wanted, LEASE_MS);
        if (granted === 0) {
          refused++;
          expect([step, grant.granted, grant.resetMs]).toEqual([step, 0, resetMs]);
        } else {
          expect([step, grant.granted, grant.endsAt, grant.leaseMs]).toEqual([step, granted, at, restMs]);
          unused.push({ at: at!, permits: random.below(granted! + 1) });
          unused = unused.slice(-20);
        }
      }
      if (limit < 10_000) expect(refused).toBeGreaterThan(50);
    },
    60_000,
  );

  it('R-RL-15 learn the same from what became of a lease', () => {
    const random = new Random(9);
    const meter = createMeter({ bucket: 'b', limit: 500, windowMs: 60_000, mode: 'lease' });
    const counter = new LeasedCounter(meter, 'limit', 'who', 'tag', 'name');
    const lease = new Lease();
    const seen = new Set<number>();
    for (let now = 0; now < 3_000_000; now += random.exponential(600)) {
      counter.adapt(now);
      lease.adapt(now, meter.limit);
      expect([now, lease.wanted]).toEqual([now, counter.wanted]);
      seen.add(lease.wanted);
      const granted = random.below(lease.wanted + 1);
      const restMs = 1 + random.below(LEASE_MS);
      counter.accept({ granted, remaining: 1, resetMs: 1, at: 0, restMs }, now, now);
      Object.assign(lease, { granted, left: granted, from: now, until: now + restMs });
      const used = random.below(granted + 1);
      if (used === 0) continue;
      counter.take(used, now);
      lease.left -= used;
    }
    expect(seen.size).toBeGreaterThan(50);
  });
});
