import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { DecisionBatches } from '../../lib/redis/limits/decision-batches.js';
import { ExactLimits } from '../../lib/redis/limits/exact-limits.js';
import { LimitNames } from '../../lib/redis/limits/limit-names.js';
import { LongerLife } from '../../lib/redis/limits/longer-life.js';
import { connectionOver } from '../../lib/redis/redis-connection.js';
import { chargedBy, type Decided, type Trace, traces } from '../rate-limit/limit-traces.js';
import { ReferenceLimiter } from '../rate-limit/reference-limiter.js';
import { chargeOf } from '../rate-limit/plain-charge.js';
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

let prefixes = 0;

/** A storage that is told the time. */
function open(): { limits: ExactLimits; at: (us: number) => void } {
  const connection = connectionOver(client);
  const names = new LimitNames(`history ${prefixes++}:`);
  let time = '';
  const batches = new DecisionBatches(
    connection,
    names,
    systemClock,
    new LongerLife(3_600_000, () => 1),
    () => time,
  );
  return { limits: new ExactLimits(connection, names, batches), at: (us) => (time = String(us)) };
}

async function play({ start, steps }: Trace, epochUs: number): Promise<void> {
  const { limits, at } = open();
  const reference = new ReferenceLimiter();
  const decided: Decided[] = [];
  let us = epochUs + start;
  for (const step of steps) {
    us += step.gapUs;
    at(us);
    if ('charges' in step) {
      const decision = await limits.consume(step.charges);
      const right = reference.consume(step.charges, us / 1_000);
      // Telling what differs takes longer than deciding.
      if (!isDeepStrictEqual(decision, right)) expect(decision).toEqual(right);
      decided.push({ charges: step.charges, decision });
    } else {
      const last = decided.at(-step.refunds);
      if (last === undefined) continue;
      await limits.refund(chargedBy(last), last.decision);
      reference.refund(chargedBy(last), last.decision);
    }
  }
}

/** Series of histories that are played side by side: none has to wait for another's round trips. */
const SERIES = 40;
const TODAY_US = 1_790_000_000_000_000;
/** Many times what it takes, for machines that are busy. */
const TIMEOUT_MS = 180_000;

/** Plays random histories, and tells the shortest that differs. @returns how many steps were compared */
async function compare(histories: fc.Arbitrary<Trace>, epochUs: number, count: number): Promise<number> {
  let compared = 0;
  const property = fc.asyncProperty(histories, async (trace) => {
    await play(trace, epochUs);
    compared += trace.steps.length;
  });
  // However little time is left for shortening one that differs.
  const bounds = { numRuns: count / SERIES, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true };
  await Promise.all(Array.from({ length: SERIES }, () => fc.assert(property, bounds)));
  return compared;
}

describe('a history played to counters in Redis and to the reference', () => {
  it(
    'R-RL-15 R-RL-10 100 000 random steps: the same decisions, of all algorithms, with several charges, looks, dry runs and refunds',
    async () => {
      const steps = await compare(traces({ large: true, length: 100 }), 0, 1_600);
      expect(steps).toBeGreaterThanOrEqual(100_000);
    },
    TIMEOUT_MS,
  );

  it(
    'R-RL-15 R-RL-16 the same where most charges find a counter of their turn, units lapse in between or are given back, and the clock steps back a little',
    async () => {
      const charges = [6_000, 60_000].map((windowMs) => chargeOf({ key: 's', limit: 40, windowMs, cost: 1 }));
      const gapUs = fc.oneof(
        { weight: 8, arbitrary: fc.nat({ max: 300_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: -700_000, max: 1_500_000 }) },
      );
      const charge = fc.record({ gapUs, charges: fc.subarray(charges, { minLength: 1 }) });
      const refund = fc.record({ gapUs, refunds: fc.integer({ min: 1, max: 60 }) });
      const step = fc.oneof({ weight: 6, arbitrary: charge }, { weight: 1, arbitrary: refund });
      const histories = fc.record({
        start: fc.constant(0),
        steps: fc.array(step, { minLength: 60, maxLength: 100 }),
      });
      expect(await compare(histories, TODAY_US, 200)).toBeGreaterThanOrEqual(200 * 60);
    },
    TIMEOUT_MS,
  );

  it(
    'R-RL-16 the same at times of our days, and where the clock of the server steps back by up to hours',
    async () => {
      const back = fc.record({
        trace: traces({ large: true, length: 60 }),
        every: fc.integer({ min: 2, max: 20 }),
        ms: fc.nat({ max: 7_200_000 }),
      });
      const histories = back.map(({ trace, every, ms }) => ({
        start: trace.start,
        steps: trace.steps.map((step, index) =>
          index % every === every - 1 ? { ...step, gapUs: -ms * 1_000 } : step,
        ),
      }));
      expect(await compare(histories, TODAY_US, 200)).toBeGreaterThanOrEqual(200 * 30);
    },
    TIMEOUT_MS,
  );
});
