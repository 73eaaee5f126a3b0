import type { RequestState } from '../http/request-state.js';

/** Counts failed authentications by client address, and stops further tries before any key or token is looked at. */
export interface AttemptLimiter {
  /** @throws SecurityError `RATE_LIMITED` when the address has used up its failures */
  check(state: RequestState): void | Promise<void>;
  /** Counts one failure; never throws. */
  record(state: RequestState): void;
}
