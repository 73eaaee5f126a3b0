import { ThrottlerStorageService } from '@nestjs/throttler';
import { MemoryRateLimitStorage } from 'nestjs-api-security';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeClock } from '../rate-limit/fake-clock.js';
import { consume } from '../rate-limit/plain-charge.js';

// What the storage of @nestjs/throttler 6.7.1 does by itself, and what this module's storage does in the same place.

const WINDOW = 20_000;
const SECOND = 1000;

const bare = new ThrottlerStorageService();

const hit = (limit: number, blockMs = 0): ReturnType<ThrottlerStorageService['increment']> =>
  bare.increment('caller', WINDOW, limit, blockMs, 'default');

/** As if `count` requests had just been let through, without waiting for them: each would be slower than the last. */
async function fillBare(count: number): Promise<void> {
  await hit(count * 2);
  const { hitExpirations } = bare as unknown as { hitExpirations: Map<string, Map<string, number[]>> };
  hitExpirations.get('caller')?.set('default', Array<number>(count).fill(Date.now() + WINDOW));
}

/** The fastest of several runs: whatever else the machine does only ever adds to the others. */
async function fastest(run: () => unknown): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < 15; round += 1) {
    const started = performance.now();
    for (let i = 0; i < 20; i += 1) await run();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

describe('the storage of @nestjs/throttler', () => {
  let clock: FakeClock;
  let ours: MemoryRateLimitStorage;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
    clock = new FakeClock();
    ours = new MemoryRateLimitStorage({ clock });
  });

  afterEach(() => {
    bare.onApplicationShutdown();
    ours.close();
    vi.useRealTimers();
  });

  const charge = (limit: number, cost = 1) => {
    const [state] = consume(ours, [{ key: 'caller', limit, windowMs: WINDOW, cost }]).states;
    if (state === undefined) throw new Error('no state for a charge');
    return state;
  };

  describe('PITFALL-T11 the reset', () => {
    it('bare: tells of another moment than the one when the next request passes', async () => {
      await hit(2);
      vi.advanceTimersByTime(18 * SECOND);
      await hit(2);
      vi.advanceTimersByTime(4 * SECOND);
      expect(await hit(2)).toMatchObject({ totalHits: 2, timeToExpire: 20 });
      vi.advanceTimersByTime(16 * SECOND);
      expect(await hit(2)).toMatchObject({ isBlocked: false });
    });

    it('R-RL-04 ours: is that moment, to the millisecond', () => {
      charge(2);
      clock.advance(18 * SECOND);
      charge(2);
      clock.advance(4 * SECOND);
      const { remaining, resetMs } = charge(2);
      expect(remaining).toBe(0);
      clock.advance(resetMs - 1);
      expect(charge(2).allowed).toBe(false);
      clock.advance(1);
      expect(charge(2).allowed).toBe(true);
      expect(Math.abs(resetMs - 16 * SECOND)).toBeLessThan(WINDOW / 10);
    });
  });

  describe('PITFALL-T12 many hits of one caller', () => {
    it('bare: each costs more than the last', async () => {
      vi.useRealTimers();
      await fillBare(200);
      const few = await fastest(() => hit(1_000_000, 1));
      await fillBare(40_000);
      const many = await fastest(() => hit(1_000_000, 1));
      expect(many / few).toBeGreaterThan(10);
    });

    it('ours: all cost the same', async () => {
      for (let i = 0; i < 200; i += 1) charge(1_000_000);
      const few = await fastest(() => charge(1_000_000));
      for (let i = 0; i < 40_000; i += 1) charge(1_000_000);
      const many = await fastest(() => charge(1_000_000));
      expect(many / few).toBeLessThan(5);
    });
  });

  describe('PITFALL-T14 a limit of hundreds of thousands', () => {
    it('bare: without a block the store throws', async () => {
      await fillBare(200_000);
      await expect(hit(200_000)).rejects.toThrow(RangeError);
    });

    it('ours: is a limit like any other', () => {
      expect(charge(200_000, 200_000)).toMatchObject({ allowed: true, remaining: 0 });
      expect(charge(200_000)).toMatchObject({ allowed: false, remaining: 0, resetMs: WINDOW });
    });
  });

  describe('PITFALL-T a block as long as the window', () => {
    it('bare: begins at the excess, so that one unit takes nearly two windows to come back', async () => {
      await hit(1, WINDOW);
      vi.advanceTimersByTime(WINDOW - SECOND);
      expect(await hit(1, WINDOW)).toMatchObject({ isBlocked: true, timeToBlockExpire: 20 });
      vi.advanceTimersByTime(WINDOW - SECOND);
      expect(await hit(1, WINDOW)).toMatchObject({ isBlocked: true });
    });

    it('ours: ends when there is room again, in the throttler’s own guard too', async () => {
      const throttled = () => ours.increment('caller', WINDOW, 1, WINDOW, 'default');
      await throttled();
      clock.advance(WINDOW - SECOND);
      expect(await throttled()).toMatchObject({ isBlocked: true, timeToBlockExpire: 1 });
      clock.advance(SECOND);
      expect(await throttled()).toMatchObject({ isBlocked: false });
    });
  });
});
