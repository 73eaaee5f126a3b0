import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DecisionBatches } from '../../lib/redis/limits/decision-batches.js';
import { ExactLimits } from '../../lib/redis/limits/exact-limits.js';
import { LimitNames } from '../../lib/redis/limits/limit-names.js';
import { connectionOver } from '../../lib/redis/redis-connection.js';
import { chargedBy, type Decided, type Trace, traces } from '../rate-limit/limit-traces.js';
import { ReferenceLimiter } from '../rate-limit/reference-limiter.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

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

let histories = 0;

/** A storage that is told the time. */
function open(): { limits: ExactLimits; at: (us: number) => void } {
  const connection = connectionOver(client);
  const names = new LimitNames(`history ${histories++}:`);
  let time = '';
  const batches = new DecisionBatches(connection, () => time);
  return { limits: new ExactLimits(connection, names, batches), at: (us) => (time = String(us)) };
}

async function play({ start, steps }: Trace, epochUs: number): Promise<number> {
  const { limits, at } = open();
  const reference = new ReferenceLimiter();
  const decided: Decided[] = [];
  let us = epochUs + start;
  for (const step of steps) {
    us += step.gapUs;
    at(us);
    if ('charges' in step) {
      const decision = await limits.consume(step.charges);
      expect(decision).toEqual(reference.consume(step.charges, us / 1_000));
      decided.push({ charges: step.charges, decision });
    } else {
      const last = decided.at(-step.refunds);
      if (last === undefined) continue;
      await limits.refund(chargedBy(last), last.decision);
      reference.refund(chargedBy(last), last.decision);
    }
  }
  return steps.length;
}

describe('a history played to counters in Redis and to the reference', () => {
  it('R-RL-15 R-RL-10 100 000 random steps: the same decisions, of all algorithms, with several charges, looks, dry runs and refunds', async () => {
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(traces({ large: true, length: 100 }), async (trace) => {
        steps += await play(trace, 0);
      }),
      { numRuns: 1_600 },
    );
    expect(steps).toBeGreaterThanOrEqual(100_000);
  }, 180_000);

  it('R-RL-16 the same at times of our days, and where the clock of the server steps back by up to hours', async () => {
    const back = fc.record({
      trace: traces({ large: true, length: 60 }),
      every: fc.integer({ min: 2, max: 20 }),
      ms: fc.nat({ max: 7_200_000 }),
    });
    await fc.assert(
      fc.asyncProperty(back, async ({ trace, every, ms }) => {
        const steps = trace.steps.map((step, index) =>
          index % every === every - 1 ? { ...step, gapUs: -ms * 1_000 } : step,
        );
        expect(await play({ ...trace, steps }, 1_790_000_000_000_000)).toBe(steps.length);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
