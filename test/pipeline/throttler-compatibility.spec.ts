import { Controller, Get, Module } from '@nestjs/common';
import {
  SkipThrottle,
  Throttle,
  type ThrottlerStorage,
  ThrottlerGuard,
  ThrottlerStorageService,
} from '@nestjs/throttler';
import { UseGuards } from '@nestjs/common';
import { Public, RateLimit, SecurityModule, type SecurityOptions } from 'nestjs-api-security';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ADAPTERS, type Adapter, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';

@Controller()
@Public()
class ThrottledController {
  @Throttle({ default: { limit: 2, ttl: 60_000 } }) @Get('throttled') throttled() {
    return { ok: true };
  }

  @Throttle({ short: { limit: 2, ttl: 1_000 }, long: { limit: 3, ttl: 60_000 } }) @Get('named') named() {
    return { ok: true };
  }

  @SkipThrottle() @Get('skipped') skipped() {
    return { ok: true };
  }

  @SkipThrottle({ short: true }) @Get('skipped-by-name') skippedByName() {
    return { ok: true };
  }

  @UseGuards(ThrottlerGuard) @RateLimit('4/minute') @Get('guarded') guarded() {
    return { ok: true };
  }

  @Get('plain') plain() {
    return { ok: true };
  }
}

async function start(adapter: Adapter, rateLimit: NonNullable<SecurityOptions['rateLimit']>) {
  @Module({
    imports: [SecurityModule.forRoot({ logger: false, https: 'off', rateLimit })],
    controllers: [ThrottledController],
  })
  class AppModule {}
  const { port, close } = await startApp(adapter, AppModule);
  onTestFinished(close);
  return async (path: string, times: number) => {
    const statuses: number[] = [];
    for (let i = 0; i < times; i++) statuses.push((await send(port, 'GET', path)).status);
    return statuses;
  };
}

describe.each(ADAPTERS)('decorators and storages of @nestjs/throttler on %s', (adapter) => {
  it('PITFALL-T2 @Throttle() sets the limit, with the standard headers', async () => {
    const get = await start(adapter, {});
    expect(await get('/throttled', 3)).toEqual([200, 200, 429]);
    expect(await get('/named', 3)).toEqual([200, 200, 429]);
  });

  it('PITFALL-T6 @SkipThrottle() skips, whatever the limits are called', async () => {
    const get = await start(adapter, { read: '1/minute', address: '100/minute' });
    expect(await get('/skipped', 3)).toEqual([200, 200, 200]);
    expect(await get('/skipped-by-name', 3)).toEqual([200, 200, 200]);
  });

  it('PITFALL-T17 a ThrottlerGuard beside us counts nothing twice', async () => {
    const get = await start(adapter, {});
    expect(await get('/guarded', 5)).toEqual([200, 200, 200, 200, 429]);
  });

  it("takes a third party's ThrottlerStorage", async () => {
    const get = await start(adapter, { storage: new ThrottlerStorageService(), read: '2/minute' });
    expect(await get('/plain', 3)).toEqual([200, 200, 429]);
  });

  const failing: ThrottlerStorage = { increment: () => Promise.reject(new Error('down')) };
  const hanging: ThrottlerStorage = { increment: () => new Promise(() => undefined) };

  it.each([
    ['fails', failing],
    ['hangs', hanging],
  ])(
    'PITFALL-T9 PITFALL-T10 R-RL-18 a storage that %s leaves a local limit, never none, and no request hangs',
    async (_, storage) => {
      const started = Date.now();
      expect(await (await start(adapter, { storage, read: '2/minute' }))('/plain', 4)).toEqual([
        200, 200, 429, 429,
      ]);
      expect(Date.now() - started).toBeLessThan(3_000);
    },
  );

  it.each([
    ['fails', failing],
    ['hangs', hanging],
  ])('R-RL-18 CONTRACT-2 by option a storage that %s is 503', async (_, storage) => {
    expect(await (await start(adapter, { storage, onStoreFailure: 'closed' }))('/plain', 1)).toEqual([503]);
  });
});
