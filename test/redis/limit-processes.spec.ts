import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SlidingLog } from '../rate-limit/sliding-log.js';
import {
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../support/servers/redis.js';
import { transpiled } from '../support/transpiled.js';
import { LimitProcesses } from './limit-processes.js';

const ROUNDS = 20;
const LIMIT = 50;
const REQUESTS = 200;
/** Limits of the rounds with leases: as many rounds run at once, each with a subject of its own. */
const LEASED = [30, 100, 300, 900];
const ALGORITHMS = ['sliding-window', 'token-bucket', 'fixed-window', 'concurrency'] as const;

let server: RedisServer;
let cluster: RedisCluster;
let compiled: ReturnType<typeof transpiled>;
beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  compiled = transpiled(...LimitProcesses.sources);
});
afterAll(async () => {
  compiled.remove();
  await Promise.all([server.close(), cluster.close()]);
});

const places = [
  ['Redis', () => [server.url]],
  ['a Redis cluster', () => cluster.nodes.map(({ url }) => url)],
] as const;

describe.each(places)('processes that share limits in %s', (name, urlsOf) => {
  it.each([1, 3])(
    `R-RL-10 of ${REQUESTS} parallel requests from %i processes at a limit of ${LIMIT} exactly ${LIMIT} pass, ${ROUNDS} times over`,
    async (count) => {
      const processes = await LimitProcesses.start(
        compiled.folder,
        count,
        urlsOf(),
        `exact ${name} ${count}:`,
      );
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const algorithm = ALGORITHMS[round % ALGORITHMS.length]!;
          const meter = { bucket: 'test', algorithm, limit: LIMIT, windowMs: 3_600_000 };
          const passed = await processes.ask<number>((index) => ({
            meter,
            subject: `round ${round}`,
            atOnce: Math.floor(REQUESTS / count) + (index < REQUESTS % count ? 1 : 0),
          }));
          expect(
            passed.reduce((sum, one) => sum + one, 0),
            `round ${round}`,
          ).toBe(LIMIT);
        }
      } finally {
        await processes.end();
      }
    },
    120_000,
  );

  it(`R-RL-15 leases of three processes under load let no more than the limit through in any window, ${ROUNDS} times over`, async () => {
    const processes = await LimitProcesses.start(compiled.folder, 3, urlsOf(), `leased ${name}:`);
    const windowMs = 600;
    let [all, possible] = [0, 0];
    try {
      for (let first = 0; first < ROUNDS; first += LEASED.length) {
        const passed = await processes.askTogether<number[]>((index) =>
          LEASED.map((limit, i) => ({
            meter: { bucket: 'test', limit, windowMs, mode: 'lease' },
            subject: `round ${first + i}`,
            callers: [4, 10, 20][(index + first + i) % 3]!,
            forMs: 1_300,
            pauseMs: 4,
          })),
        );
        for (const [i, limit] of LEASED.entries()) {
          const times = passed.flatMap((answers) => answers[i]!);
          const log = new SlidingLog();
          for (const time of times) log.add('all', time, 1);
          const round = `round ${first + i}, limit ${limit}`;
          expect(log.busiest('all', windowMs), round).toBeLessThanOrEqual(limit);
          // With at most a seventh more than a window between one use of a unit and the next.
          all += Math.min(times.length, 2 * limit);
          possible += 2 * limit;
        }
      }
      // Nothing is over-admitted by an idle limiter either.
      expect(all / possible).toBeGreaterThan(0.6);
    } finally {
      await processes.end();
    }
  }, 120_000);
});
