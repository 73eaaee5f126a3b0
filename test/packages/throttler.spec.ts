import {
  Controller,
  Get,
  Injectable,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  SkipThrottle,
  Throttle,
  ThrottlerGuard,
  ThrottlerModule,
  ThrottlerStorage,
  ThrottlerStorageService,
  type ThrottlerModuleOptions,
} from '@nestjs/throttler';
import {
  MemoryRateLimitStorage,
  Public,
  RateLimit,
  SecurityConfigurationError,
  SkipRateLimit,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare, type Adapter } from '../support/bare-app.js';
import { send, type HttpResponse } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

// What @nestjs/throttler 6.7.1 does by itself, and what this module does in the same place.

const MINUTE = 60_000;

@Controller()
class TwoRoutes {
  @Get('a')
  a(): object {
    return {};
  }

  @Get('b')
  b(): object {
    return {};
  }
}

@Controller()
@Public()
class PublicRoutes extends TwoRoutes {}

const PUBLIC: ModuleMetadata = { controllers: [PublicRoutes] };

const throttled = (
  throttler: ThrottlerModuleOptions,
  { imports = [], providers = [], controllers = [TwoRoutes] }: ModuleMetadata = {},
): ModuleMetadata => ({
  imports: [ThrottlerModule.forRoot(throttler), ...imports],
  controllers,
  providers: [...providers, { provide: APP_GUARD, useClass: ThrottlerGuard }],
});

async function get(port: number, path: string, times = 1, headers = {}): Promise<HttpResponse[]> {
  const responses: HttpResponse[] = [];
  for (let i = 0; i < times; i += 1) responses.push(await send(port, 'GET', path, { headers }));
  return responses;
}

const statuses = (responses: readonly HttpResponse[]): number[] => responses.map(({ status }) => status);

// Typed as a string, and undefined all the same when a request has no account.
const accountOf = (request: Record<string, string>): string => request['account'] ?? missing();
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const missing = (): string => undefined as unknown as string;

const callerOf = ({ headers }: { headers?: Record<string, string> }): string => headers?.['x-caller'] ?? '';

/** Five requests through one proxy, each claiming another address to its left. */
const forwarded = (port: number): Promise<HttpResponse[]> =>
  Promise.all(
    [1, 2, 3, 4, 5].map((n) =>
      send(port, 'GET', '/a', { headers: { 'x-forwarded-for': `203.0.113.${String(n)}, 198.51.100.7` } }),
    ),
  );

afterEach(closeApps);

describe.each(ADAPTERS)('@nestjs/throttler on %s', (adapter: Adapter) => {
  describe('PITFALL-T1 headers of a refusal', () => {
    it('bare: a 429 has Retry-After only, and a reset in seconds to come', async () => {
      const { port } = await startBare(adapter, throttled([{ ttl: MINUTE, limit: 1 }]));
      const [allowed, refused] = await get(port, '/a', 2);
      expect(allowed?.header('x-ratelimit-reset')).toBe('60');
      expect(refused?.status).toBe(429);
      expect(refused?.header('retry-after')).toBe('60');
      expect(refused?.header('x-ratelimit-limit')).toBeUndefined();
      expect(refused?.header('x-ratelimit-remaining')).toBeUndefined();
      expect(refused?.json).toHaveProperty('statusCode', 429);
    });

    it('ours: both answers have all three headers, with a reset in epoch seconds', async () => {
      const { port } = await startSecured(adapter, { rateLimit: { read: '1/minute' } }, PUBLIC);
      const [allowed, refused] = await get(port, '/a', 2);
      expect([allowed?.status, refused?.status]).toEqual([200, 429]);
      for (const response of [allowed, refused]) {
        expect(response?.header('x-ratelimit-limit')).toBe('1');
        expect(response?.header('x-ratelimit-remaining')).toBe('0');
        expect(Number(response?.header('x-ratelimit-reset'))).toBeGreaterThan(Date.now() / 1000);
      }
      const retryAfter = Number(refused?.header('retry-after'));
      expect(refused?.json).toMatchObject({ error: { code: 'RATE_LIMITED', retryAfter } });
    });
  });

  describe('PITFALL-T2 headers of several limits', () => {
    it('bare: no header has its standard name', async () => {
      const limits = [
        { name: 'short', ttl: 1000, limit: 1 },
        { name: 'long', ttl: MINUTE, limit: 9 },
      ];
      const { port } = await startBare(adapter, throttled(limits));
      const [allowed, refused] = await get(port, '/a', 2);
      expect(allowed?.header('x-ratelimit-reset-long')).toBeDefined();
      expect(allowed?.header('x-ratelimit-reset')).toBeUndefined();
      expect(refused?.status).toBe(429);
      expect(refused?.header('retry-after-short')).toBeDefined();
      expect(refused?.header('retry-after')).toBeUndefined();
    });

    it('ours: the limit closest to its end stands in the standard headers', async () => {
      const read = [
        { limit: 1, window: '1m' },
        { limit: 9, window: '1h' },
      ] as const;
      const { port } = await startSecured(adapter, { rateLimit: { read } }, PUBLIC);
      const [allowed, refused] = await get(port, '/a', 2);
      expect(allowed?.header('x-ratelimit-limit')).toBe('1');
      expect(refused?.status).toBe(429);
      expect(Number(refused?.header('retry-after'))).toBeGreaterThan(0);
      const names = Object.keys({ ...allowed?.headers, ...refused?.headers });
      expect(names.filter((name) => /^(x-ratelimit|retry-after)/.test(name)).toSorted()).toEqual([
        'retry-after',
        'x-ratelimit-limit',
        'x-ratelimit-remaining',
        'x-ratelimit-reset',
      ]);
    });
  });

  describe('PITFALL-T3 controllers of the same name', () => {
    it('bare: they share a counter', async () => {
      const { port } = await startBare(adapter, {
        ...throttled([{ ttl: MINUTE, limit: 1 }]),
        controllers: [itemsController('v1'), itemsController('v2')],
      });
      expect(statuses([...(await get(port, '/v1/items')), ...(await get(port, '/v2/items'))])).toEqual([
        200, 429,
      ]);
    });

    it('ours: each has its own', async () => {
      const controllers = [itemsController('v1'), itemsController('v2')];
      for (const controller of controllers) {
        Public()(controller);
        RateLimit('1/minute')(controller);
      }
      const { port } = await startSecured(adapter, {}, { controllers });
      const responses = [...(await get(port, '/v1/items')), ...(await get(port, '/v2/items', 2))];
      expect(statuses(responses)).toEqual([200, 200, 429]);
    });
  });

  describe('PITFALL-T4 one limit over all routes', () => {
    it('bare: each route has the whole limit for itself', async () => {
      const { port } = await startBare(adapter, throttled([{ ttl: MINUTE, limit: 1 }]));
      expect(statuses([...(await get(port, '/a', 2)), ...(await get(port, '/b'))])).toEqual([200, 429, 200]);
    });

    it('ours: they share it', async () => {
      const { port } = await startSecured(adapter, { rateLimit: { read: '1/minute' } }, PUBLIC);
      expect(statuses([...(await get(port, '/a')), ...(await get(port, '/b'))])).toEqual([200, 429]);
    });
  });

  describe('PITFALL-T5 unknown routes', () => {
    it('bare: they are never limited', async () => {
      const { port } = await startBare(adapter, throttled([{ ttl: MINUTE, limit: 2 }]));
      expect(statuses(await get(port, '/nowhere', 6))).toEqual(Array(6).fill(404));
    });

    it('ours: they count like any request', async () => {
      const { port } = await startSecured(adapter, { rateLimit: { address: '2/minute' } }, PUBLIC);
      expect(statuses(await get(port, '/nowhere', 4))).toEqual([404, 404, 429, 429]);
    });
  });

  describe('PITFALL-T6 skipping', () => {
    @Controller()
    class SkippedRoutes {
      @Get('skipped')
      @SkipThrottle()
      skipped(): object {
        return {};
      }
    }

    it('bare: a limit with a name is not skipped', async () => {
      const { port } = await startBare(
        adapter,
        throttled([{ name: 'short', ttl: MINUTE, limit: 1 }], { controllers: [SkippedRoutes] }),
      );
      expect(statuses(await get(port, '/skipped', 2))).toEqual([200, 429]);
    });

    it('ours: skip means skip, in both spellings', async () => {
      @Controller()
      @Public()
      class OpenRoutes extends SkippedRoutes {
        @Get('own')
        @SkipRateLimit()
        own(): object {
          return {};
        }
      }
      const metadata = { controllers: [OpenRoutes] };
      const { port } = await startSecured(adapter, { rateLimit: { read: '1/minute' } }, metadata);
      const responses = [...(await get(port, '/skipped', 2)), ...(await get(port, '/own', 2))];
      expect(statuses(responses)).toEqual([200, 200, 200, 200]);
    });
  });

  describe('PITFALL-T7 nobody to count', () => {
    it('bare: a tracker without a value makes all callers one', async () => {
      const { port } = await startBare(
        adapter,
        throttled({ throttlers: [{ ttl: MINUTE, limit: 1 }], getTracker: accountOf }),
      );
      const first = await send(port, 'GET', '/a', { localAddress: '127.0.0.2' });
      const other = await send(port, 'GET', '/a', { localAddress: '127.0.0.3' });
      expect(statuses([first, other])).toEqual([200, 429]);
    });

    it('ours: the address stands in', async () => {
      @Controller()
      @Public()
      @RateLimit({ limit: 1, window: '1m', by: missing })
      class OpenRoutes extends TwoRoutes {}
      const { port } = await startSecured(adapter, {}, { controllers: [OpenRoutes] });
      const from = (localAddress: string): Promise<HttpResponse> => send(port, 'GET', '/a', { localAddress });
      const responses = [await from('127.0.0.2'), await from('127.0.0.3'), await from('127.0.0.3')];
      expect(statuses(responses)).toEqual([200, 200, 429]);
    });
  });

  describe('PITFALL-T8 addresses from a proxy', () => {
    it('bare: the documented recipe lets a client name its own address', async () => {
      @Injectable()
      class ProxyGuard extends ThrottlerGuard {
        protected override getTracker({ ips, ip }: { ips?: string[]; ip: string }): Promise<string> {
          // Fastify lists the socket's address first and the client's claim last.
          const leftmost = adapter === 'express' ? ips?.at(0) : ips?.at(-1);
          return Promise.resolve(leftmost ?? ip);
        }
      }
      const { port } = await startBare(
        adapter,
        {
          imports: [ThrottlerModule.forRoot([{ ttl: MINUTE, limit: 1 }])],
          controllers: [TwoRoutes],
          providers: [{ provide: APP_GUARD, useClass: ProxyGuard }],
        },
        { trustProxy: true },
      );
      expect(statuses(await forwarded(port))).toEqual(Array(5).fill(200));
    });

    it('ours: only what trusted proxies say counts', async () => {
      const options = { rateLimit: { read: '1/minute' } } as const;
      const { port } = await startSecured(adapter, options, PUBLIC, { trustProxy: 'loopback' });
      expect(statuses(await forwarded(port)).toSorted((a, b) => a - b)).toEqual([200, 429, 429, 429, 429]);
    });

    it('ours: trust in everybody is refused at boot', async () => {
      await expect(startSecured(adapter, {}, PUBLIC, { trustProxy: true })).rejects.toThrow(
        'trusts every peer',
      );
    });
  });

  describe('PITFALL-T9 a store that fails', () => {
    it('bare: every request ends in 500', async () => {
      const storage: ThrottlerStorage = { increment: () => Promise.reject(new Error('connection refused')) };
      const { port } = await startBare(
        adapter,
        throttled({ throttlers: [{ ttl: MINUTE, limit: 1 }], storage }),
      );
      expect(statuses(await get(port, '/a', 2))).toEqual([500, 500]);
    });

    it('ours: the client learns that the decision has to wait', async () => {
      const storage: ThrottlerStorage = { increment: () => Promise.reject(new Error('connection refused')) };
      const { port } = await startSecured(
        adapter,
        { rateLimit: { read: '2/minute', storage, onStoreFailure: 'closed' } },
        PUBLIC,
      );
      const [response] = await get(port, '/a');
      expect(response?.status).toBe(503);
      expect(response?.header('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(response?.json).toMatchObject({ error: { code: 'UNAVAILABLE' } });
    });
  });

  describe('PITFALL-T10 a store that never answers', () => {
    it('bare: the request hangs with it', async () => {
      const storage: ThrottlerStorage = { increment: () => new Promise(() => undefined) };
      const { port } = await startBare(
        adapter,
        throttled({ throttlers: [{ ttl: MINUTE, limit: 1 }], storage }),
        {
          forceCloseConnections: true,
        },
      );
      await expect(send(port, 'GET', '/a', { timeoutMs: 1500 })).rejects.toThrow('no answer');
    });

    it('ours: the wait has an end', async () => {
      const storage: ThrottlerStorage = { increment: () => new Promise(() => undefined) };
      const { port } = await startSecured(
        adapter,
        { rateLimit: { read: '2/minute', storage, onStoreFailure: 'closed' } },
        PUBLIC,
      );
      const started = performance.now();
      expect((await send(port, 'GET', '/a', { timeoutMs: 1500 })).status).toBe(503);
      expect(performance.now() - started).toBeLessThan(1000);
    });
  });

  describe('PITFALL-T13 many callers', () => {
    it('bare: the store keeps all of them', async () => {
      const storage = new ThrottlerStorageService();
      const { port } = await startBare(
        adapter,
        throttled({ throttlers: [{ ttl: MINUTE, limit: 1 }], storage, getTracker: callerOf }),
      );
      for (let n = 0; n < 300; n += 1) await get(port, '/a', 1, { 'x-caller': String(n) });
      expect(storage.storage.size).toBe(300);
      expect(Object.keys(storage)).not.toContain('maxKeys');
    });

    it('ours: their number is capped, and a refused caller stays refused', async () => {
      const storage = new MemoryRateLimitStorage({ maxKeys: 1000 });
      const { port } = await startSecured(adapter, { rateLimit: { read: '1/minute', storage } }, PUBLIC);
      const from = (localAddress: string): Promise<HttpResponse> => send(port, 'GET', '/a', { localAddress });
      expect(statuses([await from('127.0.0.2'), await from('127.0.0.2')])).toEqual([200, 429]);
      for (let n = 0; n < 1200; n += 1) await from(`127.1.${String(n >> 8)}.${String(n & 255)}`);
      expect(storage.size).toBe(1000);
      expect((await from('127.0.0.2')).status).toBe(429);
    });
  });

  describe('PITFALL-T15 several limits', () => {
    it('bare: what one refuses still counts against the other', async () => {
      const limits = [
        { name: 'short', ttl: MINUTE / 2, limit: 4 },
        { name: 'long', ttl: MINUTE, limit: 1 },
      ];
      const { port } = await startBare(adapter, throttled(limits));
      const responses = await get(port, '/a', 4);
      expect(statuses(responses)).toEqual([200, 429, 429, 429]);
      const remaining = responses.map((response) => response.header('x-ratelimit-remaining-short'));
      expect(remaining).toEqual(['3', '2', '1', '0']);
    });

    it('R-RL-14 ours: a refused request counts against none', async () => {
      const short = { limit: 4, window: '30s', group: 'short' } as const;
      @Controller()
      @Public()
      class GroupedRoutes {
        @Get('a')
        @RateLimit([short, '1/minute'])
        a(): object {
          return {};
        }

        @Get('b')
        @RateLimit(short)
        b(): object {
          return {};
        }
      }
      const { port } = await startSecured(adapter, {}, { controllers: [GroupedRoutes] });
      expect(statuses(await get(port, '/a', 4))).toEqual([200, 429, 429, 429]);
      const [other] = await get(port, '/b');
      expect(other?.header('x-ratelimit-remaining')).toBe('2');
    });
  });

  describe('PITFALL-R1 PITFALL-R4 a store that takes whole milliseconds only', () => {
    /** As @nest-lab/throttler-storage-redis answers: what Redis cannot use as an expiry is an error. */
    const strict = (): ThrottlerStorage => {
      const inner = new ThrottlerStorageService();
      return {
        increment: (key, ttl, limit, blockDuration, name) =>
          [ttl, blockDuration].every((ms) => Number.isInteger(ms) && ms > 0)
            ? inner.increment(key, ttl, limit, blockDuration, name)
            : Promise.reject(new Error('ERR value is not an integer or invalid expire time')),
      };
    };

    it.each([
      ['no block', { ttl: MINUTE, limit: 1, blockDuration: 0 }],
      ['half a millisecond', { ttl: MINUTE + 0.5, limit: 1 }],
    ])('bare: %s ends in 500', async (_, limit) => {
      const { port } = await startBare(adapter, throttled({ throttlers: [limit], storage: strict() }));
      expect(statuses(await get(port, '/a', 2))).toEqual([500, 500]);
    });

    it('ours: the store gets whole numbers above zero, whatever a decorator says', async () => {
      @Controller()
      @Public()
      class ThrottledRoutes {
        @Get('a')
        @Throttle({ default: { ttl: MINUTE, limit: 1, blockDuration: 0 } })
        a(): object {
          return {};
        }
      }
      const options = { rateLimit: { storage: strict(), onStoreFailure: 'closed' } } as const;
      const { port } = await startSecured(adapter, options, { controllers: [ThrottledRoutes] });
      expect(statuses(await get(port, '/a', 2))).toEqual([200, 429]);
    });

    it('ours: half a millisecond is refused at boot', async () => {
      @Controller()
      @Public()
      class ThrottledRoutes {
        @Get('a')
        @Throttle({ default: { ttl: MINUTE + 0.5, limit: 1 } })
        a(): object {
          return {};
        }
      }
      await expect(startSecured(adapter, {}, { controllers: [ThrottledRoutes] })).rejects.toThrow(
        SecurityConfigurationError,
      );
    });
  });

  describe('PITFALL-T what a client says of itself', () => {
    const ignoreUserAgents = [/kube-probe/];

    it('bare: the name of a monitor lifts the limit', async () => {
      const { port } = await startBare(adapter, throttled([{ ttl: MINUTE, limit: 1, ignoreUserAgents }]));
      const responses = await get(port, '/a', 3, { 'user-agent': 'kube-probe/1.29' });
      expect(statuses(responses)).toEqual([200, 200, 200]);
    });

    it('R-RL-21 ours: there is no such option, and no such client', async () => {
      const rateLimit = { read: '1/minute' } as const;
      const { port } = await startSecured(adapter, { rateLimit }, PUBLIC);
      const responses = await get(port, '/a', 2, { 'user-agent': 'kube-probe/1.29' });
      expect(statuses(responses)).toEqual([200, 429]);
      const options = { rateLimit: { ...rateLimit, ignoreUserAgents } };
      await expect(startSecured(adapter, options, PUBLIC)).rejects.toThrow('rateLimit.ignoreUserAgents');
    });
  });

  describe('PITFALL-T a list of limits', () => {
    it('bare: the application’s own list is sorted in place', async () => {
      const limits = [
        { name: 'long', ttl: MINUTE, limit: 9 },
        { name: 'short', ttl: 1000, limit: 9 },
      ];
      await startBare(adapter, throttled(limits));
      expect(limits.map(({ name }) => name)).toEqual(['short', 'long']);
    });

    it('ours: it stays as it is, and may be frozen', async () => {
      const read = Object.freeze(['9/minute', '9/second'] as const);
      const { port } = await startSecured(adapter, { rateLimit: Object.freeze({ read }) }, PUBLIC);
      expect(statuses(await get(port, '/a'))).toEqual([200]);
      expect(read).toEqual(['9/minute', '9/second']);
    });
  });

  describe('PITFALL-T16 failed logins', () => {
    it('bare: behind an authentication guard none of them counts', async () => {
      @Injectable()
      class RefusingGuard implements CanActivate {
        canActivate(): boolean {
          throw new UnauthorizedException();
        }
      }
      const { port } = await startBare(
        adapter,
        throttled([{ ttl: MINUTE, limit: 2 }], {
          providers: [{ provide: APP_GUARD, useClass: RefusingGuard }],
        }),
      );
      expect(statuses(await get(port, '/a', 6))).toEqual(Array(6).fill(401));
    });

    it('ours: they have a limit of their own, before any key is looked at', async () => {
      const options = { rateLimit: { failedAuthentication: '2/minute' } } as const;
      const { port } = await startSecured(adapter, options, { controllers: [TwoRoutes] });
      const responses = await get(port, '/a', 4, { 'x-api-key': 'sk_live_nonsense' });
      expect(statuses(responses)).toEqual([401, 401, 429, 429]);
    });
  });

  describe('PITFALL-T17 the guard twice', () => {
    @Controller()
    @UseGuards(ThrottlerGuard)
    class GuardedTwice {
      @Get('a')
      a(): object {
        return {};
      }
    }

    it('bare: each request counts twice', async () => {
      const { port } = await startBare(
        adapter,
        throttled([{ ttl: MINUTE, limit: 4 }], { controllers: [GuardedTwice] }),
      );
      expect(statuses(await get(port, '/a', 4))).toEqual([200, 200, 429, 429]);
    });

    it('ours: each counts once, whatever guards are added', async () => {
      @Controller()
      @Public()
      class OpenGuarded extends GuardedTwice {}
      UseGuards(ThrottlerGuard)(OpenGuarded);
      const metadata = { controllers: [OpenGuarded] };
      const { port } = await startSecured(adapter, { rateLimit: { read: '4/minute' } }, metadata);
      expect(statuses(await get(port, '/a', 5))).toEqual([200, 200, 200, 200, 429]);
    });
  });
});

/** Each call makes a class of its own, with the same name. */
function itemsController(path: string): Type {
  @Controller(path)
  class ItemsController {
    @Get('items')
    list(): object {
      return {};
    }
  }
  return ItemsController;
}
