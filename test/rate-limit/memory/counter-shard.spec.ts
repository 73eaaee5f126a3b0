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
  high: fc.oneof(fc.nat(1), fc.nat(0xffff)),
  low: fc.oneof(fc.nat(3), fc.integer({ min: 0xffff_fff0, max: 0xffff_ffff }), fc.nat(0xffff_ffff)),
});
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ digest, blocked: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ removed: digest }) },
  { weight: 6, arbitrary: fc.record({ digest, cost: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ wait: fc.nat(WINDOW_MS) }) },
  { weight: 1, arbitrary: fc.constant('sweep' as const) },
);

interface Counted {
  readonly high: number;
  readonly low: number;
  readonly start: number;
  used: number;
  blocked: boolean;
}

describe('a part of the counters', () => {
  it('R-RL-17 a sweep takes out what has lapsed and nothing else, wherever the records lie', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const meters = new CounterMeters();
        const meter = meters.of(limit);
        const shard = new CounterShard(meters);
        const kept = new Map<string, Counted>();
        let now = 0;
        for (const one of steps) {
          const moment = { now, hit: now };
          if (one === 'sweep') {
            shard.sweep(moment);
            for (const [name, { start }] of kept) if (now - start >= WINDOW_MS) kept.delete(name);
            expect(shard.count).toBe(kept.size);
            expect(meter.live).toBe(kept.size);
          } else if ('wait' in one) now += one.wait;
          else if ('removed' in one) {
            const { high, low } = one.removed;
            const found = shard.find(high, low, meter);
            expect(found >= 0).toBe(kept.delete(`${high} ${low}`));
            if (found >= 0) shard.remove(found);
          } else if ('blocked' in one) {
            const { high, low } = one.digest;
            const model = kept.get(`${high} ${low}`);
            if (model === undefined) continue;
            shard.markBlocked(shard.find(high, low, meter), one.blocked);
            model.blocked = one.blocked;
          } else {
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
            else kept.set(name, { high, low, start: now, used: one.cost, blocked: model?.blocked ?? false });
          }
          const standing = { used: 0, resetMs: 0 };
          for (const { high, low, start, used, blocked } of kept.values()) {
            const slot = shard.find(high, low, meter);
            expect(shard.isBlocked(slot)).toBe(blocked);
            if (now - start >= WINDOW_MS) continue;
            readRecord(shard, slot, meter, limit, { now, hit: now }, standing);
            expect(standing.used).toBe(used);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('R-RL-17 R-RL-20 finds each record of one run, blocked or not, also those of one subject and those past the end', () => {
    const meters = new CounterMeters();
    const limits = [1, 2, 3].map((i) => createMeter({ bucket: 'b', limit: 1, windowMs: i * WINDOW_MS }));
    const [first, second, third] = limits.map((one) => meters.of(one));
    const shard = new CounterShard(meters);
    const moment = { now: 0, hit: 0 };
    const last = 0xffff_ffff;
    // One place to begin at for all: only the first record lies there. Digests that differ in one bit of either half, 0 in the upper one included.
    const records = [
      [0, last, first],
      [0, last, second],
      [1, last, first],
      [0x4000, last, first],
      [0, last - 1, first],
      [0, last, third],
    ] as const;
    const slots = records.map(([high, low, meter]) => shard.add(high, low, meter!));
    expect(Math.max(...slots) - Math.min(...slots)).toBeGreaterThan(records.length);
    expect(shard.find(0, last - 1, second!)).toBe(-1);
    expect(shard.find(1, last, second!)).toBe(-1);
    for (const blocked of [true, false]) {
      for (const slot of slots) shard.markBlocked(slot, blocked);
      expect(records.map(([high, low, meter]) => shard.find(high, low, meter!))).toEqual(slots);
      expect(slots.every((slot) => shard.isBlocked(slot) === blocked)).toBe(true);
    }
    shard.markBlocked(slots[5]!, true);
    shard.remove(slots[0]!);
    expect(shard.find(0, last, first!)).toBe(-1);
    const moved = records.slice(1).map(([high, low, meter]) => shard.find(high, low, meter!));
    expect(moved).toEqual(slots.slice(0, 5));
    expect(moved.map((slot) => shard.isBlocked(slot))).toEqual([false, false, false, false, true]);
    expect(shard.sweep(moment)).toBe(5);
    expect(limits.map((one) => meters.of(one).live)).toEqual([0, 0, 0]);
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
