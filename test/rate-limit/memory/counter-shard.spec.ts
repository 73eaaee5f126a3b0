import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createMeter } from '../../../lib/policy/limit-meter.js';
import { CounterMeters } from '../../../lib/rate-limit/memory/counter-meter.js';
import { addToRecord, readRecord } from '../../../lib/rate-limit/memory/counter-record.js';
import { CounterShard } from '../../../lib/rate-limit/memory/counter-shard.js';

const WINDOW_MS = 1_000;
const limit = createMeter({ bucket: 'b', limit: 1_000, windowMs: WINDOW_MS, algorithm: 'fixed-window' });

// Few places to begin at, so that runs are long and go round the end of the table.
const digest = fc.record({
  high: fc.nat(0xffff),
  low: fc.oneof(fc.nat(3), fc.integer({ min: 0xffff_fff0, max: 0xffff_ffff }), fc.nat(0xffff_ffff)),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ digest, cost: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ wait: fc.nat(WINDOW_MS) }) },
  { weight: 1, arbitrary: fc.constant('sweep' as const) },
);

describe('a part of the counters', () => {
  it('R-RL-17 a sweep takes out what has lapsed and nothing else, wherever the records lie', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const meters = new CounterMeters();
        const meter = meters.of(limit);
        const shard = new CounterShard(meters);
        const kept = new Map<string, { high: number; low: number; start: number; used: number }>();
        let now = 0;
        for (const one of steps) {
          const moment = { now, hit: now };
          if (one === 'sweep') {
            shard.sweep(moment);
            for (const [name, { start }] of kept) if (now - start >= WINDOW_MS) kept.delete(name);
            expect(shard.count).toBe(kept.size);
            expect(meter.live).toBe(kept.size);
          } else if ('wait' in one) now += one.wait;
          else {
            const { high, low } = one.digest;
            const name = `${high} ${low}`;
            const model = kept.get(name);
            const found = shard.find(high, low, meter);
            expect(found >= 0).toBe(model !== undefined);
            addToRecord(
              shard,
              found < 0 ? shard.add(high, low, meter) : found,
              meter,
              limit,
              moment,
              one.cost,
            );
            const lives = model !== undefined && now - model.start < WINDOW_MS;
            if (lives) model.used += one.cost;
            else kept.set(name, { high, low, start: now, used: one.cost });
          }
          const standing = { used: 0, resetMs: 0 };
          for (const { high, low, start, used } of kept.values()) {
            if (now - start >= WINDOW_MS) continue;
            readRecord(shard, shard.find(high, low, meter), meter, limit, { now, hit: now }, standing);
            expect(standing.used).toBe(used);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('R-RL-17 gives memory back once most of it is free', () => {
    const meters = new CounterMeters();
    const meter = meters.of(limit);
    const shard = new CounterShard(meters);
    const add = (from: number, to: number, now: number) => {
      for (let i = from; i < to; i++) {
        const slot = shard.add(i, Math.imul(i, 0x9e37_79b1), meter);
        addToRecord(shard, slot, meter, limit, { now, hit: now }, 1);
      }
    };
    add(0, 4_000, 0);
    add(4_000, 4_100, 500);
    const full = shard.words.length;
    shard.sweep({ now: 1_000, hit: 1_000 });
    expect(shard.count).toBe(100);
    expect(shard.words.length).toBeLessThan(full / 10);
    shard.sweep({ now: 1_500, hit: 1_500 });
    expect([shard.count, shard.words.length]).toEqual([0, 0]);
  });
});
