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
    const callers = (['local', 'open', 'closed'] as const).flatMap((path) =>
      Array.from({ length: 4 }, () => caller(path)),
    );
    await sleep(400);
    const passedBefore = seen.local.filter(({ status }) => status === 200).length;
    expect(passedBefore).toBe(40);
    await server.stop();
    const stopped = performance.now();
    await sleep(1_500);
    const readiness = await app.app.get(SecurityReadiness).check();
    expect(readiness.parts).toContainEqual({ name: 'rate limits', ready: true, degraded: true });
    await server.start();
    const started = performance.now();
    await sleep(2_000);
    load.running = false;
    await Promise.all(callers);

    const all = Object.values(seen).flat();
    expect(all.filter(({ status }) => ![200, 429, 503].includes(status))).toEqual([]);
    // 50 ms and 20; the test's own processes need a share of the machine as well.
    expect(Math.max(...all.map(({ ms }) => ms))).toBeLessThan(400);
    const down = (path: keyof typeof seen) =>
      seen[path].filter(({ at }) => at > stopped && at < started - 50).map(({ status }) => status);
    // This node's share, half of forty, beside the forty before.
    const passed = seen.local.filter(({ at, status }) => status === 200 && at < started - 50).length;
    expect(passed - passedBefore).toBe(20);
    expect(new Set(down('open'))).toEqual(new Set([200]));
    expect(new Set(down('closed'))).toEqual(new Set([503]));
    const back = seen.closed.filter(({ at }) => at > started + 2_000 - 100);
    expect(new Set(back.map(({ status }) => status))).toEqual(new Set([200]));
    // What was counted before the outage counts on.
    expect((await send(app.port, 'GET', '/local')).status).toBe(429);
    expect(await app.app.get(SecurityReadiness).check()).toMatchObject({
      parts: [{}, { name: 'rate limits', degraded: false }],
    });
    await vi.waitFor(() => {
      const types = events.map(({ type }) => type);
      expect(types.filter((type) => type === 'rate-limit.store-failed')).toHaveLength(1);
      expect(types.filter((type) => type === 'rate-limit.store-recovered')).toHaveLength(1);
    });
  }, 30_000);
});
