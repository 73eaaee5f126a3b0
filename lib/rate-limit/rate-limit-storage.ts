/** One counter to be charged: at most `limit` units in any `windowMs` for `key`. */
export interface LimitCharge {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  /** Units of this request, 1 or more; 0 only looks. */
  readonly cost: number;
}

/** How one counter stands after the decision. */
export interface LimitState {
  /** Whether this counter had room for the charge. */
  readonly allowed: boolean;
  /** Whole units left, never negative. */
  readonly remaining: number;
  /**
   * Milliseconds until quota comes back: for a refused charge, until the same charge would pass;
   * otherwise until the oldest counted units are given back. 0 for a counter that is full.
   */
  readonly resetMs: number;
}

/** The outcome for all charges of a request, in their order. */
export interface LimitDecision {
  /** True only if every counter had room: then all were charged, otherwise none (R-RL-14). */
  readonly allowed: boolean;
  readonly states: readonly LimitState[];
}

/**
 * Where counters live. An implementation decides and charges in one atomic step (R-RL-10)
 * and may answer synchronously, which saves the request a turn of the event loop.
 */
export interface RateLimitStorage {
  /** Charges all counters or none. Rejects (or throws) if the store cannot decide. */
  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision>;
  /** Forgets a counter. */
  reset(key: string): void | Promise<void>;
}
