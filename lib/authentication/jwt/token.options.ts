import type { KeyObject } from 'node:crypto';

import type { Duration } from '../../configuration/units.js';
import type { ManagedAlgorithm } from './key-ring.js';
import type { SubjectRights } from './session-store.js';
import type { TokenStore } from './token-store.js';

/** The tokens that `TokenService` issues, and what it keeps. */
export interface TokenOptions {
  /** `'15m'` by default, `'1s'` up to the issuer's `maxLifetime`. */
  readonly accessTokenLifetime?: Duration;
  /** A session ends when it was not refreshed for this long; `'14d'` by default, at most the absolute lifetime. */
  readonly refreshIdleLifetime?: Duration;
  /** A session ends after this, however often it is refreshed; `'90d'` by default, at most `'365d'`. */
  readonly refreshAbsoluteLifetime?: Duration;
  /**
   * How long a refresh token that was just used may come again, for clients whose answer was lost: it is given the same
   * successor. `0` by default, then any second use ends the session; up to `'10s'` (R-RT-05).
   */
  readonly refreshGrace?: Duration;
  /** Where sessions, revocations and managed signing keys are kept; in memory by default, for one node. */
  readonly store?: TokenStore;
  /** How long the store may take, before the answer is 503; `'5s'` by default (R-AU-13). */
  readonly storeTimeout?: Duration;
  /**
   * Every node knows what another one revoked within this time; `'5s'` by default, `'1s'` to `'5m'`. It asks the store about
   * three times as often; stores that can tell by themselves make it a matter of milliseconds (R-JW-22).
   */
  readonly revokedWithin?: Duration;
  /**
   * What holds while the store cannot be asked for longer than that: tokens are answered with 503 (`refuse`, default), or are
   * good, although they may have been revoked elsewhere (`accept`).
   */
  readonly whenRevocationsUnknown?: 'refuse' | 'accept';
  /** For `signingKey: 'managed'`. */
  readonly signingKeys?: SigningKeyOptions;
  /**
   * Asked at each refresh, and at `issue()` where no scopes are given, so that changed rights hold from then on.
   * `undefined` for a subject that may not come in any more: its session ends.
   */
  readonly currentRights?: (
    subject: string,
  ) => SubjectRights | undefined | Promise<SubjectRights | undefined>;
}

/** Signing keys that the application makes, keeps in `tokens.store` and rotates by itself. */
export interface SigningKeyOptions {
  /**
   * Secret with which the keys are encrypted in the store: 32 random bytes or more; a text is base64 or base64url. Several to
   * change it: the first encrypts, all decrypt. Needed unless the store is in memory.
   */
  readonly encryptionKey?: string | Uint8Array | KeyObject | readonly (string | Uint8Array | KeyObject)[];
  /** What new keys are for; `'ES256'` by default. */
  readonly algorithm?: ManagedAlgorithm;
  /** How long a key signs; `'30d'` by default, `'1h'` to `'365d'`. */
  readonly rotateEvery?: Duration;
  /** How long a key is published before it signs, so that others have it by then; `'1d'` by default, at most half of `rotateEvery`. */
  readonly publishAhead?: Duration;
}
