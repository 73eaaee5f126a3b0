import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { FakeClock } from '../rate-limit/fake-clock.js';
import { consume, type PlainCharge, tenAMinute } from '../rate-limit/plain-charge.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { type SteppedClock, steppedClock } from '../support/servers/stepped-clock.js';

const HOUR = 3_600_000;
const ALGORITHMS = ['sliding-window', 'token-bucket', 'fixed-window', 'concurrency'] as const;
const STEPS = [HOUR, 600_000, 5_000, -5_000, -600_000, -HOUR];

let clock: SteppedClock;
let server: RedisServer;
let client: Redis;
let opened: RedisRateLimitStorage[];
let prefixes = 0;
let prefix: string;
beforeAll(async () => {
  clock = await steppedClock();
  server = await startRedis({ env: clock.env });
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.close();
  clock.close();
});
beforeEach(() => {
  clock.set(0);
  opened = [];
  prefix = `clock ${prefixes++}:`;
});
afterEach(() => Promise.all(opened.map((storage) => storage.close())));

function node(
  more: Partial<ConstructorParameters<typeof RedisRateLimitStorage>[1]> = {},
): RedisRateLimitStorage {
  const storage = new RedisRateLimitStorage(client, { prefix, ...more });
  opened.push(storage);
  return storage;
}

const remaining = async (storage: RedisRateLimitStorage, one: PlainCharge): Promise<number> =>
  (await consume(storage, [{ ...one, cost: 0 }])).states[0]!.remaining;
/** How often a step was settled. */
const changes = async (key = `${prefix}rl:2:clock`): Promise<number> =>
  (await client.getBuffer(key))!.readUInt32LE(0);

describe.each(STEPS)('R-RL-16 the clock of the server, set by %i ms', (ms) => {
  it('neither frees nor locks anybody, from the first call on, of all algorithms', async () => {
    const full = ALGORITHMS.map((algorithm) =>
      tenAMinute({ key: algorithm, algorithm, limit: 4, windowMs: 1_500, cost: 4, burst: 4 }),
    );
    const [storage, other] = [node(), node()];
    for (const one of full) expect((await consume(storage, [one])).allowed).toBe(true);
    await remaining(other, full[0]!);
    clock.set(ms);
    const waits: number[] = [];
    for (const one of full) {
      expect((await consume(storage, [one])).allowed).toBe(false);
      // What is found must not be found again.
      const { allowed, states } = await consume(other, [one]);
      expect(allowed).toBe(false);
      waits.push(states[0]!.resetMs);
    }
    expect(await changes()).toBe(1);
    expect(Math.max(...waits)).toBeLessThanOrEqual((1_500 * 7) / 6 + 2);
    await sleep(Math.max(...waits) + 5);
    for (const one of full) expect((await consume(storage, [one])).allowed).toBe(true);
  });

  it('decides the same of what stood half full, for nodes that were there and for those that come', async () => {
    const storage = node();
    await consume(storage, [tenAMinute({ cost: 6 })]);
    clock.set(ms);
    expect(await remaining(storage, tenAMinute())).toBe(4);
    expect((await consume(node(), [tenAMinute({ cost: 3 })])).allowed).toBe(true);
    expect((await consume(storage, [tenAMinute()])).allowed).toBe(true);
    expect((await consume(node(), [tenAMinute()])).allowed).toBe(false);
    expect(await changes()).toBe(1);
  });

  it('gives leases no more than the limit', async () => {
    const leased = tenAMinute({ mode: 'lease', limit: 400 });
    const [storage, other] = [node(), node()];
    let passed = 0;
    const ask = async (times: number) => {
      for (let i = 0; i < times; i++)
        if ((await consume(i % 2 === 0 ? storage : other, [leased])).allowed) passed++;
    };
    await ask(200);
    clock.set(ms);
    await ask(600);
    expect(passed).toBe(400);
  });

  it('is seen again when it is set right', async () => {
    const storage = node();
    await consume(storage, [tenAMinute({ cost: 10 })]);
    for (const [index, ahead] of [ms, 0, ms].entries()) {
      clock.set(ahead);
      expect((await consume(storage, [tenAMinute()])).allowed).toBe(false);
      expect(await changes()).toBe(index + 1);
    }
  });
});

it('R-RL-16 a node that came between a step and the first who saw it is not believed when the clock is set right', async () => {
  const storage = node();
  await consume(storage, [tenAMinute({ cost: 10 })]);
  clock.set(HOUR);
  const between = node();
  await remaining(between, tenAMinute({ key: 'another' }));
  expect((await consume(storage, [tenAMinute()])).allowed).toBe(false);
  expect(await changes()).toBe(1);
  clock.set(0);
  expect((await consume(between, [tenAMinute()])).allowed).toBe(false);
  expect((await consume(storage, [tenAMinute()])).allowed).toBe(false);
});

describe('R-RL-16 what is no step of the server', () => {
  it('a node whose monotonic clock stood still moves nothing while others are there', async () => {
    const stopped = new FakeClock();
    const [storage, other] = [node({ clock: stopped }), node()];
    await consume(storage, [tenAMinute()]);
    const end = performance.now() + 3_500;
    while (performance.now() < end) {
      await consume(other, [tenAMinute({ key: 'other', limit: 1_000 })]);
      await sleep(100);
    }
    await consume(storage, [tenAMinute()]);
    expect(await changes()).toBe(0);
  });

  it('a node alone that stood still makes windows longer, and frees nothing', async () => {
    const stopped = new FakeClock();
    const storage = node({ clock: stopped });
    await consume(storage, [tenAMinute({ cost: 10 })]);
    await sleep(2_600);
    const { allowed, states } = await consume(storage, [tenAMinute()]);
    expect(allowed).toBe(false);
    expect(states[0]!.resetMs).toBeLessThanOrEqual(70_000);
    expect(await changes()).toBe(1);
    expect((await consume(node(), [tenAMinute()])).allowed).toBe(false);
  });

  it('a node whose monotonic clock runs ahead frees nothing', async () => {
    const fast = new FakeClock();
    const storage = node({ clock: fast });
    const full = tenAMinute({ cost: 10, windowMs: 5_000 });
    await consume(storage, [full]);
    fast.advance(HOUR);
    expect((await consume(storage, [full])).allowed).toBe(false);
    expect((await consume(node(), [full])).allowed).toBe(false);
    expect(await changes()).toBe(0);
  });

  it('an answer, or a question, that was long on its way frees nothing', async () => {
    let late = 0;
    const storage = node({ clock: { now: Date.now, monotonic: () => systemClock.monotonic() + late } });
    await consume(storage, [tenAMinute({ cost: 10, windowMs: 5_000 })]);
    const asked = consume(storage, [tenAMinute({ windowMs: 5_000 })]);
    late = 60_000;
    expect((await asked).allowed).toBe(false);
    expect((await consume(storage, [tenAMinute({ windowMs: 5_000 })])).allowed).toBe(false);
    expect(await changes()).toBe(0);
  });
});
