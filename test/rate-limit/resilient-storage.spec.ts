import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { MemoryRateLimitStorage } from '../../lib/rate-limit/memory/memory-rate-limit-storage.js';
import type {
  LimitCharge,
  LimitDecision,
  RateLimitStorage,
} from '../../lib/rate-limit/rate-limit-storage.js';
import { type ResilienceOptions, ResilientStorage } from '../../lib/rate-limit/resilient-storage.js';
import { FakeClock } from './fake-clock.js';
import { chargeOf, consume, type PlainCharge } from './plain-charge.js';

/** Counters that others share, and that can be cut off: silent, or refusing at once. */
class ShakyStorage implements RateLimitStorage {
  fault: 'none' | 'silent' | 'refuses' | 'late' = 'none';
  asked = 0;
  nodes = 4;

  constructor(readonly counters: MemoryRateLimitStorage) {}

  async consume(charges: readonly LimitCharge[]): Promise<LimitDecision> {
    this.asked++;
    if (this.fault === 'refuses') throw new Error('connection refused');
    if (this.fault === 'silent') return new Promise(() => undefined);
    if (this.fault === 'late') await sleep(60);
    return this.counters.consume(charges);
  }

  refund(charges: readonly LimitCharge[], decision: LimitDecision): void {
    if (this.fault === 'refuses') throw new Error('connection refused');
    this.counters.refund(charges, decision);
  }

  reset(): void {}
}

/** A program that answers whatever it hears. */
const ECHO = `
require('node:net')
  .createServer((socket) => socket.on('data', () => socket.write('!')))
  .listen(0, '127.0.0.1', function () { console.log(this.address().port); });
`;

const charge = (more: Partial<PlainCharge> = {}): PlainCharge => ({
  key: 'k',
  limit: 8,
  windowMs: 60_000,
  cost: 1,
  ...more,
});

describe('R-RL-18 a shared storage that fails', () => {
  const opened: MemoryRateLimitStorage[] = [];
  afterEach(() => {
    for (const storage of opened.splice(0)) storage.close();
  });
  const open = (options: Partial<ResilienceOptions> = {}) => {
    const clock = new FakeClock();
    const counters = new MemoryRateLimitStorage({ clock });
    const own = new MemoryRateLimitStorage({ clock });
    opened.push(counters, own);
    const shaky = new ShakyStorage(counters);
    const failures: unknown[] = [];
    const recoveries: number[] = [];
    const storage = new ResilientStorage(shaky, own, {
      clock,
      onFailure: (error) => failures.push(error),
      onRecovery: (afterMs) => recoveries.push(afterMs),
      ...options,
    });
    return { clock, shaky, storage, failures, recoveries };
  };
  const pass = async (storage: ResilientStorage, times: number, more: Partial<PlainCharge> = {}) => {
    let passed = 0;
    for (let i = 0; i < times; i++) if ((await consume(storage, [charge(more)])).allowed) passed++;
    return passed;
  };

  it('R-RL-18 leaves each node its share of the quota, from the first failure on', async () => {
    const { shaky, storage } = open();
    expect(await pass(storage, 2)).toBe(2);
    shaky.fault = 'refuses';
    expect(await pass(storage, 20)).toBe(2);
    expect(await pass(storage, 20, { key: 'other', limit: 1 })).toBe(1);
  });

  it('R-RL-18 the number of nodes can be given', async () => {
    const { shaky, storage } = open({ nodes: 2 });
    shaky.fault = 'refuses';
    expect(await pass(storage, 20)).toBe(4);
  });

  it.each([
    ['open', 20],
    ['local', 2],
  ] as const)('R-RL-18 a limit that is %s lets %i of 20 through', async (onStoreFailure, passed) => {
    const { shaky, storage } = open();
    shaky.fault = 'refuses';
    expect(await pass(storage, 20, { onStoreFailure })).toBe(passed);
    expect(await pass(open({ onStoreFailure }).storage, 20)).toBe(8);
  });

  it('R-RL-18 a limit that is closed refuses with 503, whatever the limits beside it, unless it is a dry run', async () => {
    const { shaky, storage } = open();
    shaky.fault = 'refuses';
    const closed = charge({ onStoreFailure: 'closed' });
    const beside = charge({ key: 'beside', onStoreFailure: 'open' });
    const attempt = async (charges: PlainCharge[]) => consume(storage, charges);
    await expect(attempt([beside, closed])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(attempt([beside, closed])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await attempt([beside, { ...closed, dryRun: true }])).allowed).toBe(true);
  });

  it('R-RL-23 places that a late answer has taken are given back, so that none is missing behind the outage', async () => {
    const { clock, shaky, storage } = open({ timeoutMs: 20 });
    const place = charge({ algorithm: 'concurrency', limit: 2 });
    shaky.fault = 'late';
    for (let i = 0; i < 3; i++) {
      await consume(storage, [place]);
      clock.advance(600);
    }
    await sleep(100);
    shaky.fault = 'none';
    expect((await consume(storage, [place])).states[0]!.remaining).toBe(1);
  });

  it('R-RL-18 tells of units that cannot be given back once a minute, like any failure', async () => {
    const { clock, shaky, storage, failures } = open();
    const places = Array.from({ length: 5 }, () => charge({ algorithm: 'concurrency' }));
    const decisions = [];
    for (const place of places) decisions.push(await consume(storage, [place]));
    shaky.fault = 'refuses';
    for (const [index, place] of places.entries()) await storage.refund([chargeOf(place)], decisions[index]!);
    expect(failures).toHaveLength(1);
    clock.advance(60_000);
    await storage.refund([chargeOf(places[0]!)], decisions[0]!);
    expect(failures).toHaveLength(2);
  });

  it('R-RL-14 R-RL-18 limits of one request that differ in this decide together', async () => {
    const { shaky, storage } = open({ nodes: 1 });
    shaky.fault = 'refuses';
    const charges = [
      charge({ onStoreFailure: 'open' }),
      charge({ key: 'short', limit: 1 }),
      charge({ key: 'long', limit: 5 }),
    ];
    const first = await consume(storage, charges);
    expect(first.states.map(({ remaining }) => remaining)).toEqual([8, 0, 4]);
    const second = await consume(storage, charges);
    expect(second.allowed).toBe(false);
    expect(second.states.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 8],
      [false, 0],
      [true, 4],
    ]);
  });

  it('R-RL-18 PITFALL-R5 nobody waits longer than the time-out, and others do not wait at all while one tries', async () => {
    const { clock, shaky, storage } = open({ timeoutMs: 40 });
    shaky.fault = 'silent';
    const started = performance.now();
    await Promise.all(Array.from({ length: 50 }, async () => consume(storage, [charge()])));
    expect(performance.now() - started).toBeGreaterThanOrEqual(39);
    const { asked } = shaky;
    clock.advance(600);
    const trial = consume(storage, [charge()]);
    expect(trial).toBeInstanceOf(Promise);
    for (let i = 0; i < 100; i++) expect(consume(storage, [charge()])).not.toBeInstanceOf(Promise);
    await trial;
    expect(shaky.asked).toBe(asked + 1);
  });

  it('R-RL-18 counters of the storage go on where they were when it comes back', async () => {
    const { clock, shaky, storage, failures, recoveries } = open();
    expect(await pass(storage, 5)).toBe(5);
    shaky.fault = 'refuses';
    await pass(storage, 20);
    clock.advance(400);
    await pass(storage, 20);
    expect(storage.failing).toBe(true);
    shaky.fault = 'none';
    clock.advance(100);
    expect(await pass(storage, 20)).toBe(3);
    expect(storage.failing).toBe(false);
    expect([failures.length, recoveries]).toEqual([1, [500]]);
  });

  it('R-RL-18 alerts once a minute', async () => {
    const { clock, shaky, storage, failures } = open();
    shaky.fault = 'refuses';
    for (let i = 0; i < 119; i++) {
      clock.advance(1_000);
      await pass(storage, 3);
    }
    expect(failures).toHaveLength(2);
  });

  it('R-RL-18 gives units back where they were taken', async () => {
    const { clock, shaky, storage } = open({ nodes: 1 });
    const one = [chargeOf(charge())];
    const shared = await storage.consume(one);
    shaky.fault = 'refuses';
    const local = await storage.consume(one);
    await storage.refund(one, local);
    expect(await pass(storage, 20)).toBe(8);
    shaky.fault = 'none';
    clock.advance(600);
    await pass(storage, 1);
    await storage.refund(one, shared);
    expect(await pass(storage, 20)).toBe(7);
  });

  it('R-RL-18 an answer that has come in time counts, though the process was too busy to read it', async () => {
    const { shaky, storage } = open({ timeoutMs: 20 });
    const peer = spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = (await once(peer.stdout, 'data')) as [Buffer];
    const socket = connect(Number(port.toString()), '127.0.0.1');
    await once(socket, 'connect');
    const { counters } = shaky;
    shaky.consume = async (charges) => {
      socket.write('?');
      await once(socket, 'data');
      return counters.consume(charges);
    };
    const decision = consume(storage, [charge()]);
    // The answer arrives while nothing is read.
    await new Promise((resolve) => setImmediate(resolve));
    execFileSync('sleep', ['0.06']);
    expect((await decision).states[0]!.remaining).toBe(7);
    expect(storage.failing).toBe(false);
    socket.destroy();
    peer.kill();
  });

  it('a charge that makes no sense is no failure of the storage', async () => {
    const { storage, failures } = open();
    const attempt = async () => consume(storage, [charge({ cost: 0.5 })]);
    await expect(attempt()).rejects.toThrow(RangeError);
    expect([storage.failing, failures]).toEqual([false, []]);
  });

  it('R-RL-18 a late answer changes nothing', async () => {
    const { shaky, storage } = open({ timeoutMs: 10 });
    let answer: (decision: LimitDecision) => void = () => undefined;
    shaky.consume = () => new Promise((resolve) => (answer = resolve));
    expect((await consume(storage, [charge()])).allowed).toBe(true);
    answer({ allowed: false, states: [], at: 0 });
    await sleep(5);
    expect(storage.failing).toBe(true);
  });
});
