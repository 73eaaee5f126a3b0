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
  ThrottlerGuard,
  ThrottlerModule,
  ThrottlerStorage,
  ThrottlerStorageService,
  type ThrottlerModuleOptions,
} from '@nestjs/throttler';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare, type Adapter } from '../support/bare-app.js';
import { send, type HttpResponse } from '../support/http-client.js';

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
  });

  describe('PITFALL-T4 one limit over all routes', () => {
    it('bare: each route has the whole limit for itself', async () => {
      const { port } = await startBare(adapter, throttled([{ ttl: MINUTE, limit: 1 }]));
      expect(statuses([...(await get(port, '/a', 2)), ...(await get(port, '/b'))])).toEqual([200, 429, 200]);
    });
  });

  describe('PITFALL-T5 unknown routes', () => {
    it('bare: they are never limited', async () => {
      const { port } = await startBare(adapter, throttled([{ ttl: MINUTE, limit: 2 }]));
      expect(statuses(await get(port, '/nowhere', 6))).toEqual(Array(6).fill(404));
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
