import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { send } from '../support/http-client.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { type Quickstart, QuickstartBuild } from './quickstart-process.js';

const LIMIT = 30;

/** One window is a minute: each test has callers of its own. */
describe('CONTRACT-6 three processes of the quickstart over one Redis', () => {
  let build: QuickstartBuild;
  let server: RedisServer;
  let processes: readonly Quickstart[];
  beforeAll(async () => {
    build = new QuickstartBuild();
    // What the system has in its buffers outlives the process; waiting for the disk would take longer than limits wait.
    server = await startRedis({ persistent: true, settings: { appendfsync: 'no' } });
    const environment = { REDIS_URL: server.url, READ_LIMIT: String(LIMIT), TRUST_PROXY: '1' };
    processes = await Promise.all([1, 2, 3].map(() => build.start(environment)));
  });
  afterAll(async () => {
    await Promise.all((processes ?? []).map((one) => one.stop()));
    await server?.close();
    build.remove();
  });

  const ask = (index: number, caller: string) =>
    send(Number(new URL(processes[index % processes.length]!.url).port), 'GET', '/health', {
      headers: { 'x-forwarded-for': caller },
    });
  const passedOf = async (times: number, caller: string) => {
    const answers = await Promise.all(Array.from({ length: times }, (_, i) => ask(i, caller)));
    for (const { status } of answers) expect([200, 429]).toContain(status);
    return answers.filter(({ status }) => status === 200).length;
  };

  it('R-RL-10 count together: of 90 requests at once 30 pass', async () => {
    expect(await passedOf(90, '192.0.2.1')).toBe(LIMIT);
  });

  it('R-RL-18 go on by their shares while Redis is gone, without waiting for it, and together again within two seconds of its return', async () => {
    await passedOf(15, '192.0.2.2');
    // They look for each other every three seconds.
    await sleep(3_500);
    await server.stop();
    const slowest = async (caller: string) => {
      let ms = 0;
      for (let i = 0; i < 30; i++) {
        const started = performance.now();
        expect((await ask(i, caller)).status).toBeLessThan(500);
        ms = Math.max(ms, performance.now() - started);
      }
      return ms;
    };
    // The deadline is 50 ms; a busy machine adds its own.
    expect(await slowest('192.0.2.3')).toBeLessThan(300);
    const alone = await passedOf(90, '192.0.2.4');
    expect(alone).toBeGreaterThanOrEqual(LIMIT / 3);
    expect(alone).toBeLessThanOrEqual(LIMIT);
    await server.start();
    await sleep(2_000);
    await vi.waitFor(async () => {
      const answers = await Promise.all([0, 1, 2].map((index) => ask(index, '192.0.2.5')));
      const left = answers.map((answer) => Number(answer.header('x-ratelimit-remaining')));
      expect(new Set(left).size).toBe(3);
    });
    // What was counted before is still there.
    expect(await passedOf(90, '192.0.2.2')).toBe(15);
  });
});
