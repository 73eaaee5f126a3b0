import { Controller, Get, type INestApplication, Post } from '@nestjs/common';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { type ThrottlerStorage, ThrottlerStorageService } from '@nestjs/throttler';
import {
  ApiKeyAuth,
  ApiKeyService,
  Public,
  RateLimit,
  SecurityEvents,
  SecurityModule,
} from 'nestjs-api-security';
import { SecurityMetrics, SecurityMetricsModule } from 'nestjs-api-security/opentelemetry';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { closeApps, startBare } from '../support/bare-app.js';
import { startGraphql } from '../graphql/graphql-app.js';
import { send } from '../support/http-client.js';
import { startSockets } from '../websockets/socket-app.js';

@Controller()
class MeteredRoutes {
  @Public()
  @Get('open/:id')
  @RateLimit([
    { name: 'burst', limit: 2, window: '1m', cost: 1 },
    { name: 'tried', limit: 1, window: '1m', dryRun: true },
  ])
  open(): object {
    return {};
  }

  @Public()
  @Post('bulk')
  @RateLimit({ name: 'units', limit: 100, window: '1m', cost: 7 })
  bulk(): object {
    return {};
  }

  @Get('keys')
  @ApiKeyAuth('admin')
  keys(): object {
    return {};
  }
}

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
}

describe.each(ADAPTERS)('metrics on %s', (adapter) => {
  let exporter: InMemoryMetricExporter;
  let provider: MeterProvider;
  beforeEach(() => {
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    provider = new MeterProvider({ readers: [reader] });
  });
  afterEach(async () => {
    await closeApps();
    await provider.shutdown();
  });

  async function start(storage?: ThrottlerStorage): Promise<{ port: number; app: INestApplication }> {
    return startBare(adapter, {
      imports: [
        SecurityModule.forRoot({
          apiKeys: {},
          https: 'off',
          logger: false,
          rateLimit: { failedAuthentication: '2/minute', ...(storage ? { storage } : {}) },
        }),
        SecurityMetricsModule.forRoot({ meterProvider: provider }),
      ],
      controllers: [MeteredRoutes],
    });
  }

  /** All data points of one instrument, as an exporter gets them. */
  async function points(name: string): Promise<Point[]> {
    await provider.forceFlush();
    const exported = exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
    const found = exported
      .flatMap(({ metrics }) => metrics)
      .filter(({ descriptor }) => descriptor.name === name);
    return found.flatMap(({ dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({
        attributes,
        value: typeof value === 'number' ? value : (value as { sum: number }).sum,
      })),
    );
  }

  const decisionsOf = async (limit: string): Promise<Record<string, number>> => {
    const all = await points('security.rate_limit.decisions');
    const own = all.filter(({ attributes }) => attributes['security.rate_limit.name'] === limit);
    return Object.fromEntries(
      own.map(({ attributes, value }) => [String(attributes['security.rate_limit.decision']), value]),
    );
  };

  it('R-LG-01 counts the decisions of each limit, dry runs by themselves', async () => {
    const { port } = await start();
    for (let i = 0; i < 5; i += 1) await send(port, 'GET', `/open/${String(i)}`);
    expect(await decisionsOf('burst')).toEqual({ allowed: 2, refused: 3 });
    // What another limit refuses never came to this one.
    expect(await decisionsOf('tried')).toEqual({ allowed: 1, dry_run_refused: 1 });
    expect(await decisionsOf('address')).toEqual({ allowed: 5 });
    const [point] = (await points('security.rate_limit.decisions')).filter(
      ({ attributes }) => attributes['security.rate_limit.name'] === 'burst',
    );
    expect(point?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/open/:id',
      'security.rate_limit.layer': 'principal',
    });
  });

  it('R-LG-01 names resolvers and handlers of gateways, which are no routes, by themselves', async () => {
    const metrics = new SecurityMetrics({ meterProvider: provider });
    metrics.start();
    const sockets = await startSockets(['ws', adapter]);
    const graphql = await startGraphql(adapter === 'express' ? ['apollo', adapter] : ['mercurius', adapter]);
    try {
      const headers = { 'x-api-key': await sockets.key() };
      const client = await sockets.connect('chat', { headers });
      client.send('scoped', { text: 'hi', room: 1 });
      await client.next();
      await graphql.ask('{ adminOnly }', { 'x-api-key': await graphql.key() });
      const denials = await points('security.authorization.denials');
      expect(denials.map(({ attributes }) => String(attributes['security.operation'])).toSorted()).toEqual([
        'Query.adminOnly',
        'WS /chat scoped',
      ]);
      expect(denials.every(({ attributes }) => !('http.route' in attributes))).toBe(true);
    } finally {
      metrics.stop();
      await sockets.close();
      await graphql.close();
    }
  });

  it('R-RL-14 counts the units that requests took, and none of those that were refused', async () => {
    const { port } = await start();
    for (let i = 0; i < 3; i += 1) await send(port, 'POST', '/bulk');
    for (let i = 0; i < 4; i += 1) await send(port, 'GET', '/open/1');
    const costs = (await points('security.rate_limit.cost')).map(({ attributes, value }) => [
      attributes['security.rate_limit.name'],
      value,
    ]);
    expect(costs).toEqual(
      expect.arrayContaining([
        ['units', 21],
        ['burst', 2],
        ['tried', 1],
        ['address', 7],
      ]),
    );
  });

  it('R-LG-01 counts who was let in, who was not, and why', async () => {
    const { port, app } = await start();
    const { key } = await app.get(ApiKeyService).issue({ owner: 'o', name: 'n', scopes: ['reports'] });
    await send(port, 'GET', '/keys');
    await send(port, 'GET', '/keys', { headers: { 'x-api-key': key } });
    for (let i = 0; i < 3; i += 1)
      await send(port, 'GET', '/keys', { headers: { 'x-api-key': `sk_live_${String(i)}` } });
    await send(port, 'GET', '/open/1?evil=1');
    const attempts = await points('security.authentication.attempts');
    const counted = attempts.map(({ attributes: at, value }) => [
      at['security.scheme'],
      at['security.outcome'],
      value,
    ]);
    expect(counted).toEqual(
      expect.arrayContaining([
        ['none', 'failure', 1],
        ['api-key', 'success', 1],
        ['api-key', 'failure', 2],
      ]),
    );
    expect(await decisionsOf('failedAuthentication')).toEqual({ refused: 1 });
    expect(await points('security.authorization.denials')).toEqual([
      {
        attributes: {
          'http.request.method': 'GET',
          'http.route': '/keys',
          'security.reason': 'scope.missing',
        },
        value: 1,
      },
    ]);
    const refusals = await points('security.validation.refusals');
    expect(refusals.map(({ value }) => value)).toEqual([1]);
  });

  it('R-RL-18 counts failures of the storage, and how long it was away', async () => {
    const inner = new ThrottlerStorageService();
    let down = true;
    const { port } = await start({
      increment: (...hit) => (down ? Promise.reject(new Error('down')) : inner.increment(...hit)),
    });
    await send(port, 'GET', '/open/1');
    await send(port, 'POST', '/bulk');
    expect((await points('security.rate_limit.store.failures')).map(({ value }) => value)).toEqual([1]);
    down = false;
    await vi.waitFor(
      async () => {
        await send(port, 'POST', '/bulk');
        const [outage] = await points('security.rate_limit.store.outage.duration');
        expect(outage?.value).toBeGreaterThan(0.1);
      },
      { timeout: 5_000, interval: 200 },
    );
  });

  it('R-RL-23 counts what load shedding refused', async () => {
    const { app } = await start();
    // The shedder tells once in a round how many it has refused.
    app.get(SecurityEvents).emit('load.shedding', { delayMs: 300, refused: 12 });
    expect((await points('security.load_shedding.requests')).map(({ value }) => value)).toEqual([12]);
  });

  it('R-LG-03 no attribute identifies anybody, and their number is bounded', async () => {
    const { port, app } = await start();
    const events = app.get(SecurityEvents);
    for (let i = 0; i < 2_000; i += 1)
      events.emit('authentication.failed', { scheme: 'other', reason: `invented.${String(i)}` });
    await send(port, 'GET', '/keys', { headers: { 'x-api-key': 'sk_live_secret' } });
    const attempts = await points('security.authentication.attempts');
    expect(attempts.length).toBeLessThan(600);
    expect(attempts.map(({ attributes }) => attributes['security.reason'])).toContain('_OTHER');
    await provider.forceFlush();
    const text = JSON.stringify(exporter.getMetrics());
    expect(text).toContain('/keys');
    for (const secret of ['127.0.0.1', 'sk_live', 'secret']) expect(text).not.toContain(secret);
  });

  it('stops with the application', async () => {
    const { app } = await start();
    const metrics = app.get(SecurityMetrics);
    metrics.start();
    const events = app.get(SecurityEvents);
    events.emit('rate-limit.store-failed', { message: 'down' });
    await closeApps();
    events.emit('rate-limit.store-failed', { message: 'down' });
    expect((await points('security.rate_limit.store.failures')).map(({ value }) => value)).toEqual([1]);
  });
});
