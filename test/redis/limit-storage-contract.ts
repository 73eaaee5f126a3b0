import { setTimeout as sleep } from 'node:timers/promises';

import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { LimitDecision } from '../../lib/rate-limit/rate-limit-storage.js';
import { chargeOf, type PlainCharge } from '../rate-limit/plain-charge.js';
import type { OpenClient } from './redis-stores.js';

const ALGORITHMS = ['sliding-window', 'token-bucket', 'fixed-window', 'concurrency'] as const;
let prefixes = 0;

/** What holds for limits in Redis, whatever the client and the kind of server. */
export function describeLimitStorage(name: string, connect: () => Promise<OpenClient>): void {
  describe(`limits over ${name}`, () => {
    let storages: RedisRateLimitStorage[];
    let clients: OpenClient[];
    const plain = (key: string, more: Partial<PlainCharge> = {}): PlainCharge => ({
      key,
      limit: 5,
      windowMs: 60_000,
      cost: 1,
      ...more,
    });
    const consume = async (
      storage: RedisRateLimitStorage,
      ...charges: PlainCharge[]
    ): Promise<LimitDecision> => storage.consume(charges.map(chargeOf));
    beforeEach(async () => {
      const prefix = `limits ${name} ${prefixes++}:`;
      clients = await Promise.all([connect(), connect()]);
      storages = clients.map(({ client }) => new RedisRateLimitStorage(client, { prefix }));
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await Promise.all(storages.map((storage) => storage.close()));
      for (const { close } of clients) close();
    });

    it.each(ALGORITHMS)(
      'R-RL-10 of 200 requests at once and a limit of 50 exactly 50 pass: %s',
      async (algorithm) => {
        const charge = plain('all', { algorithm, limit: 50, windowMs: 600_000, burst: 50 });
        const decisions = await Promise.all(
          Array.from({ length: 200 }, (_, i) => consume(storages[i % 2]!, charge)),
        );
        const passed = decisions.filter(({ allowed }) => allowed);
        expect(passed.map(({ states }) => states[0]!.remaining).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: 50 }, (_, i) => i),
        );
        for (const { allowed, states } of decisions) expect(states[0]!.allowed).toBe(allowed);
      },
    );

    it('R-RL-14 several limits decide together: what is refused charges none of them', async () => {
      const charges = [
        plain('who', { limit: 3 }),
        plain('who', { limit: 5, windowMs: 10_000 }),
        plain('who', { limit: 10, windowMs: 10_000, algorithm: 'token-bucket', burst: 10 }),
        plain('where', { limit: 8, algorithm: 'fixed-window' }),
      ];
      for (let i = 0; i < 3; i++) expect((await consume(storages[0]!, ...charges)).allowed).toBe(true);
      const refused = await consume(storages[1]!, ...charges);
      expect(refused.allowed).toBe(false);
      expect(refused.states.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
        [false, 0],
        [true, 2],
        [true, 7],
        [true, 5],
      ]);
      const look = await consume(storages[0]!, ...charges.map((charge) => ({ ...charge, cost: 0 })));
      expect(look.states.map(({ remaining }) => remaining)).toEqual([0, 2, 7, 5]);
    });

    it('R-RL-14 a cost beyond what is left charges nothing, and a look never does', async () => {
      expect((await consume(storages[0]!, plain('c', { cost: 3 }))).states[0]!.remaining).toBe(2);
      const refused = await consume(storages[0]!, plain('c', { cost: 3 }));
      expect(refused).toMatchObject({ allowed: false, states: [{ allowed: false, remaining: 2 }] });
      expect((await consume(storages[0]!, plain('c', { cost: 0 }))).states[0]).toMatchObject({
        allowed: true,
        remaining: 2,
      });
    });

    it('a dry run says what it would refuse and refuses nothing, and what another limit refuses never came to it', async () => {
      const dry = plain('d', { limit: 1, dryRun: true, windowMs: 10_000 });
      const other = plain('e', { limit: 2 });
      const outcomes: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        const { allowed, states } = await consume(storages[0]!, dry, other);
        outcomes.push([allowed, states[0]!.allowed, states[1]!.allowed]);
      }
      expect(outcomes).toEqual([
        [true, true, true],
        [true, false, true],
        [false, false, false],
      ]);
    });

    it.each(ALGORITHMS)(
      'what is refunded can be used again, but not what was taken before: %s',
      async (algorithm) => {
        const charge = plain('r', { algorithm, burst: 5, windowMs: 600_000 });
        const [first] = [
          await consume(storages[0]!, { ...charge, cost: 2 }),
          await consume(storages[0]!, { ...charge, cost: 3 }),
        ];
        expect((await consume(storages[0]!, charge)).allowed).toBe(false);
        await storages[1]!.refund([chargeOf({ ...charge, cost: 2 })], first);
        expect((await consume(storages[0]!, { ...charge, cost: 3 })).allowed).toBe(false);
        expect((await consume(storages[0]!, { ...charge, cost: 2 })).allowed).toBe(true);
      },
    );

    it('what was charged in several slots is refunded where and when it was', async () => {
      const charges = ['a', 'b', 'c', 'd'].map((key) => plain(key));
      const decision = await consume(storages[0]!, ...charges);
      await storages[0]!.refund(charges.map(chargeOf), decision);
      const look = await consume(storages[1]!, ...charges.map((charge) => ({ ...charge, cost: 0 })));
      expect(look.states.map(({ remaining, resetMs }) => [remaining, resetMs])).toEqual(
        charges.map(() => [5, 0]),
      );
    });

    it('R-RL-04 a refused charge passes after resetMs, and not before', async () => {
      const charge = plain('t', { limit: 2, windowMs: 600, cost: 2 });
      await consume(storages[0]!, charge);
      const { states } = await consume(storages[1]!, charge);
      const { resetMs } = states[0]!;
      expect(resetMs).toBeGreaterThan(300);
      await sleep(resetMs / 2);
      expect((await consume(storages[0]!, charge)).allowed).toBe(false);
      await sleep(resetMs / 2 + 5);
      expect((await consume(storages[0]!, charge)).allowed).toBe(true);
    });

    it('R-RL-16 a node whose clock is ten minutes off decides as the others do', async () => {
      const charge = plain('clock', { limit: 4 });
      const real = Date.now;
      const decisions: LimitDecision[] = [];
      for (const offset of [0, 600_000, -600_000, 600_000, 0]) {
        vi.spyOn(Date, 'now').mockImplementation(() => real() + offset);
        decisions.push(await consume(storages[decisions.length % 2]!, charge));
      }
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, false]);
      const times = decisions.map(({ at }) => at);
      expect(Math.max(...times) - Math.min(...times)).toBeLessThan(10_000);
    });

    it('R-RL-20 crafted ids stay apart, and none becomes part of a command', async () => {
      const ids = [
        '',
        '\0',
        'a\r\nFLUSHALL\r\n',
        '*1\r\n$8\r\nFLUSHALL\r\n',
        '{',
        '}',
        '{}',
        '{a}b',
        'a:b',
        'a',
        "s5,60000,3,1,0;' return redis.call('FLUSHALL')",
        '!',
        'ä',
        'a\u0308',
        '\ud800',
        '\udfff',
        '\ufffd',
        'x'.repeat(1_000_000),
        `${'x'.repeat(1_000_000)}y`,
      ];
      const once = (limit: number) => ids.map((key) => plain(key, { limit, windowMs: 120_000 }));
      for (const charge of once(1)) expect((await consume(storages[0]!, charge)).allowed).toBe(true);
      for (const charge of once(1)) expect((await consume(storages[1]!, charge)).allowed).toBe(false);
      const leased = await Promise.all(
        once(1).map((charge) => consume(storages[1]!, { ...charge, windowMs: 180_000, mode: 'lease' })),
      );
      expect(leased.every(({ allowed }) => allowed)).toBe(true);
    });

    it('R-RL-20 names of counters are delimited: bucket and subject, and window and kind, do not run into each other', async () => {
      const charges = [
        ['a', 'b:c', 1_000_000],
        ['a:b', 'c', 1_000_000],
        ['a:s', 'b:c', 1_000_000],
        ['a', 'b:c', 1_000_001],
      ] as const;
      for (const [bucket, subject, windowMs] of charges) {
        const charge = chargeOf(plain(subject, { limit: 1, windowMs }));
        const meter = { ...charge.meter, bucket };
        expect((await storages[0]!.consume([{ ...charge, meter }])).allowed).toBe(true);
      }
    });

    it('a changed limit keeps the counter, and the kinds do not meet', async () => {
      await consume(storages[0]!, plain('k', { limit: 5, cost: 4 }));
      expect((await consume(storages[0]!, plain('k', { limit: 4 }))).allowed).toBe(false);
      expect(
        (await consume(storages[0]!, plain('k', { limit: 1_000_000, cost: 0 }))).states[0]!.remaining,
      ).toBe(999_996);
      expect((await consume(storages[0]!, plain('k', { algorithm: 'fixed-window', limit: 4 }))).allowed).toBe(
        true,
      );
    });

    it('forgets a counter on demand', async () => {
      const charge = plain('f', { cost: 5 });
      await consume(storages[0]!, charge);
      const { meter, subject } = chargeOf(charge);
      await storages[1]!.reset(meter, subject);
      expect((await consume(storages[0]!, charge)).allowed).toBe(true);
    });

    it('decides about no limits at all, and counts nothing that it cannot count', async () => {
      expect(await consume(storages[0]!)).toMatchObject({ allowed: true, states: [] });
      await expect(consume(storages[0]!, plain('n', { cost: 0.5 }))).rejects.toThrow(RangeError);
      await expect(consume(storages[0]!, plain('n', { cost: -1 }))).rejects.toThrow(RangeError);
      await expect(consume(storages[0]!, plain('n', { windowMs: 0.1 }))).rejects.toThrow(RangeError);
    });

    it('R-RL-15 a limit in the mode lease lets exactly so many through while nobody holds more than is asked', async () => {
      const charge = plain('leased', { limit: 50, mode: 'lease' });
      const decisions = await Promise.all(
        Array.from({ length: 200 }, (_, i) => consume(storages[i % 2]!, charge)),
      );
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(50);
      for (const { allowed, states } of decisions) {
        expect(states[0]!.allowed).toBe(allowed);
        if (!allowed) expect(states[0]!.remaining).toBe(0);
      }
    });
  });
}
