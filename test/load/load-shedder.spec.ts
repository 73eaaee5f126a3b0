import { setTimeout as sleep } from 'node:timers/promises';

import { Controller, Get } from '@nestjs/common';
import { Public, type SecurityEvent, SecurityEvents, type SecurityOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { ADAPTERS, type RunningApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

@Controller()
@Public()
class WorkController {
  @Get('work')
  work() {
    return {};
  }

  @Get('health')
  health() {
    return {};
  }
}

/** Holds the event loop up, again and again. */
async function overload(until: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!until() && performance.now() < deadline) {
    const end = performance.now() + 120;
    while (performance.now() < end);
    await sleep(1);
  }
}

describe.each(ADAPTERS)('R-RL-23 a process with too much to do on %s', (adapter) => {
  let app: RunningApp;
  afterEach(() => app.close());
  const start = async (options: SecurityOptions) => {
    app = await startSecured(adapter, options, { controllers: [WorkController] });
  };

  it('R-RL-23 answers a part of the requests with 503, its health check never, and all again when it keeps up', async () => {
    await start({
      load: { maxEventLoopDelay: '50ms', exempt: ['/health'] },
      rateLimit: { read: '100000/minute' },
    });
    const events: SecurityEvent[] = [];
    app.app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    const answers: { status: number; retryAfter: string | undefined; code: string | undefined }[] = [];
    const health: number[] = [];
    const pending: Promise<unknown>[] = [];
    await overload(() => {
      const asked = send<ErrorEnvelope>(app.port, 'GET', '/work').then((answer) =>
        answers.push({
          status: answer.status,
          retryAfter: answer.header('retry-after'),
          code: answer.json.error?.code,
        }),
      );
      pending.push(
        asked,
        send(app.port, 'GET', '/health').then(({ status }) => health.push(status)),
      );
      return answers.filter(({ status }) => status === 503).length >= 5;
    });
    await Promise.all(pending);
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(refused[0]).toEqual({ status: 503, retryAfter: '1', code: 'UNAVAILABLE' });
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(new Set(health)).toEqual(new Set([200]));
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain('load.shedding'), 3_000);
    // The test process has other things to do as well, so this may take a moment.
    await vi.waitFor(
      async () => {
        const all = await Promise.all(Array.from({ length: 20 }, () => send(app.port, 'GET', '/work')));
        expect(all.every(({ status }) => status === 200)).toBe(true);
      },
      { timeout: 20_000, interval: 300 },
    );
  }, 60_000);

  it('R-RL-23 tells problem details of what kind it is', async () => {
    await start({ load: { maxEventLoopDelay: '20ms' } });
    const headers = { accept: 'application/problem+json' };
    const types: unknown[] = [];
    const pending: Promise<unknown>[] = [];
    await overload(() => {
      pending.push(
        send<{ type?: string }>(app.port, 'GET', '/work', { headers }).then(({ status, json }) =>
          types.push(...(status === 503 ? [json.type] : [])),
        ),
      );
      return types.length > 0;
    });
    await Promise.all(pending);
    expect(types[0]).toBe('https://iana.org/assignments/http-problem-types#temporary-reduced-capacity');
  }, 60_000);

  it.each([
    [{ maxEventLoopDelay: '1ms' as const }, 'load.maxEventLoopDelay'],
    [{ maxEventLoopDelay: '1s' as const, exempt: ['health'] }, 'load.exempt'],
    [{ maxEventLoopDelay: '1s' as const, shed: true }, 'load.shed'],
  ])('R-CF-01 %j stops the boot', async (load, where) => {
    await expect(start({ load })).rejects.toThrow(where);
    app = { ...app, close: async () => undefined };
  });
});
