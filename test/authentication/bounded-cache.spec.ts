import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BoundedCache } from '../../lib/authentication/bounded-cache.js';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** Nanoseconds of one call, from the fastest of several rounds. */
function costOf(run: (i: number) => void): number {
  let best = Infinity;
  for (let round = 0, i = 0; round < 10; round += 1) {
    const started = process.hrtime.bigint();
    for (const end = i + 2_000; i < end; i += 1) run(i);
    best = Math.min(best, Number(process.hrtime.bigint() - started) / 2_000);
  }
  return best;
}

describe('a bounded cache', () => {
  it('R-AK-13 forgets what was written longest ago, and never holds more than it may', () => {
    const cache = new BoundedCache<number>(3);
    for (let i = 0; i < 5; i += 1) cache.set(String(i), i);
    expect(cache.size).toBe(3);
    expect(['0', '1', '2', '3', '4'].map((key) => cache.get(key))).toEqual([undefined, undefined, 2, 3, 4]);
  });

  it('R-AK-13 keeps longer what is written again', () => {
    const cache = new BoundedCache<string>(3);
    for (const key of ['a', 'b', 'c', 'a', 'd', 'e']) cache.set(key, key.toUpperCase());
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => cache.get(key))).toEqual([
      'A',
      undefined,
      undefined,
      'D',
      'E',
    ]);
  });

  it('R-AK-13 makes room when everything is written again and again', () => {
    const cache = new BoundedCache<number>(100);
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 100; i += 1) cache.set(String(i), round);
    }
    cache.set('new', 3);
    expect([cache.size, cache.get('new')]).toEqual([100, 3]);
  });

  it('R-AK-13 goes on after everything is forgotten', () => {
    const cache = new BoundedCache<number>(2);
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 5; i += 1) cache.set(String(i), i);
      expect(cache.size).toBe(2);
      if (round === 0) cache.clear();
      else cache.deleteWhere(() => true);
      expect(cache.size).toBe(0);
    }
  });

  it('R-AK-13 holds the last value of each key that it has, whatever happened', () => {
    const step = fc.record({ key: fc.constantFrom(...KEYS), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (steps, max) => {
        const cache = new BoundedCache<number>(max);
        const written = new Map<string, number>();
        for (const [i, { key, remove }] of steps.entries()) {
          if (remove) {
            cache.delete(key);
            written.delete(key);
          } else {
            cache.set(key, i);
            written.set(key, i);
            expect(cache.get(key)).toBe(i);
          }
          expect(cache.size).toBeLessThanOrEqual(max);
          for (const one of KEYS) expect([undefined, written.get(one)]).toContain(cache.get(one));
        }
      }),
    );
  });

  it('R-AK-06 R-AU-14 one key written over and over costs no more than others', () => {
    const cache = new BoundedCache<number>(10_000);
    for (let i = 0; i < 9_000; i += 1) cache.set(`filler-${String(i)}`, i);
    const others = costOf((i) => cache.set(`other-${String(i)}`, i));
    const same = costOf((i) => {
      cache.set('same', i);
      cache.set(`more-${String(i)}`, i);
    });
    expect(same).toBeLessThan(5 * others + 500);
  });
});
