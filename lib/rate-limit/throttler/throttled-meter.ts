import { createMeter, type LimitMeter } from '../../policy/limit-meter.js';
import { MAX_LIMIT } from '../../policy/limit-spec.js';

/** What a limit of @nestjs/throttler has beside what every limit has. */
export interface ThrottledMeter {
  /** The name that the throttler knows the limit by; third parties' storages get it. */
  readonly name: string;
  /** There if the limit has a `blockDuration`: who exceeds it is refused for so long. */
  readonly penalty: PenaltyMeters | undefined;
}

/**
 * The counter of a penalty, seen twice: a mark puts two units there, and as long as the window that it opened lasts, a look at a limit of one is
 * refused. So the look can go along with the charges of a request, in the same atomic step. A node's share of both works as well.
 */
export interface PenaltyMeters {
  readonly look: LimitMeter;
  readonly mark: LimitMeter;
  readonly blockMs: number;
}

/** Units that a mark takes. */
export const MARK_COST = 2;

const METERS = new WeakMap<LimitMeter, ThrottledMeter>();
const PENALTIES = new WeakSet<LimitMeter>();

/** Makes a limit one of the throttler's. @param blockMs whole milliseconds; 0 for no penalty */
export function registerThrottled(meter: LimitMeter, name: string, blockMs: number): void {
  METERS.set(meter, { name, penalty: blockMs > 0 ? penaltyOf(meter, blockMs) : undefined });
}

/** Undefined for limits that are none of the throttler's. */
export function throttledMeter(meter: LimitMeter): ThrottledMeter | undefined {
  return METERS.get(meter);
}

/** Whether a meter is part of a penalty, which storages that know `blockDuration` keep by themselves. */
export function isPenalty(meter: LimitMeter): boolean {
  return PENALTIES.has(meter);
}

function penaltyOf({ bucket, onStoreFailure }: LimitMeter, blockMs: number): PenaltyMeters {
  const shared = {
    bucket: `${bucket}:block`,
    windowMs: blockMs,
    algorithm: 'fixed-window',
    onStoreFailure,
  } as const;
  const look = createMeter({ ...shared, limit: 1 });
  const mark = createMeter({ ...shared, limit: MAX_LIMIT });
  PENALTIES.add(look).add(mark);
  return Object.freeze({ look, mark, blockMs });
}
