import { createMeter, type LimitMeter } from '../../lib/policy/limit-meter.js';
import type { LimitCharge, LimitDecision } from '../../lib/rate-limit/rate-limit-storage.js';

/** A charge with its limit beside it, as tests like to write it. */
export interface PlainCharge extends Partial<Omit<LimitMeter, 'bucket'>> {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly cost: number;
}

/** Somebody's request under ten a minute. */
export const tenAMinute = (more: Partial<PlainCharge> = {}): PlainCharge => ({
  key: 'who',
  limit: 10,
  windowMs: 60_000,
  cost: 1,
  ...more,
});

export function chargeOf({ key, cost, ...meter }: PlainCharge): LimitCharge {
  return { meter: createMeter({ bucket: 'test', ...meter }), subject: key, cost };
}

interface Consumes<T> {
  consume(charges: readonly LimitCharge[]): T;
}

export function consume<T extends LimitDecision | Promise<LimitDecision>>(
  storage: Consumes<T>,
  charges: readonly PlainCharge[],
): T {
  return storage.consume(charges.map(chargeOf));
}
