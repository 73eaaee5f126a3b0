import type { Revocation } from './revocation-store.js';

/** Rights that a session was given, or has at a refresh. */
export interface SubjectRights {
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
}

/**
 * One login: what its chain of refresh tokens stands for, its family (R-RT-01). Plain data, so that it can be kept as JSON.
 * Times are epoch milliseconds.
 */
export interface TokenSession {
  /** The `sid` of its access tokens. */
  readonly id: string;
  /** 1 to 255 characters, as `clientId` and `device` are. */
  readonly subject: string;
  readonly clientId: string;
  readonly audience: readonly string[];
  /** The most that the session may ever do; `undefined` if it follows the subject's current rights. */
  readonly scopes: readonly string[] | undefined;
  readonly roles: readonly string[] | undefined;
  /** Further claims of its access tokens; JSON. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the application calls the device, for lists of sessions. */
  readonly device: string | undefined;
  /** Where it was begun. */
  readonly address: string | undefined;
  /** Where it was last refreshed. */
  readonly lastAddress: string | undefined;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** Ends the session if it is not refreshed; never later than `expiresAt`. */
  readonly idleUntil: number;
  /** Ends the session however often it is refreshed. */
  readonly expiresAt: number;
}

/** What a store keeps of a refresh token: digests in base64url, 43 characters, from which nobody can make the token again. */
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
  /** Lets the presented token come a second time; `undefined` if it must not. */
  readonly grace: RotationGrace | undefined;
  readonly now: number;
  /** The store cuts it at the session's `expiresAt`. */
  readonly idleUntil: number;
  /** Where it is used; `undefined` leaves `lastAddress` as it was. */
  readonly address: string | undefined;
  /** Written in the same step if the token turns out to be spent. */
  readonly ifReused: Revocation;
}

/** For how long a token that was just spent is answered with the same successor again (R-RT-05). */
export interface RotationGrace {
  /** What the successor was made of together with the presented token; useless without that. Up to 64 characters. */
  readonly salt: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

/** How it ended. */
export type RotationOutcome =
  | { readonly status: 'rotated' }
  /** The predecessor of the family's newest token, within its grace: nothing was changed, and this is that rotation's salt. */
  | { readonly status: 'repeated'; readonly salt: string }
  /** The token had been used before: the session, as it was, is gone now, and `ifReused` written. */
  | { readonly status: 'reused'; readonly session: TokenSession }
  /** There is no such family, or it has lapsed. */
  | { readonly status: 'unknown' };

/** Sessions that one subject can have; with a further one, the one that was not used for longest ends. */
export const MAX_SESSIONS_OF_SUBJECT = 100;

/**
 * Where sessions are kept. Only the family's secret part leads to a session and only its newest token is known, so a store
 * needs no list of spent tokens: whoever has the family's part but not the newest token has one that was spent.
 *
 * Each method that writes is one atomic step, on however many nodes: broken off anywhere, it has happened or not. A method
 * rejects when the store cannot answer (R-RT-11).
 */
export interface SessionStore {
  /** Adds a session, and ends the subject's least recently used ones beyond `MAX_SESSIONS_OF_SUBJECT`. */
  createSession(session: TokenSession, digests: RefreshTokenDigests): Promise<void>;
  /** The session of a family, unless it has lapsed (`idleUntil <= now`). Changes nothing. */
  findSession(family: string, now: number): Promise<TokenSession | undefined>;
  /**
   * If the presented token is the family's newest, puts the successor in its place and moves `lastUsedAt`, `idleUntil` and
   * `lastAddress`; if it is the one before and in its grace, changes nothing; otherwise ends the session and writes
   * `ifReused`. Of any number of calls with one token exactly one is `rotated` (R-RT-03 to R-RT-05).
   */
  rotateSession(rotation: Rotation): Promise<RotationOutcome>;
  /** Ends a session and writes the revocation, which is written even if there is no such session. @returns it, if there was one */
  endSession(sessionId: string, revocation: Revocation): Promise<TokenSession | undefined>;
  /**
   * Ends all sessions of a subject and writes the revocation, and for each of them one more of the same issuer and times of
   * kind `session`. @returns them
   */
  endSessionsOf(subject: string, revocation: Revocation): Promise<readonly TokenSession[]>;
  /** The sessions of a subject that have not lapsed, the one used last first. */
  listSessions(subject: string, now: number): Promise<readonly TokenSession[]>;
}
