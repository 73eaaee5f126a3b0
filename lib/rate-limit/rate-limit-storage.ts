import type { LimitMeter } from '../policy/limit-meter.js';

/** One counter to be charged: that of one subject under one limit. */
export interface LimitCharge {
  readonly meter: LimitMeter;
  /** Who is counted: any text, of any length. Hashed before it reaches a store (R-RL-20). */
  readonly subject: string;
  /** Whole units of this request, 1 or more; 0 only looks. */
  readonly cost: number;
}

/** How one counter stands after the decision. */
export interface LimitState {
  /** Whether this counter had room for the charge. */
  readonly allowed: boolean;
  /** Whole units left, never negative. */
  readonly remaining: number;
  /**
   * Whole milliseconds until quota comes back: for a refused charge, until the same charge would pass;
   * otherwise until the oldest counted units are given back. 0 for a counter that is full.
   */
  readonly resetMs: number;
}

/** The outcome for all charges of a request, in their order. */
export interface LimitDecision {
  /**
   * True only if every counter that is not a dry run had room: then all of these were charged, otherwise none (R-RL-14).
   * With them, each dry run that had room was charged too.
   */
  readonly allowed: boolean;
  readonly states: readonly LimitState[];
  /** When the storage charged, by its own clock: what {@link RateLimitStorage.refund} has to know. */
  readonly at: number;
}

/**
 * Where counters live. An implementation decides and charges in one atomic step (R-RL-10)
 * and may answer synchronously, which saves the request a turn of the event loop.
 */
export interface RateLimitStorage {
  /** Charges all counters or none. Rejects (or throws) if the store cannot decide. */
  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision>;
  /**
   * Gives back what a decision has charged: to the same place of the window, so that nothing comes back early. What has lapsed
   * meanwhile is left alone. Without it `countOnly` and `concurrency` cannot be used.
   *
   * @param charges some or all of those that were charged by `decision`
   */
  refund?(charges: readonly LimitCharge[], decision: LimitDecision): void | Promise<void>;
  /** Forgets a counter. */
  reset(meter: LimitMeter, subject: string): void | Promise<void>;
  /** Gives back what this node holds, and lets go; called when the application shuts down. */
  close?(): void | Promise<void>;
  /** How many nodes share this storage, as far as it knows; a node's local share follows from it while the storage is down. */
  readonly nodes?: number;
}
