import { setTimeout as wait } from 'node:timers/promises';

import { Controller, Get, Injectable, type ModuleMetadata, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  SkipThrottle,
  Throttle,
  ThrottlerException,
  ThrottlerGuard,
  ThrottlerModule,
  type ThrottlerModuleOptions,
} from '@nestjs/throttler';
import {
  fromThrottlerOptions,
  type FromThrottlerSettings,
  Public,
  RateLimit,
  SecurityModule,
  type SecurityOptions,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare } from '../../support/bare-app.js';
import { type HttpResponse, send } from '../../support/http-client.js';

// Where an application that has moved notices it: each difference with what was before.

const MINUTE = 60_000;

@Controller()
@Public()
class Routes {
  @Get('a')
  a(): object {
    return {};
  }

  @Get('b')
  b(): object {
    return {};
  }
}

const GUARD = { provide: APP_GUARD, useClass: ThrottlerGuard };

afterEach(closeApps);

describe.each(ADAPTERS)('what changes with the module on %s', (adapter) => {
  const started = async (metadata: ModuleMetadata) => {
    const { port } = await startBare(adapter, { controllers: [Routes], providers: [GUARD], ...metadata });
    return async (path: string, times: number, headers: Record<string, string> = {}) => {
      const responses: HttpResponse[] = [];
      for (let i = 0; i < times; i += 1) responses.push(await send(port, 'GET', path, { headers }));
      return responses;
    };
  };
  const before = (options: ThrottlerModuleOptions, metadata: ModuleMetadata = {}) =>
    started({ imports: [ThrottlerModule.forRoot(options)], ...metadata });
  const after = (
    options: ThrottlerModuleOptions,
    metadata: ModuleMetadata = {},
    settings: FromThrottlerSettings = {},
    security: SecurityOptions = {},
  ) => {
    const rateLimit = fromThrottlerOptions(options, settings);
    return started({
      imports: [SecurityModule.forRoot({ https: 'off', logger: false, rateLimit, ...security })],
      ...metadata,
    });
  };
  const statuses = (responses: readonly HttpResponse[]) => responses.map(({ status }) => status);

  it('R-RL-01 the reset is a time, not seconds to wait', async () => {
    const [old] = await (await before([{ ttl: MINUTE, limit: 1 }]))('/a', 1);
    expect(old?.header('x-ratelimit-reset')).toBe('60');
    const [now] = await (await after([{ ttl: MINUTE, limit: 1 }]))('/a', 1);
    expect(Math.abs(Number(now?.header('x-ratelimit-reset')) - (Date.now() / 1_000 + 60))).toBeLessThan(3);
  });

  it('R-RL-03 headers of named limits have the standard names, and show the limit that ends first', async () => {
    const limits = () => [
      { name: 'short', ttl: 5_000, limit: 2 },
      { name: 'long', ttl: MINUTE, limit: 9 },
    ];
    const [old, , oldRefusal] = await (await before(limits()))('/a', 3);
    expect(old?.header('x-ratelimit-limit-short')).toBe('2');
    expect(oldRefusal?.header('retry-after-short')).toBe('5');
    const [now, , refusal] = await (await after(limits()))('/a', 3);
    expect(now?.header('x-ratelimit-limit-short')).toBeUndefined();
    expect([now?.header('x-ratelimit-limit'), now?.header('x-ratelimit-remaining')]).toEqual(['2', '1']);
    expect(refusal?.header('retry-after')).toMatch(/^[1-6]$/);
  });

  it('R-RL-04 a refusal is the envelope, with the headers of every response', async () => {
    const [, old] = await (await before([{ ttl: MINUTE, limit: 1 }]))('/a', 2);
    expect(old?.json).toEqual({ statusCode: 429, message: 'ThrottlerException: Too Many Requests' });
    const [, now] = await (await after([{ ttl: MINUTE, limit: 1 }]))('/a', 2);
    const retryAfter = Number(now?.header('retry-after'));
    expect(now?.json).toEqual({ error: { code: 'RATE_LIMITED', message: 'Too many requests', retryAfter } });
    expect(now?.header('x-ratelimit-remaining')).toBe('0');
  });

  it('R-RL-15 without blockDuration nobody waits longer than the window', async () => {
    const limit = { ttl: 2_000, limit: 1 };
    const times = async (get: Awaited<ReturnType<typeof started>>) => {
      const [first] = statuses(await get('/a', 1));
      await wait(1_400);
      const [second] = statuses(await get('/a', 1));
      await wait(1_000);
      return [first, second, ...statuses(await get('/a', 1))];
    };
    const [old, now, penalty] = await Promise.all([
      before([limit]).then(times),
      after([limit]).then(times),
      after([{ ...limit, blockDuration: 2_000 }]).then(times),
    ]);
    expect(old).toEqual([200, 429, 429]);
    expect(now).toEqual([200, 429, 200]);
    expect(penalty).toEqual([200, 429, 429]);
  });

  it('R-RL-04 a penalty is told in Retry-After, and is one step with the limits', async () => {
    const get = await after([
      { name: 'short', ttl: 500, limit: 1, blockDuration: 3_000 },
      { name: 'long', ttl: MINUTE, limit: 2 },
    ]);
    const [, refused] = await get('/a', 2);
    expect(refused?.header('retry-after')).toBe('3');
    await wait(800);
    const [blocked] = await get('/a', 1);
    expect(blocked?.status).toBe(429);
    expect(blocked?.header('retry-after')).toBe('3');
    await wait(2_300);
    // Neither refusal has taken from the long limit.
    const [again] = await get('/a', 1);
    expect([again?.status, again?.header('x-ratelimit-remaining')]).toEqual([200, '0']);
  });

  it('PITFALL-T5 R-RL-06 paths without a route count', async () => {
    expect(statuses(await (await before([{ ttl: MINUTE, limit: 2 }]))('/nowhere', 4))).toEqual([
      404, 404, 404, 404,
    ]);
    expect(statuses(await (await after([{ ttl: MINUTE, limit: 2 }]))('/nowhere', 4))).toEqual([
      404, 404, 429, 429,
    ]);
  });

  it('PITFALL-T4 by setting all routes share one counter, for each limit', async () => {
    const limits = [{ ttl: MINUTE, limit: 2 }];
    const each = await after(limits);
    expect(statuses([...(await each('/a', 2)), ...(await each('/b', 1))])).toEqual([200, 200, 200]);
    const shared = await after(limits, {}, { scope: 'application' });
    expect(statuses([...(await shared('/a', 2)), ...(await shared('/b', 1))])).toEqual([200, 200, 429]);
  });

  it('PITFALL-T6 @SkipThrottle() skips named limits too', async () => {
    @Controller()
    @Public()
    class Skipping extends Routes {
      @Get('a')
      @SkipThrottle()
      override a(): object {
        return {};
      }
    }
    const limits = () => [{ name: 'short', ttl: MINUTE, limit: 1 }];
    const metadata = { controllers: [Skipping] };
    expect(statuses(await (await before(limits(), metadata))('/a', 2))).toEqual([200, 429]);
    expect(statuses(await (await after(limits(), metadata))('/a', 2))).toEqual([200, 200]);
  });

  it('PITFALL-T6 a name that no limit has stops the boot', async () => {
    @Controller()
    @Public()
    class Misspelt extends Routes {
      @Get('a')
      @Throttle({ shrot: { limit: 1, ttl: MINUTE } })
      override a(): object {
        return {};
      }
    }
    const limits = () => [{ name: 'short', ttl: MINUTE, limit: 2 }];
    const metadata = { controllers: [Misspelt] };
    expect(statuses(await (await before(limits(), metadata))('/a', 3))).toEqual([200, 200, 429]);
    await expect(after(limits(), metadata)).rejects.toThrow('[throttler.unknown-name]');
  });

  it('PITFALL-T7 a tracker without an answer does not make all callers one', async () => {
    const getTracker = ({ account }: { account?: string }) => account ?? '';
    const options = () => ({ throttlers: [{ ttl: MINUTE, limit: 1 }], getTracker });
    const pair = async (imports: ModuleMetadata['imports']) => {
      const { port } = await startBare(adapter, {
        imports: imports!,
        controllers: [Routes],
        providers: [GUARD],
      });
      const from = (localAddress: string) => send(port, 'GET', '/a', { localAddress });
      return statuses([await from('127.0.0.2'), await from('127.0.0.3'), await from('127.0.0.3')]);
    };
    expect(await pair([ThrottlerModule.forRoot(options())])).toEqual([200, 429, 429]);
    const rateLimit = fromThrottlerOptions(options());
    const security = SecurityModule.forRoot({ https: 'off', logger: false, rateLimit });
    expect(await pair([security])).toEqual([200, 200, 429]);
  });

  it('R-RL-15 windows slide; by setting they are fixed, with a double burst where two meet', async () => {
    const limits = [{ ttl: 2_000, limit: 2 }];
    const atTheEdge = async (get: Awaited<ReturnType<typeof started>>) => {
      const first = statuses(await get('/a', 1));
      await wait(1_500);
      first.push(...statuses(await get('/a', 1)));
      await wait(700);
      return [...first, ...statuses(await get('/a', 2))];
    };
    const [sliding, fixed] = await Promise.all([
      after(limits).then(atTheEdge),
      after(limits, {}, { algorithm: 'fixed-window' }).then(atTheEdge),
    ]);
    expect(sliding).toEqual([200, 200, 200, 429]);
    expect(fixed).toEqual([200, 200, 200, 200]);
  });

  it('R-RL-21 R-RL-01 refuses at boot what cannot be kept', () => {
    const limit = { ttl: MINUTE, limit: 1 };
    const made = (options: ThrottlerModuleOptions) => () => fromThrottlerOptions(options);
    expect(made([{ ...limit, ignoreUserAgents: [/probe/] }])).toThrow('[throttler.ignore-user-agents]');
    expect(made({ throttlers: [limit], ignoreUserAgents: [] })).toThrow('[throttler.ignore-user-agents]');
    expect(made({ throttlers: [limit], setHeaders: false })).toThrow('[throttler.set-headers]');
    expect(made({ throttlers: [limit], ipv6SubnetPrefix: 60 })).toThrow('[throttler.ipv6-prefix]');
    expect(made([limit, limit])).toThrow('[throttler.duplicate-name]');
  });

  it('refuses at boot numbers that make no sense', async () => {
    await expect(after([{ ttl: MINUTE, limit: Number.NaN }])).rejects.toThrow('[rate-limit.limit]');
    await expect(after([{ ttl: 1.5, limit: 1 }])).rejects.toThrow('[rate-limit.window]');
    await expect(after([{ ttl: () => MINUTE, limit: 0 }])).rejects.toThrow('[rate-limit.limit]');
    await expect(after([{ ttl: MINUTE, limit: 1, blockDuration: -1 }])).rejects.toThrow(
      '[throttler.block-duration]',
    );
  });

  it('refuses at boot guards whose methods nobody would call', async () => {
    @Injectable()
    class CustomGuard extends ThrottlerGuard {
      protected override throwThrottlingException(): Promise<void> {
        throw new ThrottlerException('mine');
      }
    }
    const providers = [{ provide: APP_GUARD, useClass: CustomGuard }];
    const limits = [{ ttl: MINUTE, limit: 1 }];
    await expect(after(limits, { providers })).rejects.toThrow('overrides throwThrottlingException()');

    @Injectable()
    class AccountGuard extends ThrottlerGuard {
      protected override getTracker(): Promise<string> {
        return Promise.resolve('account');
      }
    }
    @Controller()
    @Public()
    @UseGuards(AccountGuard)
    class Guarded extends Routes {}
    await expect(after(limits, { controllers: [Guarded] })).rejects.toThrow('overrides getTracker()');
  });

  it('a function that computes no number is an error of the application, not a request without a limit', async () => {
    const failing = await after([{ ttl: MINUTE, limit: () => Number('many') }]);
    expect(statuses(await failing('/a', 1))).toEqual([500]);
    const nothing = await after([{ ttl: MINUTE, limit: () => 0 }]);
    expect(statuses(await nothing('/a', 2))).toEqual([429, 429]);
    const everything = await after([{ ttl: MINUTE, limit: () => Infinity }]);
    expect(statuses(await everything('/a', 3))).toEqual([200, 200, 200]);
  });

  it('@RateLimit() of a route stands in for the limits of the application', async () => {
    @Controller()
    @Public()
    class Mixed extends Routes {
      @Get('a')
      @RateLimit('3/minute')
      override a(): object {
        return {};
      }
    }
    const get = await after([{ ttl: MINUTE, limit: 1 }], { controllers: [Mixed] });
    expect(statuses(await get('/a', 4))).toEqual([200, 200, 200, 429]);
    expect(statuses(await get('/b', 2))).toEqual([200, 429]);
  });

  it('options go on taking what this module has of its own', async () => {
    const rateLimit = { ...fromThrottlerOptions([{ ttl: MINUTE, limit: 9 }]), address: '2/minute' as const };
    const get = await after([], {}, {}, { rateLimit });
    expect(statuses(await get('/a', 3))).toEqual([200, 200, 429]);
  });
});
