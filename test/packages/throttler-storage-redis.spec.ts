import { setTimeout as wait } from 'node:timers/promises';

import { Controller, Get, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { ThrottlerGuard, ThrottlerModule, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { Redis } from 'ioredis';
import { fromThrottlerOptions, Public, type RateLimitOptions } from 'nestjs-api-security';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { closeApps, startBare } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

// What @nest-lab/throttler-storage-redis 1.2.0 does by itself, and what this module does with the same storage or in its place.

const MINUTE = 60_000;

@Controller()
@Public()
class Routes {
  @Get('a')
  a(): object {
    return {};
  }
}

const bare = (options: ThrottlerModuleOptions): Promise<{ port: number }> => {
  const metadata: ModuleMetadata = {
    imports: [ThrottlerModule.forRoot(options)],
    controllers: [Routes],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  };
  return startBare('express', metadata, { forceCloseConnections: true });
};
const ours = (rateLimit: RateLimitOptions): Promise<{ port: number }> =>
  startSecured('express', { rateLimit }, { controllers: [Routes] });

async function statuses(port: number, times: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < times; i += 1) found.push((await send(port, 'GET', '/a')).status);
  return found;
}

describe('@nest-lab/throttler-storage-redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
    redis.on('error', () => undefined);
  });
  afterEach(closeApps);
  afterAll(async () => {
    redis.disconnect();
    await server.close();
  });
  const storage = () => new ThrottlerStorageRedisService(redis);

  describe('PITFALL-R1 PITFALL-R4 numbers that Redis does not take', () => {
    const limits = [
      ['no block', { ttl: MINUTE, limit: 1, blockDuration: () => 0 }],
      ['half a millisecond', { ttl: () => MINUTE + 0.5, limit: 1 }],
    ] as const;

    it.each(limits)('bare: %s ends in 500', async (_, limit) => {
      await redis.flushall();
      const { port } = await bare({ throttlers: [limit], storage: storage() });
      expect(await statuses(port, 2)).toContain(500);
    });

    it.each(limits)('ours: %s is a limit', async (_, limit) => {
      await redis.flushall();
      const options = fromThrottlerOptions({ throttlers: [limit], storage: storage() });
      const { port } = await ours({ ...options, onStoreFailure: 'closed' });
      expect(await statuses(port, 2)).toEqual([200, 429]);
    });
  });

  describe('PITFALL-R2 the edge of a window', () => {
    const limits = [{ ttl: 2_000, limit: 4 }];
    /** One hit opens the window, three come just before its end, and then as many as may. */
    async function passedAtTheEdge(port: number): Promise<number> {
      await statuses(port, 1);
      await wait(1_600);
      await statuses(port, 3);
      await wait(500);
      return (await statuses(port, 5)).filter((status) => status === 200).length;
    }

    it('bare: seven pass within half a second where four may in two', async () => {
      await redis.flushall();
      const { port } = await bare({ throttlers: limits, storage: storage() });
      expect(await passedAtTheEdge(port)).toBe(4);
    });

    it('R-RL-15 ours: as many as have become free', async () => {
      const { port } = await ours(fromThrottlerOptions(limits));
      expect(await passedAtTheEdge(port)).toBe(1);
    });
  });

  describe('PITFALL-R3 commands for three limits', () => {
    const throttlers = ['short', 'medium', 'long'].map((name, index) => ({
      name,
      ttl: MINUTE * (index + 1),
      limit: 100,
    }));

    async function scriptsRun(start: () => Promise<{ port: number }>): Promise<number> {
      const { port } = await start();
      await redis.config('RESETSTAT');
      await statuses(port, 5);
      const calls = /cmdstat_eval:calls=(\d+)/.exec(await redis.info('commandstats'));
      return Number(calls?.[1] ?? 0) / 5;
    }

    it('bare: one script for each limit, one after the other', async () => {
      expect(await scriptsRun(() => bare({ throttlers, storage: storage() }))).toBe(3);
    });

    it('ours over the same storage: no more than that', async () => {
      const options = fromThrottlerOptions({ throttlers, storage: storage() });
      expect(await scriptsRun(() => ours(options))).toBe(3);
    });
  });

  describe('PITFALL-R5 Redis is gone, with the settings that ioredis has by itself', () => {
    it(
      'bare: requests wait for seconds; R-RL-18 ours: they do not, and the limit holds',
      { timeout: 60_000 },
      async () => {
        const throttlers = [{ ttl: MINUTE, limit: 2 }];
        const [old, now] = await Promise.all([
          bare({ throttlers, storage: storage() }),
          ours(fromThrottlerOptions({ throttlers, storage: storage() })),
        ]);
        await server.stop();
        await wait(100);
        const started = performance.now();
        expect(await statuses(now.port, 4)).toEqual([200, 200, 429, 429]);
        expect(performance.now() - started).toBeLessThan(1_000);
        await expect(send(old.port, 'GET', '/a', { timeoutMs: 3_000 })).rejects.toThrow('no answer');
        await server.start();
      },
    );
  });
});
