import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Body, Controller, Get, HttpException, Param, Post, Query, Res } from '@nestjs/common';
import { IsArray, IsInt, IsString, Max, MaxLength } from 'class-validator';
import {
  ApiKeyAuth,
  ApiKeyService,
  CurrentPrincipal,
  type Principal,
  Public,
  RateLimit,
  RateLimitPlans,
  SecurityEvents,
  type SecurityEvent,
  type SecurityOptions,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { ADAPTERS, type RunningApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class BatchDto {
  @IsArray()
  @IsInt({ each: true })
  @Max(9, { each: true })
  items!: number[];
}

class CardDto {
  @IsString()
  @MaxLength(20)
  card!: string;
}

class StatusQuery {
  @IsInt()
  status!: number;
}

@Controller()
@Public()
class LimitedController {
  running = 0;
  most = 0;

  @Get('bucket')
  @RateLimit({ limit: 60, window: '1m', algorithm: 'token-bucket', burst: 3 })
  bucket() {
    return {};
  }

  @Get('fixed')
  @RateLimit({ limit: 2, window: '300ms', algorithm: 'fixed-window' })
  fixed() {
    return {};
  }

  @Get('slow')
  @RateLimit({ limit: 10, algorithm: 'concurrency' })
  async slow() {
    this.most = Math.max(this.most, ++this.running);
    await sleep(150);
    this.running--;
    return {};
  }

  @Post('batch')
  @RateLimit({ limit: 10, window: '1m', cost: ({ body }) => (body as BatchDto).items.length })
  batch(@Body() { items }: BatchDto) {
    return { items };
  }

  @Post('weightless')
  @RateLimit({ limit: 10, window: '1m', cost: () => Number.NaN })
  weightless(@Body() card: CardDto) {
    return card;
  }

  @Post('by-field')
  @RateLimit({ limit: 1, window: '1m', by: [({ body }) => (body as CardDto).card, 'address'] })
  byField(@Body() card: CardDto) {
    return card;
  }

  @Get('by-header')
  @RateLimit({ limit: 1, window: '1m', by: ({ headers }) => String(headers['x-device']) })
  byHeader() {
    return {};
  }

  @Get('failures')
  @RateLimit({ limit: 2, window: '1m', countOnly: 'failures' })
  failures(@Query() { status }: StatusQuery) {
    if (status >= 400) throw new HttpException('asked for', status);
    return {};
  }

  @Get('successes')
  @RateLimit({ limit: 2, window: '1m', countOnly: 'successes' })
  successes(@Query() { status }: StatusQuery) {
    if (status >= 400) throw new HttpException('asked for', status);
    return {};
  }

  @Get('dry')
  @RateLimit([
    { limit: 1, window: '1m', name: 'tried', dryRun: true },
    { limit: 3, window: '1m', name: 'real' },
  ])
  dry() {
    return {};
  }

  @Get('dry-alone')
  @RateLimit({ limit: 1, window: '1m', name: 'alone', dryRun: true })
  dryAlone() {
    return {};
  }

  @Get('group/:id')
  @RateLimit({ limit: 2, window: '1m', group: 'shared' })
  one(@Param('id') id: string) {
    return { id };
  }

  @Post('group')
  @RateLimit({ limit: 2, window: '1m', group: 'shared' })
  other() {
    return {};
  }

  @Get('stream')
  @RateLimit({ limit: 1, algorithm: 'concurrency' })
  stream(
    @Res() response: { raw?: { writeHead(status: number): unknown }; writeHead?(status: number): unknown },
  ) {
    // Never ended: the client goes away.
    (response.raw ?? (response as { writeHead(status: number): unknown })).writeHead(200);
  }
}

@Controller('plan')
@ApiKeyAuth()
class PlanController {
  @Get()
  me(@CurrentPrincipal() principal: Principal) {
    return { id: principal.id };
  }

  @Get('dear')
  @RateLimit('100/minute', { cost: 5 })
  dear() {
    return {};
  }

  @Get('guarded')
  @RateLimit([
    { limit: 100, window: '1m' },
    { limit: 2, window: '1m', countOnly: 'failures', name: 'tries' },
    { limit: 1, algorithm: 'concurrency', name: 'places' },
  ])
  async guarded(@Query() { status }: StatusQuery) {
    await sleep(50);
    if (status >= 400) throw new HttpException('asked for', status);
    return {};
  }

  @Get('tenant')
  @RateLimit({ limit: 2, window: '1m', by: 'tenant' })
  tenant() {
    return {};
  }
}

describe.each(ADAPTERS)('kinds of limits on %s', (adapter) => {
  let app: RunningApp;
  const start = async (options: SecurityOptions = {}) => {
    app = await startSecured(adapter, options, { controllers: [LimitedController, PlanController] });
  };
  afterEach(() => app.close());
  const get = (path: string, headers: Record<string, string> = {}) =>
    send<ErrorEnvelope>(app.port, 'GET', path, { headers });
  const statuses = async (times: number, path: string, headers: Record<string, string> = {}) => {
    const all: number[] = [];
    for (let i = 0; i < times; i++) all.push((await get(path, headers)).status);
    return all;
  };
  const post = async (path: string, json: unknown) => (await send(app.port, 'POST', path, { json })).status;

  it('R-RL-15 a token bucket lets its burst through at once, then fills evenly', async () => {
    await start();
    expect(await statuses(4, '/bucket')).toEqual([200, 200, 200, 429]);
    const refused = await get('/bucket');
    expect(refused.header('x-ratelimit-limit')).toBe('3');
    expect(refused.header('retry-after')).toBe('1');
    await sleep(1_050);
    expect(await statuses(2, '/bucket')).toEqual([200, 429]);
  });

  it('R-RL-15 a fixed window is over all at once', async () => {
    await start();
    expect(await statuses(3, '/fixed')).toEqual([200, 200, 429]);
    await sleep(310);
    expect(await statuses(3, '/fixed')).toEqual([200, 200, 429]);
  });

  it('R-RL-23 of 100 slow requests ten run at once and the others are refused quickly; each gives its place back', async () => {
    await start();
    const started = performance.now();
    let refusedWithin = 0;
    const all = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const answer = await get('/slow');
        if (answer.status === 429) {
          refusedWithin = Math.max(refusedWithin, performance.now() - started);
          expect(answer.header('retry-after')).toBe('1');
        }
        return answer.status;
      }),
    );
    const passed = all.filter((status) => status === 200).length;
    // A place is free again as soon as a request is over, so on a busy machine a few more may find one.
    expect(passed).toBeGreaterThanOrEqual(10);
    expect(app.app.get(LimitedController).most).toBe(10);
    expect(await statuses(3, '/slow')).toEqual([200, 200, 200]);
  });

  it('R-RL-23 a client that goes away gives its place back', async () => {
    await start();
    const abandoned = send(app.port, 'GET', '/stream', { timeoutMs: 100 }).catch(() => undefined);
    await sleep(50);
    expect((await get('/stream')).status).toBe(429);
    await abandoned;
    await vi.waitFor(async () => {
      const again = await send(app.port, 'GET', '/stream', { timeoutMs: 100 }).catch(() => 'let in');
      expect(again).toBe('let in');
    });
  });

  it('R-RL-23 requests that wait behind another one on a connection give their places back when it breaks', async () => {
    await start();
    const socket = connect(app.port, '127.0.0.1');
    socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(10));
    const controller = app.app.get(LimitedController);
    await vi.waitFor(() => expect(controller.running).toBe(10));
    socket.destroy();
    await vi.waitFor(() => expect(controller.running).toBe(0));
    const all = await Promise.all(Array.from({ length: 10 }, () => get('/slow')));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  it('R-RL-14 a cost is computed from the body, and what does not fit is refused without partial charge', async () => {
    await start();
    expect(await post('/batch', { items: [1, 2, 3, 4, 5, 6] })).toBe(201);
    expect(await post('/batch', { items: [1, 2, 3, 4, 5] })).toBe(429);
    expect(await post('/batch', { items: [1, 2, 3, 4] })).toBe(201);
    expect(await post('/batch', { items: Array.from({ length: 200 }, () => 1) })).toBe(429);
  });

  it('R-RL-14 a cost function that computes nothing lets nobody through', async () => {
    await start();
    expect(await post('/weightless', { card: 'a' })).toBe(500);
  });

  it('R-RL-07 counts by fields and headers that the application names, alone and combined', async () => {
    await start();
    expect(await post('/by-field', { card: '1' })).toBe(201);
    expect(await post('/by-field', { card: '1' })).toBe(429);
    expect(await post('/by-field', { card: '2' })).toBe(201);
    expect(await statuses(2, '/by-header', { 'x-device': 'a' })).toEqual([200, 429]);
    expect(await statuses(1, '/by-header', { 'x-device': 'b' })).toEqual([200]);
  });

  it('R-RL-11 routes that name one group share a counter', async () => {
    await start();
    expect([
      (await get('/group/1')).status,
      await post('/group', {}),
      (await get('/group/2')).status,
    ]).toEqual([200, 201, 429]);
  });

  it('R-RL-19 countOnly gives back what the other outcome took', async () => {
    await start();
    expect(await statuses(5, '/failures?status=200')).toEqual([200, 200, 200, 200, 200]);
    await vi.waitFor(async () =>
      expect((await get('/failures?status=400')).header('x-ratelimit-remaining')).toBe('1'),
    );
    expect(await statuses(2, '/failures?status=404')).toEqual([404, 429]);
    expect(await statuses(3, '/successes?status=500')).toEqual([500, 500, 500]);
    await sleep(20);
    expect(await statuses(3, '/successes?status=200')).toEqual([200, 200, 429]);
  });

  it('R-RL-25 a dry run reports what it would refuse, refuses nothing and shows nothing', async () => {
    await start({ rateLimit: { headers: 'both' } });
    const events: SecurityEvent[] = [];
    app.app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    const first = await get('/dry');
    expect(first.header('x-ratelimit-limit')).toBe('3');
    expect(first.header('ratelimit-policy')).toBe('"address";q=3600;w=60, "real";q=3;w=60');
    expect(await statuses(3, '/dry')).toEqual([200, 200, 429]);
    expect(await statuses(3, '/dry-alone')).toEqual([200, 200, 200]);
    const tried = events.filter(({ type }) => type === 'rate-limit.dry-run');
    expect(tried.map((event) => 'limit' in event && event.limit)).toEqual([
      'tried',
      'tried',
      'alone',
      'alone',
    ]);
    expect((await get('/dry-alone')).header('x-ratelimit-limit')).toBe('3600');
  });

  describe('plans', () => {
    const keyOn = (limits?: string) =>
      app.app
        .get(ApiKeyService)
        .issue({ name: 'k', owner: 'o', scopes: [], tenant: 'acme', ...(limits ? { limits } : {}) });

    it('R-RL-05 a key on a plan is held to it, and to what it becomes while the application runs', async () => {
      await start({ rateLimit: { plans: { free: '2/minute' } } });
      const { key } = await keyOn('free');
      const headers = { 'x-api-key': key };
      expect(await statuses(3, '/plan', headers)).toEqual([200, 200, 429]);
      app.app.get(RateLimitPlans).set('free', '4/minute');
      expect(await statuses(3, '/plan', headers)).toEqual([200, 200, 429]);
      app.app.get(RateLimitPlans).delete('free');
      expect((await get('/plan', headers)).header('x-ratelimit-limit')).toBe('300');
    });

    it('R-RL-05 the application names the plan of a principal, at once or later, and its failure leaves the limits of routes', async () => {
      let answer: () => string | undefined | Promise<string | undefined> = () => 'pro';
      await start({ rateLimit: { plans: { pro: '7/minute' }, planOf: () => answer() } });
      const events: SecurityEvent[] = [];
      app.app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
      const limitOf = async () => {
        const { key } = await keyOn();
        return (await get('/plan', { 'x-api-key': key })).header('x-ratelimit-limit');
      };
      expect(await limitOf()).toBe('7');
      answer = async () => 'pro';
      expect(await limitOf()).toBe('7');
      answer = () => undefined;
      expect(await limitOf()).toBe('300');
      answer = () => Promise.reject(new Error('no database'));
      expect(await limitOf()).toBe('300');
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'rate-limit.plan-failed', message: 'no database' }),
      );
    });

    it('R-RL-23 a request of a plan is in flight once, whatever it costs', async () => {
      await start({ rateLimit: { plans: { pro: ['100/minute', { limit: 2, algorithm: 'concurrency' }] } } });
      const { key } = await keyOn('pro');
      expect(await statuses(2, '/plan/dear', { 'x-api-key': key })).toEqual([200, 200]);
    });

    it('R-RL-19 R-RL-23 no plan lifts what a route says of failures and of requests in flight', async () => {
      await start({ rateLimit: { plans: { pro: '1000/minute' } } });
      const headers = { 'x-api-key': (await keyOn('pro')).key };
      const both = await Promise.all([
        get('/plan/guarded?status=200', headers),
        get('/plan/guarded?status=200', headers),
      ]);
      expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 429]);
      await sleep(20);
      expect(await statuses(3, '/plan/guarded?status=400', headers)).toEqual([400, 400, 429]);
    });

    it('R-CF-01 a plan that is none changes nothing', async () => {
      await start({ rateLimit: { plans: { free: '2/minute' } } });
      const plans = app.app.get(RateLimitPlans);
      expect(() => plans.set('free', '0/minute')).toThrow('is no whole limit');
      expect(() => plans.set('no name', '1/minute')).toThrow('is no plan');
      expect(plans.names).toEqual(['free']);
    });

    it('R-RL-07 keys of one tenant share a limit that counts tenants', async () => {
      await start();
      const keys = [await keyOn(), await keyOn(), await keyOn()];
      const all = [];
      for (const { key } of keys) all.push((await get('/plan/tenant', { 'x-api-key': key })).status);
      expect(all).toEqual([200, 200, 429]);
    });
  });
});
