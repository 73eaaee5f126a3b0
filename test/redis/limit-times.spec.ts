import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { LongerLife } from '../../lib/redis/limits/longer-life.js';
import { ServerTimes } from '../../lib/redis/limits/server-times.js';
import { slotTagOf } from '../../lib/redis/limits/slot-tags.js';
import { FakeClock } from '../rate-limit/fake-clock.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

describe('R-RL-16 what a node knows of the time at the server', () => {
  const open = () => {
    const clock = new FakeClock();
    const machine = { asleepMs: 0 };
    const times = new ServerTimes(clock, () => (clock.monotonic() + machine.asleepMs) / 1_000);
    const bounds = (key = 'clock') => times.bounds(key, clock.monotonic()).map(Number);
    return { clock, machine, times, bounds };
  };

  it('is nothing before an answer, then what has passed: least from the answer on, most from the question on', () => {
    const { clock, times, bounds } = open();
    expect(times.bounds('clock', 0)).toEqual(['', '', '']);
    clock.advance(40);
    times.hear('clock', 1_000_000, 3, 0);
    expect(bounds()).toEqual([999_999, 1_000_040, 3]);
    clock.advance(500);
    expect(bounds()).toEqual([1_000_499, 1_000_540, 3]);
    expect(times.bounds('another slot', 540)).toEqual(['', '', '']);
  });

  it('is not what a late answer from before a change says', () => {
    const { clock, times, bounds } = open();
    clock.advance(10);
    times.hear('clock', 2_000, 2, 5);
    times.hear('clock', 9_000, 1, 4);
    expect(bounds()).toEqual([1_999, 2_005, 2]);
    // Asked after it: the server has forgotten.
    clock.advance(5);
    times.hear('clock', 3_000, 0, 11);
    expect(bounds()).toEqual([2_999, 3_004, 0]);
  });

  it('is nothing after the machine has slept, and stays where only the wall clock is set', () => {
    const { clock, machine, times, bounds } = open();
    times.hear('clock', 1_000, 0, 0);
    clock.stepWall(3_600_000);
    expect(bounds()).toEqual([999, 1_000, 0]);
    machine.asleepMs = 60_000;
    clock.stepWall(60_000);
    expect(times.bounds('clock', 0)).toEqual(['', '', '']);
    times.hear('clock', 61_000, 0, 0);
    expect(bounds()).toEqual([60_999, 61_000, 0]);
  });
});

describe('R-RL-17 how much longer counters are kept', () => {
  const HOUR = 3_600_000;

  it('is as much shorter as more of them are made, on all nodes together', () => {
    const life = new LongerLife(HOUR, () => 4);
    expect(life.ms).toBe(HOUR);
    life.add(130, 0);
    expect(life.ms).toBe(HOUR);
    life.add(24_870, 0);
    expect(life.ms).toBe(20_000);
    life.add(0, 300_000);
    expect(life.ms).toBe(HOUR);
  });

  it.each([10, 60, 2_000, 20_000])(
    'comes to about 200 000 of them, at first to more: %i a second',
    (perSecond) => {
      const life = new LongerLife(HOUR, () => 1);
      const kept: number[] = [];
      for (let now = 0; now < 2 * HOUR; now += 1_000) {
        kept.push(now + life.ms);
        life.add(perSecond, now);
        const there = perSecond * kept.slice(-3_600).filter((until) => until > now).length;
        expect(there).toBeLessThanOrEqual(now < 300_000 ? 550_000 : 230_000);
      }
    },
  );
});

describe('what there is once in each slot', () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis({ settings: { 'cluster-enabled': 'yes' } });
    client = new Redis(server.url);
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });

  it('has one tag for all tags of the slot, by the count of a real server', async () => {
    const slots = new Map<number, string>();
    for (let i = 0; i < 300; i++) {
      const tag = `tag-${i}_`;
      const slot = await client.cluster('KEYSLOT', `a:{${tag}}:b`);
      const own = slotTagOf(tag);
      expect(await client.cluster('KEYSLOT', `a:{${own}}`)).toBe(slot);
      expect(slots.get(slot) ?? own).toBe(own);
      slots.set(slot, own);
    }
    const started = performance.now();
    for (let i = 0; i < 200_000; i++) slotTagOf(String(i));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
