import type { Duration } from '../../configuration/units.js';
import type { RefreshTokenStore, SubjectRights } from './refresh-token-store.js';

/** The tokens that `TokenService` issues. */
export interface TokenOptions {
  /** `'15m'` by default, `'1s'` up to the issuer's `maxLifetime`. */
  readonly accessTokenLifetime?: Duration;
  /** A session ends when it was not refreshed for this long; `'14d'` by default, at most the absolute lifetime. */
  readonly refreshIdleLifetime?: Duration;
  /** A session ends after this, however often it is refreshed; `'90d'` by default, at most `'365d'`. */
  readonly refreshAbsoluteLifetime?: Duration;
  /** Where sessions are kept; in memory by default, for one node. */
  readonly store?: RefreshTokenStore;
  /**
   * Asked at each refresh, and at `issue()` where no scopes are given, so that changed rights hold from then on.
   * `undefined` for a subject that may not come in any more: its session ends.
   */
  readonly currentRights?: (
    subject: string,
  ) => SubjectRights | undefined | Promise<SubjectRights | undefined>;
}
