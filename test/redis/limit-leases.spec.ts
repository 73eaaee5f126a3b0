import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import type { LimitDecision } from '../../lib/rate-limit/rate-limit-storage.js';
import { chargeOf, consume, type PlainCharge } from '../rate-limit/plain-charge.js';
import { FakeClock } from '../rate-limit/fake-clock.js';
import { SlidingLog } from '../rate-limit/sliding-log.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { transpiled } from '../support/transpiled.js';
import { scriptCalls } from './command-stats.js';
import { LimitProcesses } from './limit-processes.js';
import { slowProxy } from './slow-proxy.js';

let server: RedisServer;
let client: Redis;
let storage: RedisRateLimitStorage;
let other: RedisRateLimitStorage;
let prefixes = 0;
let prefix: string;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.close();
});
beforeEach(() => {
  prefix = `leases ${prefixes++}:`;
  storage = new RedisRateLimitStorage(client, { prefix });
  other = new RedisRateLimitStorage(client, { prefix });
});
afterEach(async () => {
  await Promise.all([storage.close(), other.close()]);
});

const leased = (key: string, more: Partial<PlainCharge> = {}): PlainCharge => ({
  key,
  limit: 1_000,
  windowMs: 60_000,
  cost: 1,
  mode: 'lease',
  ...more,
});
/** What the server counts, leases included. */
const counted = async (charge: PlainCharge): Promise<number> => {
  const { states } = await consume(other, [{ ...charge, cost: 0 }]);
  return charge.limit - states[0]!.remaining;
};
/** So many requests, one after the other; those whose units were here are answered at once. */
async function ask(charge: PlainCharge, times: number): Promise<{ atOnce: number; passed: number }> {
  let [atOnce, passed] = [0, 0];
  for (let i = 0; i < times; i++) {
    const decision = consume<LimitDecision | Promise<LimitDecision>>(storage, [charge]);
    if (!(decision instanceof Promise)) atOnce++;
    if ((await decision).allowed) passed++;
  }
  return { atOnce, passed };
}

describe('a lease', () => {
  it('grows with the rate of its key: most requests are answered without asking the server', async () => {
    const { atOnce, passed } = await ask(leased('busy'), 400);
    expect(passed).toBe(400);
    expect(atOnce).toBeGreaterThan(350);
    expect(await counted(leased('busy'))).toBeGreaterThanOrEqual(400);
  });

  it('needs at most 0.05 questions a check at 1 000 requests a second on a key', async () => {
    const charge = leased('fast', { limit: 10_000, windowMs: 6_000 });
    await consume(storage, [charge]);
    const before = await scriptCalls(client);
    const started = performance.now();
    let checks = 0;
    while (performance.now() - started < 3_000) {
      for (; checks < performance.now() - started; checks++) await consume(storage, [charge]);
      await sleep(1);
    }
    expect(((await scriptCalls(client)) - before) / checks).toBeLessThanOrEqual(0.05);
  });

  it('takes one unit of a key that is hardly used', async () => {
    await consume(storage, [leased('rare')]);
    expect(await counted(leased('rare'))).toBe(1);
  });

  it('is given back when it is over, but for what was used', async () => {
    await ask(leased('ends'), 40);
    expect(await counted(leased('ends'))).toBeGreaterThan(40);
    await vi.waitFor(async () => expect(await counted(leased('ends'))).toBe(40), 3_000);
  });

  it('is given back when the storage is closed', async () => {
    await ask(leased('closes'), 40);
    await storage.close();
    expect(await counted(leased('closes'))).toBe(40);
    expect((await consume(storage, [leased('closes')])).allowed).toBe(true);
    expect(await counted(leased('closes'))).toBe(41);
  });

  it('becomes exact near the limit: one node after the other gets the last unit', async () => {
    const charge = leased('near', { limit: 60 });
    const storages = [storage, other];
    const outcomes: boolean[] = [];
    for (let i = 0; i < 70; i++) {
      outcomes.push((await consume(storages[i % 2]!, [charge])).allowed);
      await sleep(1);
    }
    expect(outcomes.filter(Boolean)).toHaveLength(60);
  });

  it('R-RL-04 what is over its limit is refused without asking, and told truly when it passes', async () => {
    const charge = leased('over', { limit: 10, windowMs: 1_500 });
    expect((await ask(charge, 12)).passed).toBe(10);
    const before = await scriptCalls(client);
    const first = consume(storage, [charge]) as unknown as LimitDecision;
    await sleep(100);
    const second = consume(storage, [charge]) as unknown as LimitDecision;
    expect((await scriptCalls(client)) - before).toBe(0);
    expect([first.allowed, second.allowed]).toEqual([false, false]);
    expect(first.states[0]!.remaining).toBe(0);
    const passed = first.states[0]!.resetMs - second.states[0]!.resetMs;
    expect(passed).toBeGreaterThanOrEqual(95);
    expect(passed).toBeLessThan(1_000);
    await sleep(second.states[0]!.resetMs + 1);
    expect((await consume(storage, [charge])).allowed).toBe(true);
  });

  it('R-RL-14 decides with exact limits all or nothing, and holds nothing of what is refused', async () => {
    const exact = { key: 'both', limit: 3, windowMs: 70_000, cost: 1 };
    const outcomes: boolean[] = [];
    for (let i = 0; i < 5; i++) outcomes.push((await consume(storage, [leased('both'), exact])).allowed);
    expect(outcomes).toEqual([true, true, true, false, false]);
    await storage.close();
    const charges = [
      leased('both', { limit: 2, windowMs: 600_000 }),
      { ...exact, limit: 9, windowMs: 80_000 },
    ];
    expect(await counted(leased('both'))).toBe(3);
    for (let i = 0; i < 3; i++) await consume(other, charges);
    const refused = await consume(other, charges);
    expect(refused.states.map(({ allowed }) => allowed)).toEqual([false, true]);
    expect(await counted(charges[1]!)).toBe(2);
  });

  it('serves callers of any cost in their turn, never more than there is', async () => {
    const charge = leased('costs', { limit: 100 });
    const costs = Array.from({ length: 40 }, (_, i) => (i % 4) + 1);
    const decisions = await Promise.all(costs.map(async (cost) => consume(storage, [{ ...charge, cost }])));
    const used = costs.reduce((sum, cost, i) => sum + (decisions[i]!.allowed ? cost : 0), 0);
    expect(used).toBeGreaterThan(95);
    expect(used).toBeLessThanOrEqual(100);
    for (const { states } of decisions) expect(states[0]!.remaining).toBeGreaterThanOrEqual(0);
    const never = await consume(storage, [{ ...charge, cost: 101 }]);
    expect(never).toMatchObject({ allowed: false, states: [{ resetMs: 60_000 }] });
  });

  it('many keys at once have a lease each', async () => {
    const decisions = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => consume(storage, [leased(`key ${i}`, { limit: 1 })])),
    );
    expect(decisions.every(({ allowed }) => allowed)).toBe(true);
  });

  it('R-RL-17 holds no more than 10 000 counters: others are decided by the server', async () => {
    const asked: Promise<LimitDecision>[] = [];
    for (let i = 0; i < 10_050; i++)
      asked.push(Promise.resolve(consume(storage, [leased(`many ${i}`, { limit: 1 })])));
    expect((await Promise.all(asked)).every(({ allowed }) => allowed)).toBe(true);
    const again = await Promise.all(
      [1, 10_040].map(async (i) => consume(storage, [leased(`many ${i}`, { limit: 1 })])),
    );
    expect(again.map(({ allowed }) => allowed)).toEqual([false, false]);
  });

  it('that is over when its answer comes is not used: after two of them the server decides', async () => {
    const proxy = await slowProxy(server.port);
    const slow = new Redis(proxy.port, '127.0.0.1');
    const node = new RedisRateLimitStorage(slow, { prefix });
    // No lease of this limit lasts longer than a hundred milliseconds.
    const charge = leased('late', { limit: 50, windowMs: 600 });
    const log = new SlidingLog();
    try {
      await consume(node, [charge]);
      proxy.delayMs = 130;
      const call = async (): Promise<void> => {
        const end = performance.now() + 1_500;
        while (performance.now() < end)
          if ((await consume(node, [charge])).allowed) log.add('late', performance.now(), 1);
      };
      await Promise.all(Array.from({ length: 30 }, call));
      const busiest = log.busiest('late', charge.windowMs);
      expect(busiest).toBeGreaterThan(0);
      expect(busiest).toBeLessThanOrEqual(charge.limit);
    } finally {
      slow.disconnect();
      await node.close();
      proxy.close();
    }
  });

  it('is not used when it is over by the monotonic clock, and not when it is before it has come', async () => {
    const clock = new FakeClock();
    const node = new RedisRateLimitStorage(client, { prefix, clock });
    const isAsked = (charge: PlainCharge) => {
      const decision = consume<LimitDecision | Promise<LimitDecision>>(node, [charge]);
      return decision instanceof Promise ? decision.then(() => true) : false;
    };
    const charge = leased('over time');
    let [atOnce, tries] = [0, 0];
    // Where a turn ends leases are short: until there is one with units to spare.
    while (atOnce < 5 && tries++ < 200) atOnce = (await isAsked(charge)) ? 0 : atOnce + 1;
    expect(atOnce).toBe(5);
    clock.advance(1_001);
    expect(await isAsked(charge)).toBe(true);
    await node.close();
    let now = 0;
    const late = new RedisRateLimitStorage(client, {
      prefix,
      clock: { now: Date.now, monotonic: () => (now += 2_000) },
    });
    const before = await scriptCalls(client);
    expect((await consume(late, [leased('late at once', { limit: 1 })])).allowed).toBe(true);
    // Two leases that came late, one decision of the server.
    expect((await scriptCalls(client)) - before).toBeGreaterThanOrEqual(3);
    await late.close();
    expect(await counted(leased('late at once', { limit: 1 }))).toBe(1);
  });

  it('R-RL-15 counts from its end on: units that are used late are not given to another before a window has passed since', async () => {
    const charge = leased('end', { limit: 100, windowMs: 3_000 });
    const turnMs = charge.windowMs / 6;
    const log = new SlidingLog();
    const use = async (node: RedisRateLimitStorage, times: number) => {
      for (let i = 0; i < times; i++)
        if ((await consume(node, [charge])).allowed) log.add('end', performance.now(), 1);
    };
    const untilTurn = async (afterMs: number) => {
      const [seconds, micros] = (await client.time()).map(Number) as [number, number];
      const ms = seconds * 1_000 + micros / 1_000;
      await sleep(turnMs - (ms % turnMs) + afterMs);
    };
    // In one turn it learns the rate, in the next it takes a lease early and uses it late.
    await untilTurn(5);
    await use(storage, 40);
    await untilTurn(5);
    await use(storage, 1);
    await sleep(turnMs * 0.8);
    await use(storage, 8);
    // What is used by the other before the window is over is what was left of it.
    await sleep(charge.windowMs - turnMs * 0.8 + 20);
    const end = performance.now() + 2 * turnMs;
    while (performance.now() < end) {
      await use(other, 1);
      await sleep(1);
    }
    expect(log.busiest('end', charge.windowMs)).toBeLessThanOrEqual(charge.limit);
    expect(log.busiest('end', 2 * charge.windowMs)).toBeGreaterThan(charge.limit);
  });

  it('R-RL-16 ends by the monotonic clock, whatever the wall clock says', async () => {
    let wall = 0;
    const node = new RedisRateLimitStorage(client, {
      prefix,
      clock: { now: () => (wall += 3_600_000), monotonic: () => systemClock.monotonic() },
    });
    vi.spyOn(Date, 'now').mockImplementation(() => (wall += 3_600_000));
    try {
      const charge = leased('wall', { limit: 20 });
      let passed = 0;
      for (let i = 0; i < 30; i++) if ((await consume(node, [charge])).allowed) passed++;
      expect(passed).toBe(20);
    } finally {
      vi.restoreAllMocks();
      await node.close();
    }
  });

  it('of a node that dies lapses with its window, and is no more than it asked for', async () => {
    const { folder, remove } = transpiled(...LimitProcesses.sources);
    const processes = await LimitProcesses.start(folder, 1, [server.url], prefix);
    const meter = { bucket: 'test', limit: 1_000, windowMs: 1_500, mode: 'lease' as const };
    const charge = leased('dies', meter);
    try {
      const [passed] = await processes.ask<number[]>(() => ({
        meter,
        subject: 'dies',
        callers: 5,
        forMs: 200,
        pauseMs: 2,
      }));
      await processes.kill(0);
      const left = await counted(charge);
      expect(left).toBeGreaterThanOrEqual(passed!.length);
      // Half of what was left, and what a lease's length asks for at the rate of before, doubled.
      expect(left).toBeLessThan(1_000 / 2 + passed!.length);
      await vi.waitFor(async () => expect(await counted(charge)).toBe(0), 3_500);
    } finally {
      await processes.end();
      remove();
    }
  }, 30_000);

  it('forgotten on demand: what was held is not handed out any more', async () => {
    await ask(leased('reset'), 20);
    const { meter, subject } = chargeOf(leased('reset'));
    await storage.reset(meter, subject);
    expect(await counted(leased('reset'))).toBe(0);
    await consume(storage, [leased('reset')]);
    expect(await counted(leased('reset'))).toBeGreaterThan(0);
  });
});
