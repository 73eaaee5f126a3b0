import type { ThrottlerStorage } from '@nestjs/throttler';

import { createMeter } from '../../policy/limit-meter.js';
import { MAX_LIMIT, MAX_WINDOW_MS } from '../../policy/limit-spec.js';
import type { LimitCharge, LimitDecision } from '../rate-limit-storage.js';

/** What the throttler's guard gets back. */
export type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** What the throttler's guard says of a hit. */
export interface ThrottlerHit {
  readonly key: string;
  readonly ttl: number;
  readonly limit: number;
  readonly blockDuration: number;
  readonly name: string;
}

/**
 * A hit of the throttler's guard as charges of ours. Windows slide, so a block ends as soon as there is room. Only a `blockDuration` longer than
 * the window is a penalty of its own, and lasts that long from the refusal on.
 */
export function throttlerIncrement(
  { key, ttl, limit, blockDuration, name }: ThrottlerHit,
  consume: (charge: LimitCharge) => LimitDecision,
): ThrottlerRecord {
  const subject = `${name.length}:${name}:${key}`;
  const windowMs = Math.max(1, Math.ceil(ttl));
  const meter = createMeter({ bucket: 'throttler', limit: wholeLimit(limit), windowMs });
  const charge = { meter, subject, cost: 1 };
  if (!(blockDuration > windowMs)) return recordOf(charge, consume(charge));
  const blockMs = Math.min(Math.ceil(blockDuration), MAX_WINDOW_MS);
  const penalty = {
    meter: createMeter({ bucket: 'penalty', limit: 1, windowMs: blockMs }),
    subject,
    cost: 1,
  };
  const standing = consume({ ...penalty, cost: 0 });
  if (standing.states[0]!.remaining === 0) return recordOf(charge, { ...standing, allowed: false });
  const decision = consume(charge);
  if (decision.allowed) return recordOf(charge, decision);
  return recordOf(charge, { ...consume(penalty), allowed: false });
}

/** The throttler takes any number for a limit, such as `Infinity` for none. */
function wholeLimit(limit: number): number {
  return Math.min(MAX_LIMIT, Math.max(0, Math.floor(limit)));
}

function recordOf({ meter: { limit } }: LimitCharge, { allowed, states }: LimitDecision): ThrottlerRecord {
  const { remaining, resetMs } = states[0]!;
  const seconds = Math.ceil(resetMs / 1000);
  return {
    totalHits: allowed ? limit - remaining : limit + 1,
    timeToExpire: seconds,
    isBlocked: !allowed,
    timeToBlockExpire: allowed ? 0 : seconds,
  };
}
