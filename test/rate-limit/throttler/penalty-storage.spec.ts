import {
  createMeter,
  type LimitCharge,
  MemoryRateLimitStorage,
  type RateLimitStorage,
} from 'nestjs-api-security';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ResilientStorage } from '../../../lib/rate-limit/resilient-storage.js';
import { PenaltyStorage } from '../../../lib/rate-limit/throttler/penalty-storage.js';
import { registerThrottled } from '../../../lib/rate-limit/throttler/throttled-meter.js';
import { FakeClock } from '../fake-clock.js';

const SECOND = 1_000;
const BLOCK = 10 * SECOND;

describe.each(['synchronous', 'asynchronous'] as const)('penalties over a storage that is %s', (kind) => {
  let clock: FakeClock;
  let memory: MemoryRateLimitStorage;
  let calls: number;
  let storage: PenaltyStorage;

  const short = createMeter({ bucket: 'short', limit: 1, windowMs: SECOND });
  const long = createMeter({ bucket: 'long', limit: 5, windowMs: 60 * SECOND });
  const plain = createMeter({ bucket: 'plain', limit: 1, windowMs: SECOND });
  registerThrottled(short, 'short', BLOCK);
  registerThrottled(long, 'long', 0);

  beforeEach(() => {
    clock = new FakeClock();
    memory = new MemoryRateLimitStorage({ clock });
    calls = 0;
    const inner: RateLimitStorage = {
      consume: (charges) => {
        calls += 1;
        const decision = memory.consume(charges);
        return kind === 'synchronous' ? decision : Promise.resolve(decision);
      },
      refund: (charges, decision) => memory.refund(charges, decision),
      reset: (meter, subject) => memory.reset(meter, subject),
    };
    storage = new PenaltyStorage(inner);
  });
  afterEach(() => memory.close());

  const both = (subject = 'caller'): LimitCharge[] => [
    { meter: short, subject, cost: 1 },
    { meter: long, subject, cost: 1 },
  ];

  it('begins with the excess, and ends to the millisecond', async () => {
    expect((await storage.consume(both())).allowed).toBe(true);
    clock.advance(500);
    const refused = await storage.consume(both());
    expect(refused.allowed).toBe(false);
    expect(refused.states[0]).toEqual({ allowed: false, remaining: 0, resetMs: BLOCK });
    clock.advance(4 * SECOND);
    expect((await storage.consume(both())).states[0]).toMatchObject({ allowed: false, resetMs: 6 * SECOND });
    clock.advance(6 * SECOND - 1);
    expect((await storage.consume(both())).allowed).toBe(false);
    clock.advance(1);
    expect((await storage.consume(both())).allowed).toBe(true);
  });

  it('R-RL-14 what is refused meanwhile takes nothing of the other limits', async () => {
    await storage.consume(both());
    for (let i = 0; i < 20; i += 1) await storage.consume(both());
    clock.advance(BLOCK);
    expect((await storage.consume(both())).states[1]).toMatchObject({ allowed: true, remaining: 3 });
  });

  it('R-RL-10 takes one step for a decision, and a second one only when a penalty begins', async () => {
    await storage.consume(both());
    expect(calls).toBe(1);
    await storage.consume(both());
    expect(calls).toBe(3);
    clock.advance(2 * SECOND);
    await storage.consume(both());
    expect(calls).toBe(4);
  });

  it('keeps others out of it, and limits without a penalty', async () => {
    await storage.consume(both());
    await storage.consume(both());
    expect((await storage.consume(both('other'))).allowed).toBe(true);
    const charge = { meter: plain, subject: 'caller', cost: 1 };
    expect((await storage.consume([charge])).allowed).toBe(true);
    expect((await storage.consume([charge])).allowed).toBe(false);
    clock.advance(SECOND + 1);
    expect((await storage.consume([charge])).allowed).toBe(true);
  });

  it('R-RL-18 holds on a node that counts alone, with its share', async () => {
    const shared: RateLimitStorage = {
      consume: () => Promise.reject(new Error('down')),
      reset: () => undefined,
    };
    const alone = new ResilientStorage(shared, memory, {
      clock,
      nodes: 3,
      onFailure: () => undefined,
      onRecovery: () => undefined,
    });
    storage = new PenaltyStorage(alone);
    await storage.consume(both().slice(0, 1));
    expect((await storage.consume(both().slice(0, 1))).states[0]).toMatchObject({
      allowed: false,
      resetMs: BLOCK,
    });
    clock.advance(5 * SECOND);
    expect((await storage.consume(both().slice(0, 1))).states[0]).toMatchObject({
      allowed: false,
      resetMs: 5 * SECOND,
    });
    clock.advance(5 * SECOND);
    expect((await storage.consume(both().slice(0, 1))).allowed).toBe(true);
  });

  it('gives back what a decision has charged', async () => {
    const decision = await storage.consume(both());
    await storage.refund([both()[1]!], decision);
    clock.advance(SECOND + 1);
    expect((await storage.consume(both())).states[1]).toMatchObject({ remaining: 4 });
  });

  it('is forgotten with its counter', async () => {
    await storage.consume(both());
    await storage.consume(both());
    await storage.reset(short, 'caller');
    expect((await storage.consume(both())).allowed).toBe(true);
  });
});
