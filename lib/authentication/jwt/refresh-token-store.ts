/** Rights that a session was given, or has at a refresh. */
export interface SubjectRights {
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
}

/**
 * One login: what its chain of refresh tokens stands for (R-RT-01). Plain data, so that it can be kept as JSON.
 * Times are epoch milliseconds.
 */
export interface TokenSession {
  /** The `sid` of its access tokens. */
  readonly id: string;
  readonly subject: string;
  readonly clientId: string;
  readonly audience: readonly string[];
  /** The most that the session may ever do; `undefined` if it follows the subject's current rights. */
  readonly scopes: readonly string[] | undefined;
  readonly roles: readonly string[] | undefined;
  /** Further claims of its access tokens. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the application calls the device, for lists of sessions. */
  readonly device: string | undefined;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** Ends the session if it is not refreshed; never later than `expiresAt`. */
  readonly idleUntil: number;
  /** Ends the session however often it is refreshed. */
  readonly expiresAt: number;
}

/** What a store keeps of a refresh token: digests, from which nobody can make the token again. */
export interface RefreshTokenDigests {
  /** Of the part that all tokens of a session share; finds the session. */
  readonly family: string;
  /** Of the whole token. */
  readonly token: string;
}

/** One use of a refresh token. */
export interface Rotation {
  readonly presented: RefreshTokenDigests;
  /** Digest of the token that takes its place. */
  readonly successor: string;
  readonly now: number;
  readonly idleUntil: number;
}

/** How it ended. */
export type RotationOutcome =
  | { readonly status: 'rotated' }
  /** The token had been used before: the session is gone now. */
  | { readonly status: 'reused'; readonly session: TokenSession }
  | { readonly status: 'unknown' };

/**
 * Where sessions are kept. Only the family's secret part leads to a session and only its newest token is known, so a store
 * needs no list of spent tokens: whoever has the family's part but not the newest token has one that was spent.
 */
export interface RefreshTokenStore {
  create(session: TokenSession, digests: RefreshTokenDigests): void | Promise<void>;
  /** The session of a family that has not lapsed, and whether `token` is its newest. Changes nothing. */
  find(
    digests: RefreshTokenDigests,
    now: number,
  ): FoundSession | undefined | Promise<FoundSession | undefined>;
  /**
   * In one atomic step: if the presented token is the family's newest, put the successor in its place; otherwise end the
   * session. Of any number of calls with one token exactly one is `rotated`, on however many nodes (R-RT-03 to R-RT-05).
   */
  rotate(rotation: Rotation): RotationOutcome | Promise<RotationOutcome>;
  /** Ends a session; @returns it, if there was one */
  end(sessionId: string): TokenSession | undefined | Promise<TokenSession | undefined>;
  /** Ends all sessions of a subject; @returns them */
  endAllOf(subject: string): readonly TokenSession[] | Promise<readonly TokenSession[]>;
  /** The sessions of a subject that have not lapsed. */
  list(subject: string, now: number): readonly TokenSession[] | Promise<readonly TokenSession[]>;
}

/** What a look-up tells. */
export interface FoundSession {
  readonly session: TokenSession;
  readonly isNewest: boolean;
}
