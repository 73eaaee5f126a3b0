import { AsyncLocalStorage } from 'node:async_hooks';

import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import {
  MemoryRateLimitStorage,
  type MemoryRateLimitStorageOptions,
} from '../../../lib/rate-limit/memory/memory-rate-limit-storage.js';
import { checkMemoryRateLimitStorageOptions } from '../../../lib/rate-limit/memory/memory-storage-bounds.js';
import { FakeClock } from '../fake-clock.js';
import { SlidingLog } from '../sliding-log.js';
import { chargeOf, consume, type PlainCharge } from '../plain-charge.js';

const MINUTE = 60_000;

const charge = (key: string, limit = 3, more: Partial<PlainCharge> = {}): PlainCharge => ({
  key,
  limit,
  windowMs: MINUTE,
  cost: 1,
  ...more,
});

describe('MemoryRateLimitStorage', () => {
  const storages: MemoryRateLimitStorage[] = [];
  const open = (options: MemoryRateLimitStorageOptions = {}) => {
    const storage = new MemoryRateLimitStorage({ clock: new FakeClock(), ...options });
    storages.push(storage);
    return storage;
  };
  const remaining = (storage: MemoryRateLimitStorage, key: string, limit = 3) =>
    consume(storage, [charge(key, limit, { cost: 0 })]).states[0]!.remaining;

  afterEach(() => {
    vi.useRealTimers();
    for (const storage of storages.splice(0)) storage.close();
  });

  describe('several charges', () => {
    it('R-RL-14 PITFALL-T15 charges none if one has no room, and says of each how it stands', () => {
      const storage = open();
      consume(storage, [charge('short', 5)]);
      consume(storage, [charge('long', 1)]);
      const { allowed, states } = consume(storage, [charge('short', 5), charge('long', 1), charge('new', 9)]);
      expect(allowed).toBe(false);
      expect(states).toEqual([
        { allowed: true, remaining: 4, resetMs: MINUTE },
        { allowed: false, remaining: 0, resetMs: MINUTE },
        { allowed: true, remaining: 9, resetMs: 0 },
      ]);
      expect(remaining(storage, 'short', 5)).toBe(4);
      expect(storage.size).toBe(2);
    });

    it('R-RL-14 two charges of one key count together', () => {
      const storage = open();
      expect(consume(storage, [charge('k', 3), charge('k', 3, { cost: 3 })]).allowed).toBe(false);
      expect(storage.size).toBe(0);
      const { allowed, states } = consume(storage, [charge('k', 3), charge('k', 3, { cost: 2 })]);
      expect(allowed).toBe(true);
      expect(states.map((state) => state.remaining)).toEqual([0, 0]);
      expect(storage.size).toBe(1);
    });

    it('R-RL-14 all or none, whatever the keys, costs and limits', () => {
      const step = fc.record({
        gap: fc.nat({ max: 400 }),
        charges: fc.array(
          fc.record({
            key: fc.constantFrom('a', 'b', 'c'),
            limit: fc.constantFrom(3, 5, 8),
            windowMs: fc.constantFrom(1_000, 1_500),
            cost: fc.nat({ max: 4 }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
      });
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
          const clock = new FakeClock();
          const storage = open({ clock });
          const log = new SlidingLog();
          const counterOf = ({ key, windowMs }: PlainCharge) => `${key}/${windowMs}`;
          for (const { gap, charges } of steps) {
            clock.advance(gap);
            const now = clock.monotonic();
            const before = charges.map(
              (one) => consume(storage, [{ ...one, cost: 0, limit: 1_000 }]).states[0]!,
            );
            const { allowed, states } = consume(storage, charges);
            const after = charges.map(
              (one) => consume(storage, [{ ...one, cost: 0, limit: 1_000 }]).states[0]!,
            );
            const taken = charges.map((one) =>
              charges
                .filter((other) => counterOf(other) === counterOf(one))
                .reduce((sum, { cost }) => sum + cost, 0),
            );
            expect(allowed).toBe(states.every((state) => state.allowed));
            expect(after.map((state, i) => before[i]!.remaining - state.remaining)).toEqual(
              allowed ? taken : taken.map(() => 0),
            );
            if (!allowed) continue;
            for (const one of charges) log.add(counterOf(one), now, one.cost);
            for (const one of charges.filter(({ cost }) => cost > 0))
              expect(log.used(counterOf(one), now, one.windowMs)).toBeLessThanOrEqual(one.limit);
          }
          storage.close();
        }),
        { numRuns: 500 },
      );
    });

    it('R-RL-15 limits of one key under different windows are different counters', () => {
      const storage = open();
      const second = charge('k', 2, { windowMs: 1_000 });
      const minute = charge('k', 3);
      expect(consume(storage, [second, minute]).allowed).toBe(true);
      expect(consume(storage, [second]).allowed).toBe(true);
      expect(consume(storage, [minute]).allowed).toBe(true);
      expect(consume(storage, [second]).allowed).toBe(false);
      expect(consume(storage, [minute]).states[0]!.remaining).toBe(0);
      expect(storage.size).toBe(2);
    });
  });

  describe('a charge', () => {
    it('R-RL-14 that does not fit takes nothing', () => {
      const storage = open();
      consume(storage, [charge('k', 10, { cost: 5 })]);
      const { allowed, states } = consume(storage, [charge('k', 10, { cost: 10 })]);
      expect(allowed).toBe(false);
      expect(states[0]!.remaining).toBe(5);
      expect(remaining(storage, 'k', 10)).toBe(5);
    });

    it('R-RL-14 of 0 only looks', () => {
      const storage = open();
      expect(consume(storage, [charge('k', 3, { cost: 0 })])).toMatchObject({
        allowed: true,
        states: [{ allowed: true, remaining: 3, resetMs: 0 }],
      });
      expect(storage.size).toBe(0);
      for (let i = 0; i < 3; i++) consume(storage, [charge('k')]);
      expect(consume(storage, [charge('k', 3, { cost: 0 })]).states[0]).toEqual({
        allowed: true,
        remaining: 0,
        resetMs: MINUTE,
      });
    });

    it('R-RL-07 that is refused makes no counter', () => {
      const storage = open();
      expect(consume(storage, [charge('k', 3, { cost: 4 })])).toMatchObject({
        allowed: false,
        states: [{ allowed: false, remaining: 3, resetMs: MINUTE }],
      });
      expect(storage.size).toBe(0);
    });

    it.each<[string, Partial<PlainCharge>]>([
      ['cost', { cost: -1 }],
      ['cost', { cost: 0.5 }],
      ['cost', { cost: Number.NaN }],
      ['limit', { limit: Number.NaN }],
      ['limit', { limit: 1.5 }],
      ['limit', { limit: 1_000_000_001 }],
      ['window', { windowMs: 0 }],
      ['window', { windowMs: 0.5 }],
      ['window', { windowMs: 31 * 86_400_000 + 1 }],
      ['window', { windowMs: 2 ** 32 + 1_000 }],
    ])('PITFALL-R4 with a bad %s is an error, never no limit: %o', (word, wrong) => {
      const storage = open();
      expect(() => consume(storage, [charge('k', 3, wrong)])).toThrow(word);
      expect(storage.size).toBe(0);
    });
  });

  it('R-RL-10 of 200 at once at 50 exactly 50 pass, 20 rounds', async () => {
    const storage = open();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(
        Array.from({ length: 200 }, async () => {
          await Promise.resolve();
          return consume(storage, [charge(`round ${round}`, 50)]).allowed;
        }),
      );
      expect(answers.filter(Boolean)).toHaveLength(50);
    }
  });

  it('R-RL-20 crafted ids have counters of their own', () => {
    const storage = open();
    const keys = [
      'a:b|c',
      'a|b:c',
      'a',
      'a\0',
      'a\0\0',
      'a\r\nDEL x',
      '',
      '\0',
      'é',
      'e\u0301',
      '\u00e9\u0301',
    ];
    // Packed in bytes the first would look like the second in pairs, and the third like the fourth.
    keys.push(
      'ab\0\0',
      '\u6261',
      'abcd',
      '\u6261\u6463',
      '__proto__',
      'constructor',
      'x'.repeat(256),
      'x'.repeat(512),
    );
    for (const key of keys)
      expect(consume(storage, [charge(key, 1)]).allowed, JSON.stringify(key)).toBe(true);
    for (const key of keys)
      expect(consume(storage, [charge(key, 1)]).allowed, JSON.stringify(key)).toBe(false);
    expect(storage.size).toBe(keys.length);
  });

  it('R-RL-20 200 000 ids that differ in one character never meet', () => {
    const storage = open({ maxKeys: 300_000 });
    for (let i = 0; i < 200_000; i++) {
      expect(consume(storage, [charge(`p:user-${i}`, 1)]).allowed).toBe(true);
    }
    expect(storage.size).toBe(200_000);
  });

  it('R-RL-17 counts rightly under more different limits, one after the other, than can have counters at once', () => {
    const clock = new FakeClock();
    const storage = open({ clock });
    const windows = Array.from({ length: 70_000 }, (_, i) => 1_000 + i);
    const passes = (windowMs: number) => consume(storage, [charge(`k${windowMs}`, 1, { windowMs })]).allowed;
    expect(windows.slice(0, 40_000).every(passes)).toBe(true);
    expect(passes(1_500)).toBe(false);
    clock.advance(50_000);
    expect(windows.slice(40_000).every(passes)).toBe(true);
    expect(windows.slice(40_000).some(passes)).toBe(false);
    expect([passes(1_500), passes(1_500)]).toEqual([true, false]);
  });

  it('R-RL-17 a subject with thousands of limits costs no more than thousands of subjects', () => {
    const storage = open();
    const passes = (windowMs: number) => consume(storage, [charge('k', 1, { windowMs })]).allowed;
    const windows = Array.from({ length: 8_000 }, (_, i) => 60_000 + i);
    expect(windows.every(passes)).toBe(true);
    expect(windows.some(passes)).toBe(false);
  });

  it('forgets the counter of a subject under a limit on reset, and no other', () => {
    const storage = open();
    for (const windowMs of [1_000, MINUTE]) consume(storage, [charge('k', 1, { windowMs })]);
    consume(storage, [charge('other', 1)]);
    storage.reset(chargeOf(charge('k')).meter, 'k');
    storage.reset(chargeOf(charge('k')).meter, 'unknown');
    expect(storage.size).toBe(2);
    expect(consume(storage, [charge('k', 1)]).allowed).toBe(true);
    expect(consume(storage, [charge('other', 1)]).allowed).toBe(false);
  });

  describe('at the cap', () => {
    const MAX = 1_000;

    it('R-RL-17 holds no more than maxKeys, however many come', () => {
      const storage = open({ maxKeys: MAX });
      for (let i = 0; i < 20_000; i++) {
        expect(consume(storage, [charge(`k${i}`)]).allowed).toBe(true);
        expect(storage.size).toBeLessThanOrEqual(MAX);
      }
      for (let i = 0; i < 5_000; i++) {
        consume(storage, [charge(`a${i}`), charge(`b${i}`, 4), charge(`a${i}`)]);
        expect(storage.size).toBeLessThanOrEqual(MAX);
      }
    });

    it('R-RL-17 lapsed counters go first', () => {
      const clock = new FakeClock();
      const storage = open({ maxKeys: MAX, clock });
      for (let i = 0; i < MAX / 2; i++) consume(storage, [charge(`old${i}`, 3, { windowMs: 1_000 })]);
      for (let i = 0; i < MAX / 2; i++) consume(storage, [charge(`live${i}`)]);
      clock.advance(1_000);
      for (let i = 0; i < MAX / 2; i++) consume(storage, [charge(`new${i}`)]);
      // The last few lapsed ones may lie beyond the stretch that one newcomer looks at.
      const kept = Array.from({ length: MAX / 2 }, (_, i) => remaining(storage, `live${i}`)).filter(
        (left) => left === 2,
      );
      expect(kept.length).toBeGreaterThanOrEqual(0.95 * (MAX / 2));
    });

    it('R-RL-17 of the others those that were used least recently', () => {
      const clock = new FakeClock();
      const storage = open({ maxKeys: MAX, clock });
      for (let i = 0; i < MAX; i++) consume(storage, [charge(`k${i}`, 9)]);
      clock.advance(10);
      for (let i = 0; i < MAX; i += 2) consume(storage, [charge(`k${i}`, 9)]);
      clock.advance(10);
      for (let i = 0; i < MAX / 4; i++) consume(storage, [charge(`new${i}`, 9)]);
      let busyKept = 0;
      let idleKept = 0;
      for (let i = 0; i < MAX; i += 2) {
        if (remaining(storage, `k${i}`, 9) === 7) busyKept++;
        if (remaining(storage, `k${i + 1}`, 9) === 8) idleKept++;
      }
      // The oldest of a sample goes, so a few may be the oldest of theirs only.
      expect(busyKept).toBeGreaterThanOrEqual(0.95 * (MAX / 2));
      expect(busyKept + idleKept).toBe((3 * MAX) / 4);
    });

    it(
      'R-RL-17 a counter that refuses stays through a flood of a million others',
      { timeout: 120_000 },
      () => {
        const storage = open({ maxKeys: MAX });
        consume(storage, [charge('refused', 3, { cost: 2 })]);
        expect(consume(storage, [charge('refused', 3, { cost: 2 })]).allowed).toBe(false);
        for (let i = 0; i < 3; i++) consume(storage, [charge('spent')]);
        for (let i = 0; i < 1_000_000; i++) consume(storage, [charge(`flood${i}`)]);
        expect(consume(storage, [charge('refused', 3, { cost: 2 })]).allowed).toBe(false);
        expect(consume(storage, [charge('spent')]).allowed).toBe(false);
        expect(storage.size).toBe(MAX);
      },
    );

    it('R-RL-17 while all are refusing, newcomers share one counter, and looks see it', () => {
      const clock = new FakeClock();
      const storage = open({ maxKeys: MAX, clock });
      for (let i = 0; i < MAX; i++) consume(storage, [charge(`k${i}`, 1)]);
      expect(consume(storage, [charge('new1')]).states[0]!.remaining).toBe(2);
      expect(consume(storage, [charge('new2', 3, { cost: 2 })]).allowed).toBe(true);
      expect(consume(storage, [charge('new3')])).toMatchObject({
        allowed: false,
        states: [{ allowed: false, remaining: 0, resetMs: MINUTE }],
      });
      expect(remaining(storage, 'new4')).toBe(0);
      // Another limit, another shared counter.
      expect(consume(storage, [charge('new5', 4)]).states[0]!.remaining).toBe(3);
      expect(storage.size).toBe(MAX);
      for (let i = 0; i < MAX; i++) expect(consume(storage, [charge(`k${i}`, 1)]).allowed).toBe(false);
      clock.advance(MINUTE);
      expect(consume(storage, [charge('new3')]).states[0]!.remaining).toBe(2);
    });

    it('R-RL-14 R-RL-17 all or none also for newcomers that share', () => {
      const storage = open({ maxKeys: MAX });
      for (let i = 0; i < MAX; i++) consume(storage, [charge(`k${i}`, 1)]);
      expect(consume(storage, [charge('x'), charge('y'), charge('x'), charge('z', 9)]).allowed).toBe(true);
      const { allowed, states } = consume(storage, [charge('z', 9), charge('v')]);
      expect(allowed).toBe(false);
      expect(states.map((state) => state.remaining)).toEqual([8, 0]);
      expect(consume(storage, [charge('w', 9)]).states[0]!.remaining).toBe(7);
      expect(storage.size).toBe(MAX);
    });

    it('R-RL-17 a charge does not push out its own neighbours', () => {
      const clock = new FakeClock();
      const storage = open({ maxKeys: MAX, clock });
      for (let i = 0; i < 10; i++) consume(storage, [charge(`own${i}`, 9)]);
      clock.advance(1);
      for (let i = 10; i < MAX; i++) consume(storage, [charge(`k${i}`, 1)]);
      for (let round = 0; round < 8; round++) {
        const charges = Array.from({ length: 10 }, (_, i) => charge(`own${i}`, 9));
        consume(storage, [...charges, charge(`new${round}`, 9)]);
      }
      for (let i = 0; i < 10; i++) expect(remaining(storage, `own${i}`, 9)).toBe(0);
    });
  });

  describe('memory', () => {
    it('R-RL-17 one timer gives everything back once windows have passed', () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const clock = new FakeClock();
      const storage = open({ clock });
      for (let i = 0; i < 50_000; i++) consume(storage, [charge(`k${i}`)]);
      expect(vi.getTimerCount()).toBe(1);
      clock.advance(MINUTE - 1);
      vi.advanceTimersByTime(10_000);
      expect(storage.size).toBe(50_000);
      clock.advance(1);
      vi.advanceTimersByTime(10_000);
      expect(storage.size).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('R-RL-17 newcomers sweep too, should the timer be late', () => {
      const clock = new FakeClock();
      const storage = open({ clock });
      for (let i = 0; i < 10_000; i++) consume(storage, [charge(`old${i}`)]);
      clock.advance(MINUTE);
      for (let i = 0; i < 10_000; i++) consume(storage, [charge(`new${i}`)]);
      expect(storage.size).toBeLessThan(11_000);
    });

    it('the timer keeps no process alive and no request context', async () => {
      const context = new AsyncLocalStorage<string>();
      const timers: NodeJS.Timeout[] = [];
      const seen: (string | undefined)[] = [];
      const real = globalThis.setTimeout;
      const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
        seen.push(context.getStore());
        const timer = real(run, ms);
        timers.push(timer);
        return timer;
      }) as typeof setTimeout);
      const storage = open();
      await context.run('request', async () => consume(storage, [charge('k')]));
      spy.mockRestore();
      expect(timers).toHaveLength(1);
      expect(timers[0]!.hasRef()).toBe(false);
      expect(seen).toEqual([undefined]);
    });

    it('close() stops the timer for good', () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const storage = open();
      consume(storage, [charge('k')]);
      storage.close();
      expect(storage.size).toBe(0);
      consume(storage, [charge('k')]);
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  describe('options', () => {
    const problemsOf = (options: object) => {
      const problems = new ConfigurationProblems();
      checkMemoryRateLimitStorageOptions(options, 'rateLimit', problems);
      return problems;
    };

    it.each([999, 10_000_001, 1_000.5, '5000', Number.NaN, null])(
      'R-RL-17 refuses maxKeys %o at boot and in the constructor',
      (maxKeys) => {
        expect(() => problemsOf({ maxKeys }).throwIfAny()).toThrow('rateLimit.maxKeys');
        expect(() => new MemoryRateLimitStorage({ maxKeys: maxKeys as number })).toThrow(RangeError);
      },
    );

    it('R-RL-17 takes maxKeys in its bounds', () => {
      for (const options of [{}, { maxKeys: 1_000 }, { maxKeys: 10_000_000 }])
        expect(problemsOf(options).size).toBe(0);
    });
  });
});
