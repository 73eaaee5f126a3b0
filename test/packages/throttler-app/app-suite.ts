import { setTimeout as wait } from 'node:timers/promises';

import type { DynamicModule, ExecutionContext, Type } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import {
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
  ThrottlerStorageService,
} from '@nestjs/throttler';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare } from '../../support/bare-app.js';
import { type HttpResponse, send } from '../../support/http-client.js';
import { startRedis } from '../../support/servers/redis.js';
import { CONTROLLERS, headersOf, PlainController } from './controllers.js';
import { TenantThrottlerGuard } from './guards.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const LIMITS = [
  { name: 'short', ttl: SECOND, limit: 3 },
  { name: 'medium', ttl: 10 * SECOND, limit: 6 },
  { name: 'long', ttl: MINUTE, limit: 100 },
];

/** For limits with other names than the decorators of the others know. */
const PLAIN = { controllers: [PlainController] };

/** A storage that the application wrote itself, and which knows what it was asked. */
class CountingStorage implements ThrottlerStorage {
  readonly names: string[] = [];
  readonly #inner = new ThrottlerStorageService();

  increment(...asked: Parameters<ThrottlerStorage['increment']>): ReturnType<ThrottlerStorage['increment']> {
    this.names.push(asked[4]);
    return this.#inner.increment(...asked);
  }
}

/**
 * The tests of an application on @nestjs/throttler, over HTTP and on both adapters. They say nothing of the module that does the limiting: the
 * application hands it in.
 *
 * @param limiting `ThrottlerModule.forRoot`, or what has come in its place
 */
export function throttlerAppSuite(
  title: string,
  limiting: (options: ThrottlerModuleOptions) => DynamicModule,
): void {
  describe.each(ADAPTERS)(`${title} on %s`, (adapter) => {
    afterEach(closeApps);

    async function start(
      options: ThrottlerModuleOptions = LIMITS,
      { guard = ThrottlerGuard, controllers = CONTROLLERS }: { guard?: Type; controllers?: Type[] } = {},
    ) {
      const { port } = await startBare(adapter, {
        imports: [limiting(options)],
        controllers,
        providers: [{ provide: APP_GUARD, useClass: guard }],
      });
      const get = (path: string, headers: Record<string, string> = {}) =>
        send(port, 'GET', path, { headers });
      const many = async (path: string, times: number, headers?: Record<string, string>) => {
        const responses: HttpResponse[] = [];
        for (let i = 0; i < times; i += 1) responses.push(await get(path, headers));
        return responses.map(({ status }) => status);
      };
      return { port, get, many };
    }

    it('refuses what is over the limit with 429, and goes on when the window is over', async () => {
      const { many } = await start();
      expect(await many('/cats', 4)).toEqual([200, 200, 200, 429]);
      await wait(1_100);
      expect(await many('/cats', 1)).toEqual([200]);
    });

    it('counts each route by itself', async () => {
      const { many } = await start();
      expect(await many('/cats', 4)).toEqual([200, 200, 200, 429]);
      expect(await many('/cats/other', 1)).toEqual([200]);
    });

    it('@Throttle() changes the limit that it names', async () => {
      const { many } = await start();
      expect(await many('/cats/search', 3)).toEqual([200, 200, 429]);
    });

    it('@Throttle() leaves the other limits in force', async () => {
      const { many } = await start();
      expect(await many('/cats/wide', 7)).toEqual([200, 200, 200, 200, 200, 200, 429]);
    });

    it('@Throttle() leaves what it does not say as the module has it', async () => {
      const { many } = await start();
      expect(await many('/cats/random', 2)).toEqual([200, 429]);
      await wait(1_100);
      expect(await many('/cats/random', 1)).toEqual([200]);
    });

    it('asks functions for the numbers of each request', async () => {
      const { many } = await start();
      expect(await many('/cats/planned', 3)).toEqual([200, 200, 429]);
      const fresh = await start();
      expect(await fresh.many('/cats/planned', 6, { 'x-plan': 'pro' })).toEqual([
        200, 200, 200, 200, 200, 429,
      ]);
    });

    it('counts whom getTracker names', async () => {
      const { many } = await start();
      expect(await many('/cats/mine', 2, { 'x-account': 'a' })).toEqual([200, 429]);
      expect(await many('/cats/mine', 2, { 'x-account': 'b' })).toEqual([200, 429]);
    });

    it('counts together what generateKey puts together', async () => {
      const { many } = await start();
      expect(await many('/exports/pdf', 2)).toEqual([200, 200]);
      expect(await many('/exports/csv', 1)).toEqual([429]);
    });

    it('refuses for the length of blockDuration, however short the window is', async () => {
      const { many } = await start();
      expect(await many('/cats/penalty', 2)).toEqual([200, 429]);
      await wait(700);
      expect(await many('/cats/penalty', 1)).toEqual([429]);
      await wait(1_000);
      expect(await many('/cats/penalty', 1)).toEqual([200]);
    });

    it('@SkipThrottle() lifts the limits of a controller, and a method takes that back', async () => {
      const { many } = await start();
      expect(await many('/status', 8)).toEqual(Array(8).fill(200));
      expect(await many('/status/deep', 4)).toEqual([200, 200, 200, 429]);
    });

    it('@SkipThrottle() lifts the limit that it names and no other', async () => {
      const { many } = await start();
      expect(await many('/reports', 7)).toEqual([200, 200, 200, 200, 200, 200, 429]);
    });

    it('counts logins by the account in the body', async () => {
      const { port } = await start();
      const login = async (email: string) =>
        (await send(port, 'POST', '/auth/login', { json: { email, password: 'x' } })).status;
      expect([
        await login('a@example.com'),
        await login('a@example.com'),
        await login('a@example.com'),
      ]).toEqual([200, 200, 429]);
      expect(await login('b@example.com')).toBe(200);
    });

    it('asks a guard of its own for whom to count, and whether', async () => {
      const { many } = await start([{ ttl: MINUTE, limit: 1 }], { ...PLAIN, guard: TenantThrottlerGuard });
      expect(await many('/plain', 2, { 'x-tenant': 'a' })).toEqual([200, 429]);
      expect(await many('/plain', 2, { 'x-tenant': 'b' })).toEqual([200, 429]);
      expect(await many('/plain', 3, { 'x-tenant': 'a', 'x-probe': 'yes' })).toEqual([200, 200, 200]);
    });

    it('lets pass what skipIf names', async () => {
      const skipIf = (context: ExecutionContext) => headersOf(context)['x-internal'] === 'yes';
      const { many } = await start({ throttlers: [{ ttl: MINUTE, limit: 1 }], skipIf }, PLAIN);
      expect(await many('/plain', 3, { 'x-internal': 'yes' })).toEqual([200, 200, 200]);
      expect(await many('/plain', 2)).toEqual([200, 429]);
    });

    it('takes the default of getTracker and of the numbers from the module', async () => {
      const getTracker = ({ headers }: { headers?: Record<string, string> }) =>
        headers?.['x-user'] ?? 'nobody';
      const throttlers = [{ ttl: () => MINUTE, limit: () => Promise.resolve(1) }];
      const { many } = await start({ throttlers, getTracker }, PLAIN);
      expect(await many('/plain', 2, { 'x-user': 'a' })).toEqual([200, 429]);
      expect(await many('/plain', 1, { 'x-user': 'b' })).toEqual([200]);
    });

    it('shows limit and rest of an unnamed limit, and tells a refused client when to come again', async () => {
      const { get } = await start([{ ttl: MINUTE, limit: 2 }], PLAIN);
      const first = await get('/plain');
      expect(first.header('x-ratelimit-limit')).toBe('2');
      expect(first.header('x-ratelimit-remaining')).toBe('1');
      await get('/plain');
      const refused = await get('/plain');
      expect(refused.status).toBe(429);
      expect(Number(refused.header('retry-after'))).toBeGreaterThan(50);
      expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(60);
    });

    it.each([
      ['text', 'Slow down, please'],
      [
        'a function',
        (_: ExecutionContext, { limit }: { limit: number }) => `Slow down, please: ${limit} a minute`,
      ],
    ])('tells the client the errorMessage, given as %s', async (_, errorMessage) => {
      const { get } = await start({ throttlers: [{ ttl: MINUTE, limit: 1 }], errorMessage }, PLAIN);
      await get('/plain');
      const { status, text } = await get('/plain');
      expect(status).toBe(429);
      expect(text).toContain('Slow down, please');
    });

    it('counts in the storage that the application has', async () => {
      const storage = new CountingStorage();
      const { many } = await start({ throttlers: LIMITS, storage });
      expect(await many('/cats', 4)).toEqual([200, 200, 200, 429]);
      // One question for each limit, until one refuses.
      expect(storage.names.slice(0, 3)).toEqual(['short', 'medium', 'long']);
      expect(storage.names).toHaveLength(10);
      expect(await many('/cats/penalty', 2)).toEqual([200, 429]);
      await wait(700);
      expect(await many('/cats/penalty', 1)).toEqual([429]);
    });

    describe('with @nest-lab/throttler-storage-redis', () => {
      let server: Awaited<ReturnType<typeof startRedis>>;
      let redis: Redis;
      beforeAll(async () => {
        server = await startRedis();
        redis = new Redis(server.url);
      });
      afterAll(async () => {
        redis.disconnect();
        await server.close();
      });

      it('counts in Redis, for all processes', async () => {
        const options = () => ({ throttlers: LIMITS, storage: new ThrottlerStorageRedisService(redis) });
        const [one, other] = [await start(options()), await start(options())];
        expect(await one.many('/cats', 2)).toEqual([200, 200]);
        expect(await other.many('/cats', 2)).toEqual([200, 429]);
        expect(await redis.dbsize()).toBeGreaterThan(2);
        await wait(1_200);
        expect(await other.many('/cats', 1)).toEqual([200]);
      });

      it('keeps a penalty there', async () => {
        const { many } = await start({
          throttlers: LIMITS,
          storage: new ThrottlerStorageRedisService(redis),
        });
        expect(await many('/cats/penalty', 2)).toEqual([200, 429]);
        await wait(700);
        expect(await many('/cats/penalty', 1)).toEqual([429]);
        await wait(1_000);
        expect(await many('/cats/penalty', 1)).toEqual([200]);
      });
    });
  });
}
