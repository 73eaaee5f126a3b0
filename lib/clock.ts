/** Where the module gets the time from; a test hands in one that it controls. */
export interface SecurityClock {
  /** Wall time in epoch milliseconds: for `exp`, `X-RateLimit-Reset` and anything a person reads. */
  now(): number;
  /** Milliseconds that never step back: for windows, deadlines and cache ages (R-RL-16). */
  monotonic(): number;
}

/** The machine's own clock. */
export const systemClock: SecurityClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
