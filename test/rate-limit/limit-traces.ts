import fc from 'fast-check';

import { createMeter, type LimitMeter } from '../../lib/policy/limit-meter.js';
import type { LimitCharge, LimitDecision } from '../../lib/rate-limit/rate-limit-storage.js';

/** One thing that happens to a storage, `gapUs` microseconds after the last. */
export type TraceStep =
  | { readonly gapUs: number; readonly charges: readonly LimitCharge[] }
  /** Gives back what the decision so many steps ago has charged. */
  | { readonly gapUs: number; readonly refunds: number };

export interface Trace {
  /** Microseconds. */
  readonly start: number;
  readonly steps: readonly TraceStep[];
}

/** What was decided, so that it can be given back. */
export interface Decided {
  readonly charges: readonly LimitCharge[];
  readonly decision: LimitDecision;
}

const ALGORITHMS = ['sliding-window', 'token-bucket', 'fixed-window', 'concurrency'] as const;
const WINDOWS = [100, 101, 997, 1_000, 60_000];
const LARGE_WINDOWS = [3_600_000, 31 * 86_400_000];
const LARGE_LIMITS = [100_000, 1_000_000_000];

/** Several meters of one bucket and window share a counter, whatever their limits. */
const meterArbitrary = (large: boolean): fc.Arbitrary<LimitMeter> =>
  fc
    .record({
      bucket: fc.constantFrom('a', 'a', 'b:c'),
      algorithm: fc.constantFrom(...ALGORITHMS),
      limit: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 20 }) },
        { weight: large ? 1 : 0, arbitrary: fc.constantFrom(...LARGE_LIMITS) },
      ),
      windowMs: fc.constantFrom(...WINDOWS, ...(large ? LARGE_WINDOWS : [])),
      burst: fc.integer({ min: 1, max: 30 }),
      dryRun: fc.oneof(
        { weight: 4, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
    })
    .map(({ burst, ...meter }) =>
      createMeter(meter.algorithm === 'token-bucket' ? { ...meter, burst } : meter),
    );

/** Pauses from nothing to several windows, most of them short. */
const gapArbitrary = (windowMs: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.nat({ max: windowMs * 100 }) },
    { weight: 4, arbitrary: fc.nat({ max: Math.ceil(windowMs / 5) }).map((ms) => ms * 1_000) },
    { weight: 1, arbitrary: fc.constantFrom(windowMs - 1, windowMs, windowMs + 1).map((ms) => ms * 1_000) },
    { weight: 1, arbitrary: fc.nat({ max: windowMs * 3_000 }) },
  );

/**
 * Short histories of a few counters: all algorithms, several charges a call, costs from 0 to more than a limit, dry runs, refunds.
 *
 * @param large whether limits and windows may be so large that times are kept in steps of more than a millisecond
 */
export function traces({ large, length }: { large: boolean; length: number }): fc.Arbitrary<Trace> {
  return fc.array(meterArbitrary(large), { minLength: 1, maxLength: 4 }).chain((meters) => {
    const charge = fc
      .record({
        meter: fc.constantFrom(...meters),
        subject: fc.constantFrom('s', 's', 't'),
        size: fc.nat({ max: 11 }),
      })
      .map(({ meter, subject, size }) => {
        const unit = meter.burst > 50 ? Math.ceil(meter.burst / 10) : 1;
        return { meter, subject, cost: size > 7 ? unit * (size - 7) : size > 0 ? unit : 0 };
      });
    const gapUs = fc.constantFrom(...meters).chain(({ windowMs }) => gapArbitrary(windowMs));
    const step: fc.Arbitrary<TraceStep> = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({ gapUs, charges: fc.array(charge, { minLength: 1, maxLength: 4 }) }),
      },
      { weight: 1, arbitrary: fc.record({ gapUs, refunds: fc.integer({ min: 1, max: 5 }) }) },
    );
    return fc.record({
      start: fc.nat({ max: 10_000_000 }),
      steps: fc.array(step, { minLength: length / 2, maxLength: length }),
    });
  });
}

/** Those charges of a decision that were charged, and so can be given back. */
export function chargedBy({ charges, decision }: Decided): LimitCharge[] {
  if (!decision.allowed) return [];
  return charges.filter(({ meter }, index) => !meter.dryRun || decision.states[index]!.allowed);
}
