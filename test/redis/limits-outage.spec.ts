import { setTimeout as sleep } from 'node:timers/promises';

import { Controller, Get } from '@nestjs/common';
import {
  Public,
  RateLimit,
  type SecurityEvent,
  SecurityEvents,
  SecurityReadiness,
} from 'nestjs-api-security';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { ADAPTERS, type RunningApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

const WINDOW = '10m';

@Controller()
@Public()
class OutageController {
  @Get('local')
  @RateLimit({ limit: 40, window: WINDOW, name: 'local' })
  local() {
    return {};
  }

  @Get('open')
  @RateLimit({ limit: 40, window: WINDOW, name: 'open', onStoreFailure: 'open' })
  open() {
    return {};
  }

  @Get('closed')
  @RateLimit({ limit: 1_000_000, window: WINDOW, name: 'closed', onStoreFailure: 'closed' })
  closed() {
    return {};
  }
}

interface Seen {
  readonly at: number;
  readonly ms: number;
  readonly status: number;
}

describe.each(ADAPTERS)('R-RL-18 Redis that stops under load, on %s', (adapter) => {
  let server: RedisServer;
  let app: RunningApp;
  beforeAll(async () => {
    server = await startRedis({ persistent: true, settings: { appendfsync: 'no' } });
  });
  afterEach(() => app.close());
  afterAll(() => server.close());

  it('R-RL-18 lets nobody wait, answers nobody with 500, follows each policy from the first failure on, and is back within 2 s', async () => {
    const storage = await RedisRateLimitStorage.open(server.url, { prefix: `${adapter}:` });
    app = await startSecured(
      adapter,
      { rateLimit: { storage, nodes: 2, address: false } },
      { controllers: [OutageController] },
    );
    const readiness = app.app.get(SecurityReadiness);
    const isDegraded = async () =>
      (await readiness.check()).parts.find(({ name }) => name === 'rate limits')!.degraded;
    const events: SecurityEvent[] = [];
    app.app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    const seen: Record<'local' | 'open' | 'closed', Seen[]> = { local: [], open: [], closed: [] };
    const load = { running: true };
    const caller = async (path: keyof typeof seen) => {
      while (load.running) {
        const at = performance.now();
        const { status } = await send<ErrorEnvelope>(app.port, 'GET', `/${path}`);
        seen[path].push({ at, ms: performance.now() - at, status });
        await sleep(2);
      }
    };
    const callers = Promise.all(
      (['local', 'open', 'closed'] as const).flatMap((path) => Array.from({ length: 4 }, () => caller(path))),
    );
    let [stopped, started, back] = [0, 0, 0];
    try {
      await vi.waitFor(() => expect(seen.local.some(({ status }) => status === 429)).toBe(true), 10_000);
      await server.stop();
      stopped = performance.now();
      await sleep(1_500);
      expect(await isDegraded()).toBe(true);
      expect((await readiness.check()).ready).toBe(true);
      await server.start();
      started = performance.now();
      await vi.waitFor(async () => expect(await isDegraded()).toBe(false), { timeout: 10_000, interval: 20 });
      back = performance.now();
      await sleep(300);
    } finally {
      load.running = false;
      await callers;
    }
    const all = Object.values(seen).flat();
    expect(all.filter(({ status }) => ![200, 429, 503].includes(status))).toEqual([]);
    // Two seconds; and 50 ms, and 20: a busy machine takes time of its own.
    expect(back - started).toBeLessThan(4_000);
    expect(Math.max(...all.map(({ ms }) => ms))).toBeLessThan(500);
    const down = (path: keyof typeof seen) =>
      seen[path].filter(({ at }) => at > stopped && at < started - 50).map(({ status }) => status);
    expect(new Set(down('open'))).toEqual(new Set([200]));
    expect(new Set(down('closed'))).toEqual(new Set([503]));
    // What all nodes may together, and this node's share, half of it, while it was alone: what was counted before counted on.
    expect(seen.local.filter(({ status }) => status === 200)).toHaveLength(60);
    expect(seen.closed.at(-1)!.status).toBe(200);
    await vi.waitFor(() => {
      const types = events.map(({ type }) => type);
      expect(types).toContain('rate-limit.store-failed');
      expect(types).toContain('rate-limit.store-recovered');
    });
  }, 30_000);
});
