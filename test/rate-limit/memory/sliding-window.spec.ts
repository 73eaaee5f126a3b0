import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { MemoryRateLimitStorage } from '../../../lib/rate-limit/memory/memory-rate-limit-storage.js';
import { FakeClock } from '../fake-clock.js';
import { SlidingLog } from '../sliding-log.js';
import { consume } from '../plain-charge.js';

interface Step {
  readonly gap: number;
  readonly cost: number;
  readonly key: number;
}

/** How much later than a window a unit may come back because its time is kept in steps: not at all for usual limits and windows. */
const grainOf = (limit: number, windowMs: number) =>
  Math.ceil(Math.ceil(windowMs / 6) / (2 ** Math.clz32(limit) - 1)) - 1;

/** Pauses from nothing to several windows, most of them short, whole and broken milliseconds. */
const gaps = (windowMs: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.double({ min: 0, max: windowMs / 10, noNaN: true }) },
    { weight: 4, arbitrary: fc.nat({ max: Math.ceil(windowMs / 5) }) },
    { weight: 1, arbitrary: fc.constantFrom(windowMs - 1, windowMs, windowMs + 1, 8 * windowMs) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 3 * windowMs, noNaN: true }) },
  );

const scenario = fc
  .record({
    windowMs: fc.oneof(fc.integer({ min: 100, max: 2_000 }), fc.constantFrom(1_000, 60_000, 31 * 86_400_000)),
    limit: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(1_000_000_000)),
    start: fc.constantFrom(0, 0.4, 2 ** 31 - 50, 2 ** 32 - 500, 2 ** 40),
  })
  .chain(({ windowMs, limit, start }) =>
    fc.record({
      windowMs: fc.constant(windowMs),
      limit: fc.constant(limit),
      start: fc.constant(start),
      steps: fc.array(
        fc.record<Step>({
          gap: gaps(windowMs),
          cost: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: Math.ceil(limit * 1.1) })),
          key: fc.constantFrom(0, 0, 0, 1),
        }),
        { minLength: 1, maxLength: 120 },
      ),
    }),
  );

const RUNS = { numRuns: 1_000 };

describe('the sliding window', () => {
  const storages: MemoryRateLimitStorage[] = [];
  const open = (clock: FakeClock) => {
    const storage = new MemoryRateLimitStorage({ clock });
    storages.push(storage);
    return storage;
  };
  afterEach(() => {
    for (const storage of storages.splice(0)) storage.close();
  });

  it('R-RL-15 lets at most the limit through in any interval of one window', () => {
    fc.assert(
      fc.property(scenario, ({ windowMs, limit, start, steps }) => {
        const clock = new FakeClock();
        const storage = open(clock);
        const log = new SlidingLog();
        clock.advance(start);
        for (const { gap, cost, key } of steps) {
          clock.advance(gap);
          const charge = { key: `k${key}`, limit, windowMs, cost };
          if (consume(storage, [charge]).allowed) log.add(charge.key, clock.monotonic(), cost);
        }
        expect(log.busiest('k0', windowMs)).toBeLessThanOrEqual(limit);
        expect(log.busiest('k1', windowMs)).toBeLessThanOrEqual(limit);
        storage.close();
      }),
      RUNS,
    );
  });

  it('R-RL-15 never admits what an exact log refuses, and refuses only what comes within a sixth of a window too early', () => {
    fc.assert(
      fc.property(scenario, ({ windowMs, limit, start, steps }) => {
        const clock = new FakeClock();
        const storage = open(clock);
        const log = new SlidingLog();
        clock.advance(start);
        for (const { gap, cost, key } of steps) {
          clock.advance(gap);
          const now = clock.monotonic();
          const charge = { key: `k${key}`, limit, windowMs, cost };
          const { allowed } = consume(storage, [charge]);
          if (allowed) {
            expect(log.fits(charge, now, windowMs)).toBe(true);
            log.add(charge.key, now, cost);
          } else {
            // A sixth and two milliseconds: turns and hits are whole ones. And never later than the end of the turn.
            expect(log.fits(charge, now, windowMs + windowMs / 6 + 3)).toBe(false);
          }
        }
        storage.close();
      }),
      RUNS,
    );
  });

  it('R-RL-04 PITFALL-T11 after resetMs a refused charge passes, and a millisecond before it does not', () => {
    fc.assert(
      fc.property(scenario, ({ windowMs, limit, start, steps }) => {
        const clock = new FakeClock();
        const storage = open(clock);
        clock.advance(Math.floor(start));
        for (const { gap, cost, key } of steps) {
          clock.advance(Math.floor(gap));
          const charge = { key: `k${key}`, limit, windowMs, cost };
          const { allowed, states } = consume(storage, [charge]);
          const { remaining, resetMs } = states[0]!;
          expect(resetMs).toBeGreaterThanOrEqual(0);
          expect(resetMs).toBeLessThanOrEqual(windowMs + grainOf(limit, windowMs));
          expect(Number.isSafeInteger(remaining) && remaining >= 0 && remaining <= limit).toBe(true);
          if (allowed || cost > limit) continue;
          expect(resetMs).toBeGreaterThan(0);
          clock.advance(resetMs - 1);
          expect(consume(storage, [charge]).allowed).toBe(false);
          clock.advance(1);
          expect(consume(storage, [charge]).allowed).toBe(true);
        }
        storage.close();
      }),
      RUNS,
    );
  });

  it('R-RL-04 resetMs is short by less than a millisecond where the clock reads fractions', () => {
    fc.assert(
      fc.property(scenario, ({ windowMs, limit, start, steps }) => {
        const clock = new FakeClock();
        const storage = open(clock);
        clock.advance(start);
        for (const { gap, cost } of steps) {
          clock.advance(gap);
          const charge = { key: 'k', limit, windowMs, cost };
          const { allowed, states } = consume(storage, [charge]);
          if (allowed || cost > limit) continue;
          clock.advance(states[0]!.resetMs + 1);
          expect(consume(storage, [charge]).allowed).toBe(true);
        }
        storage.close();
      }),
      RUNS,
    );
  });

  it('R-RL-03 for a charge that passed, resetMs is when the next units come back', () => {
    fc.assert(
      fc.property(scenario, ({ windowMs, limit, steps }) => {
        const clock = new FakeClock();
        const storage = open(clock);
        const look = { key: 'k', limit, windowMs, cost: 0 };
        for (const { gap, cost } of steps) {
          clock.advance(Math.floor(gap));
          const { allowed, states } = consume(storage, [{ ...look, cost }]);
          const { remaining, resetMs } = states[0]!;
          if (!allowed || remaining === limit) continue;
          clock.advance(resetMs - 1);
          expect(consume(storage, [look]).states[0]!.remaining).toBe(remaining);
          clock.advance(1);
          expect(consume(storage, [look]).states[0]!.remaining).toBeGreaterThan(remaining);
        }
        storage.close();
      }),
      RUNS,
    );
  });

  it.each([1, 7, 1_000])(
    'R-RL-15 PITFALL-R2 %i at the end of one window and as many at the start of the next: no double burst',
    (limit) => {
      const clock = new FakeClock();
      const storage = open(clock);
      const charge = { key: 'k', limit, windowMs: 60_000, cost: 1 };
      const passes = () =>
        Array.from({ length: 2 * limit }, () => consume(storage, [charge]).allowed).filter(Boolean).length;
      clock.advance(59_990);
      expect(passes()).toBe(limit);
      clock.advance(20);
      expect(passes()).toBe(0);
      clock.advance(59_979);
      expect(passes()).toBe(0);
      clock.advance(1);
      expect(passes()).toBe(limit);
    },
  );

  it('PITFALL-R2 four hits late in a window and then on: never more than four in any two seconds', () => {
    const clock = new FakeClock();
    const storage = open(clock);
    const log = new SlidingLog();
    for (let at = 0; at < 10_000; at += 50) {
      const charge = { key: 'k', limit: 4, windowMs: 2_000, cost: 1 };
      if (at >= 1_600 && consume(storage, [charge]).allowed) log.add('k', clock.monotonic(), 1);
      clock.advance(50);
    }
    expect(log.busiest('k', 2_000)).toBe(4);
  });

  it('R-RL-15 a client that paces itself by the limit gets nearly all of it', () => {
    const clock = new FakeClock();
    const storage = open(clock);
    let passed = 0;
    for (let hit = 0; hit < 10_000; hit++) {
      if (consume(storage, [{ key: 'k', limit: 100, windowMs: 10_000, cost: 1 }]).allowed) passed++;
      clock.advance(100);
    }
    expect(passed).toBeGreaterThan(8_500);
  });

  it('R-RL-16 a step of the wall clock changes nothing', () => {
    const clock = new FakeClock();
    const storage = open(clock);
    const charge = { key: 'k', limit: 1, windowMs: 60_000, cost: 1 };
    expect(consume(storage, [charge]).allowed).toBe(true);
    clock.stepWall(3_600_000);
    expect(consume(storage, [charge]).states[0]).toEqual({ allowed: false, remaining: 0, resetMs: 60_000 });
    clock.stepWall(-7_200_000);
    clock.advance(60_000);
    expect(consume(storage, [charge]).allowed).toBe(true);
  });

  it('R-RL-16 a monotonic clock that steps back all the same grants nothing', () => {
    const clock = new FakeClock();
    const storage = open(clock);
    const charge = { key: 'k', limit: 1, windowMs: 60_000, cost: 1 };
    clock.advance(100_000);
    consume(storage, [charge]);
    clock.stepBack(90_000);
    expect(consume(storage, [charge]).allowed).toBe(false);
  });

  it.each([32, 49.71, 50, 60, 99.42, 400])(
    'R-RL-16 after a pause of %d days nothing old counts again',
    (days) => {
      const clock = new FakeClock();
      const storage = open(clock);
      const charge = { key: 'k', limit: 1, windowMs: 31 * 86_400_000, cost: 1 };
      consume(storage, [charge]);
      clock.advance(days * 86_400_000);
      expect(consume(storage, [charge]).allowed).toBe(true);
      expect(consume(storage, [charge]).allowed).toBe(false);
    },
  );

  it('R-RL-15 a limit of 1 000 000 000 counts to the end', () => {
    const storage = open(new FakeClock());
    const charge = { key: 'k', limit: 1_000_000_000, windowMs: 1_000, cost: 999_999_999 };
    expect(consume(storage, [charge]).states[0]!.remaining).toBe(1);
    expect(consume(storage, [charge]).allowed).toBe(false);
    expect(consume(storage, [{ ...charge, cost: 1 }]).states[0]!.remaining).toBe(0);
    expect(consume(storage, [{ ...charge, cost: 1 }]).allowed).toBe(false);
  });
});
