import type { LimitMeter } from '../../policy/limit-meter.js';
import type { LimitState } from '../../rate-limit/rate-limit-storage.js';

/** Longest time for which units are taken in advance. */
const LEASE_MS = 1_000;
/** Part of what was used that is taken beyond it, so that a steady rate does not run short. */
const MARGIN = 1.25;

/** What a server has granted. */
export interface Grant {
  readonly granted: number;
  /** Units that it has left. */
  readonly remaining: number;
  /** Until the next of them come back, or, if nothing was granted, until the least that was asked for would be. */
  readonly resetMs: number;
  /** When the units count from, by the clock of the server: the end of the lease. */
  readonly at: number;
  /** How far ahead that was. */
  readonly restMs: number;
}

/** Units that this node hands out until a moment of its own monotonic clock. */
export interface Lease {
  readonly at: number;
  readonly from: number;
  readonly until: number;
  readonly granted: number;
  left: number;
}

/** Units that were taken from a lease for a request that may yet be refused. */
export interface Hold {
  readonly counter: LeasedCounter;
  readonly lease: Lease;
  readonly cost: number;
  /** When they were taken, by the monotonic clock. */
  readonly now: number;
}

/** The part of one counter that is here. Knows no server and no clock. */
export class LeasedCounter {
  /** Milliseconds that a lease of this limit may last at most; within one turn of its window. */
  readonly ttlMs: number;
  lease: Lease | undefined;
  /** Units to ask for, for a lease of full length. */
  wanted = 1;
  /** Units that the server has left, as far as is known, and when the next come back. */
  remaining = 0;
  resetAt = 0;

  constructor(
    readonly meter: LimitMeter,
    /** Tells its limit from others, however many objects say the same. */
    readonly limit: string,
    /** The subject, or a digest of it. */
    readonly who: string,
    readonly tag: string,
    /** Name of the counter in Redis. */
    readonly name: string,
  ) {
    this.ttlMs = Math.min(LEASE_MS, Math.ceil(meter.windowMs / 6));
  }

  /** Takes units, if there are enough that may still be used. */
  take(cost: number, now: number): Lease | undefined {
    const { lease } = this;
    if (lease === undefined || now >= lease.until || lease.left < cost) return undefined;
    lease.left -= cost;
    return lease;
  }

  /** Learns from what became of the last lease how much to ask for. */
  adapt(now: number): void {
    const { lease } = this;
    if (lease === undefined) return;
    const used = lease.granted - lease.left;
    if (now < lease.until) {
      this.wanted = Math.min(this.meter.limit, 2 * Math.max(this.wanted, used));
      return;
    }
    const lasted = Math.max(1, lease.until - lease.from);
    const rate = Math.ceil((MARGIN * used * this.ttlMs) / lasted);
    if (lease.left > 0) this.wanted = Math.max(1, Math.min(this.wanted, rate));
  }

  /** Takes in what was granted to what was sent at `sent`. @returns what is left of the lease that it replaces */
  accept({ granted, remaining, resetMs, at, restMs }: Grant, sent: number, now: number): Lease | undefined {
    const before = this.lease;
    this.remaining = remaining;
    this.resetAt = now + resetMs;
    this.lease = granted === 0 ? undefined : { at, from: sent, until: sent + restMs, granted, left: granted };
    return before;
  }
}

/** How a counter stands of which units are held: never better than it is. */
export function stateOf({ counter, lease, now }: Hold): LimitState {
  const resetMs = Math.max(1, Math.ceil(counter.resetAt - now));
  return { allowed: true, remaining: counter.remaining + lease.left, resetMs };
}
