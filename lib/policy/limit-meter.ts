/** How a limit counts; see {@link LimitMeter.algorithm}. */
export type LimitAlgorithm = 'sliding-window' | 'token-bucket' | 'fixed-window' | 'concurrency';

/** What happens to a limit whose shared storage fails. */
export type StoreFailurePolicy = 'local' | 'open' | 'closed';

/**
 * All that a storage has to know of a limit. Frozen, and made once for each compiled limit: a storage may keep what it derives from one by
 * the object itself.
 */
export interface LimitMeter {
  /**
   * Names the counters: with the same bucket, algorithm, window and subject two charges meet in one counter. Letters, digits,
   * `_`, `-`, `.` and `:` only, up to 64, and the same on every node.
   */
  readonly bucket: string;
  /**
   * - `sliding-window`: at most `limit` units in any interval of one window (R-RL-15);
   * - `token-bucket`: `limit` units a window, evenly, and up to `burst` at once;
   * - `fixed-window`: `limit` units from the first one on until the window is over, twice as many where two windows meet;
   * - `concurrency`: `limit` units at once; each comes back when it is refunded, or after a window at the latest.
   */
  readonly algorithm: LimitAlgorithm;
  /** Whole units, 1 – 1 000 000 000. */
  readonly limit: number;
  /** Whole milliseconds, up to 31 days. */
  readonly windowMs: number;
  /** Most units at once of a token bucket; the same as `limit` for the others. */
  readonly burst: number;
  /** `lease`: a shared storage may take units for a node in advance, and let the node hand them out. */
  readonly mode: 'exact' | 'lease';
  /** Counts what it would let through, and refuses nothing. */
  readonly dryRun: boolean;
  /** Undefined: as the application says for all limits. */
  readonly onStoreFailure: StoreFailurePolicy | undefined;
}

/** The parts of a meter that have no default. */
export type LimitMeterInit = Pick<LimitMeter, 'bucket' | 'limit' | 'windowMs'> & Partial<LimitMeter>;

/** Makes a meter: a sliding window, exact and in force, unless something else is said. */
export function createMeter(init: LimitMeterInit): LimitMeter {
  return Object.freeze({
    algorithm: 'sliding-window',
    burst: init.limit,
    mode: 'exact',
    dryRun: false,
    onStoreFailure: undefined,
    ...init,
  });
}
