import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { createMeter, type RateLimitRule, type RateLimitSubject } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { ThrottledLimits } from '../../../lib/rate-limit/throttler/throttled-limits.js';
import type { ThrottledLimit } from '../../../lib/rate-limit/throttler/throttler-setup.js';

const CALLER: RateLimitSubject = {
  address: '192.0.2.1',
  principal: undefined,
  tenant: undefined,
  headers: {},
  params: {},
  body: undefined,
};

const template: RateLimitRule = Object.freeze({
  name: 'short',
  meter: createMeter({ bucket: 'b', limit: 1, windowMs: 60_000 }),
  cost: 1,
  by: 'principal',
  countOnly: undefined,
});

/** What a request says of itself is all that the functions below look at. */
const asking = (request: Record<string, unknown>): ExecutionContext =>
  new ExecutionContextHost([request, {}]);
const asked = (context: ExecutionContext) => context.switchToHttp().getRequest<Record<string, number>>();

function limits(throttled: Partial<ThrottledLimit>): ThrottledLimits {
  const whole = { name: 'short', limit: 1, ttl: 60_000, ...throttled };
  return new ThrottledLimits([{ throttled: whole, template }], [], undefined);
}

describe('limits that are computed for each request', () => {
  const computed = limits({
    limit: (context) => asked(context)['limit']!,
    ttl: (context) => asked(context)['ttl']!,
  });
  const rulesFor = async (limit: unknown, ttl: unknown = 60_000) =>
    (await computed.resolve(asking({ limit, ttl }), CALLER)).rules.early;

  it('are the same rules for the same numbers, frozen, so that storages and headers may keep what they derive', async () => {
    const rules = await rulesFor(5);
    expect(await rulesFor(5)).toBe(rules);
    expect(Object.isFrozen(rules) && Object.isFrozen(rules[0])).toBe(true);
    expect(rules[0]?.meter).toMatchObject({ limit: 5, burst: 5, windowMs: 60_000, bucket: 'b' });
  });

  it('R-RL-17 functions that compute ever new numbers fill no memory', async () => {
    const first = await rulesFor(5);
    for (let i = 0; i < 255; i += 1) await rulesFor(1_000 + i);
    expect(await rulesFor(5)).toBe(first);
    for (let i = 0; i < 1_000; i += 1) await rulesFor(10_000 + i);
    expect(await rulesFor(5)).not.toBe(first);
  });

  it('PITFALL-R4 R-RL-14 numbers are made whole and kept in bounds', async () => {
    const meterOf = async (limit: unknown, ttl?: unknown) => (await rulesFor(limit, ttl))[0]!.meter;
    expect(await meterOf('7')).toMatchObject({ limit: 7 });
    expect(await meterOf(2.9, 1_000.2)).toMatchObject({ limit: 2, windowMs: 1_001 });
    expect(await meterOf(Infinity, Infinity)).toMatchObject({
      limit: 1_000_000_000,
      windowMs: 2_678_400_000,
    });
    expect(await meterOf(3, -5)).toMatchObject({ windowMs: 100 });
    // No request fits into a limit of nothing.
    const [nothing] = await rulesFor(0);
    expect(nothing).toMatchObject({ cost: 2, meter: { limit: 1 } });
  });

  it.each([undefined, null, 'many', Number.NaN, {}])(
    '%s is no number, and no limit either',
    async (limit) => {
      await expect(rulesFor(limit)).rejects.toThrow(TypeError);
    },
  );

  it('PITFALL-T7 a tracker names whom to count, if it has a usable answer', async () => {
    const tracked = limits({ getTracker: ({ who }) => who as string });
    const keyFor = async (who: unknown) => [
      ...(await tracked.resolve(asking({ who }), CALLER)).keys.values(),
    ];
    expect(await keyFor('account-1')).toEqual(['account-1']);
    expect(await keyFor(17)).toEqual(['17']);
    for (const nobody of [undefined, null, '', Number.NaN, {}, []]) expect(await keyFor(nobody)).toEqual([]);
  });

  it('a generator of keys gets the tracker, or else the caller', async () => {
    const generateKey = (_: ExecutionContext, who: string, name: string) => `${name}/${who}`;
    const keyFor = async (throttled: Partial<ThrottledLimit>, caller: RateLimitSubject = CALLER) => [
      ...(await limits({ generateKey, ...throttled }).resolve(asking({}), caller)).keys.values(),
    ];
    expect(await keyFor({ getTracker: () => 'account' })).toEqual(['short/account']);
    expect(await keyFor({})).toEqual(['short/192.0.2.1']);
    expect(await keyFor({}, { ...CALLER, principal: 'user:1' })).toEqual(['short/user:1']);
  });

  it('those that skipIf names are left out', async () => {
    const skipping = limits({ skipIf: (context) => asked(context)['probe'] === 1 });
    expect((await skipping.resolve(asking({ probe: 1 }), CALLER)).rules.early).toEqual([]);
    expect((await skipping.resolve(asking({ probe: 0 }), CALLER)).rules.early).toHaveLength(1);
  });
});
