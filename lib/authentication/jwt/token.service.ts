import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { Principal } from '../../principal/principal.js';
import { findReservedClaim, type OwnIssuer, signAccessToken } from './access-token.js';
import { isName, isScopeToken } from './claim-checks.js';
import type { FoundSession, RefreshTokenStore, SubjectRights, TokenSession } from './refresh-token-store.js';
import { newRefreshToken, readRefreshToken } from './refresh-token.js';
import type { RevocationList } from './revocation-list.js';
import type { TokenIssuer } from './token-issuer.js';
import type { TokenSettings } from './token-settings.js';

/** What a login grants. */
export interface TokenGrant {
  /** The most that the session may ever do; a refresh can only narrow it. Left out: what `currentRights` says, each time. */
  readonly scopes?: readonly string[];
  /** The same for roles. */
  readonly roles?: readonly string[];
  /** Further claims of the access tokens; none of those by which tokens are judged. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `aud`; what the issuer's options name by default. */
  readonly audience?: string | readonly string[];
  /** `client_id`; by default the issuer's name: the application is its own client. */
  readonly clientId?: string;
  /** What the application calls the device, for lists of sessions; up to 255 characters. */
  readonly device?: string;
}

/** Conditions of a refresh. */
export interface RefreshConditions {
  /** The client that presents the token; another one than it was issued to ends the session (R-RT-07). */
  readonly clientId?: string;
  /** Fewer scopes for the new access token; the session keeps its own. */
  readonly scopes?: readonly string[];
}

/** A new pair of tokens, in the contract's words. */
export interface TokenPair {
  readonly accessToken: string;
  /** Good for one use. */
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
}

/** One session as lists show it. Times are epoch milliseconds. */
export type SessionInfo = Pick<
  TokenSession,
  'id' | 'clientId' | 'device' | 'createdAt' | 'lastUsedAt' | 'expiresAt'
>;

/** Foreign tokens live no longer than this, whatever their issuer's options (seconds). */
const LONGEST_LIFETIME = 86_400;
/** Most that clocks may differ (seconds). */
const LONGEST_SKEW = 300;

type Rights = Required<SubjectRights>;

/**
 * Issues the application's own tokens: short-lived access tokens (RFC 9068) and refresh tokens for one use, for the issuer in
 * `jwt` that has a `signingKey`; and ends tokens and sessions before their time.
 *
 * @example
 * const pair = await tokens.issue(user.id, { scopes: ['orders:read'], roles: ['member'] });
 * const next = await tokens.refresh(pair.refreshToken);
 * await tokens.revokeAllOf(user.id);
 */
@Injectable()
export class TokenService {
  constructor(
    private readonly issuer: TokenIssuer | undefined,
    private readonly settings: TokenSettings,
    private readonly store: RefreshTokenStore,
    private readonly revocations: RevocationList,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Begins a session for a subject that the application has authenticated.
   *
   * @throws TypeError if the grant cannot stand in a token
   * @throws SecurityError `UNAUTHENTICATED` if `currentRights` does not know the subject; `UNAVAILABLE` if the store fails
   */
  async issue(subject: string, grant: TokenGrant = {}): Promise<TokenPair> {
    const issuer = this.#own();
    checkGrant(subject, grant, issuer);
    const now = this.clock.now();
    const { idleLifetime, absoluteLifetime } = this.settings;
    const session: TokenSession = {
      id: randomUUID(),
      subject,
      clientId: grant.clientId ?? issuer.issuer,
      audience: grant.audience === undefined ? issuer.audiences : [grant.audience].flat(),
      // Without the hook there is nothing to follow, so nothing said means nothing granted.
      scopes: grant.scopes ?? (this.settings.currentRights ? undefined : []),
      roles: grant.roles ?? (this.settings.currentRights && !grant.scopes ? undefined : []),
      claims: { ...grant.claims },
      device: grant.device,
      createdAt: now,
      lastUsedAt: now,
      idleUntil: now + Math.min(idleLifetime, absoluteLifetime),
      expiresAt: now + absoluteLifetime,
    };
    const followed = session.scopes && session.roles ? undefined : await this.#currentRights(subject);
    if (followed === null) throw refused('rights.none');
    const accessToken = await this.#sign(issuer, session, narrow(session, followed), now);
    const refreshToken = newRefreshToken();
    const { digests } = readRefreshToken(refreshToken)!;
    await this.#ask(() => this.store.create(session, digests));
    this.events.emit('token.issued', { subject, session: session.id });
    return this.#pair(accessToken, refreshToken);
  }

  /**
   * Exchanges a refresh token for a new pair and spends it. A token that comes a second time ends its session: the newest
   * refresh token and all access tokens with it, at once (R-RT-03 to R-RT-07).
   *
   * @throws SecurityError `UNAUTHENTICATED`, the same for every cause; `UNAVAILABLE` if the store fails, the token then stays good
   */
  async refresh(refreshToken: string, conditions: RefreshConditions = {}): Promise<TokenPair> {
    const issuer = this.#own();
    const presented = readRefreshToken(refreshToken);
    if (!presented) throw refused('refresh.malformed');
    const now = this.clock.now();
    const found = await this.#ask(() => this.store.find(presented.digests, now));
    if (!found) throw refused('refresh.unknown');
    const { session } = found;
    await this.#refuseMisuse(found, conditions);
    const rights = await this.#rightsNow(session, conditions);
    // Everything that can fail comes before the token is spent.
    const accessToken = await this.#sign(issuer, session, rights, now);
    const successor = newRefreshToken(presented.family);
    const outcome = await this.#ask(() =>
      this.store.rotate({
        presented: presented.digests,
        successor: readRefreshToken(successor)!.digests.token,
        now,
        idleUntil: now + this.settings.idleLifetime,
      }),
    );
    if (outcome.status === 'reused') throw this.#reused(outcome.session);
    if (outcome.status !== 'rotated') throw refused('refresh.unknown');
    this.events.emit('token.refreshed', { subject: session.subject, session: session.id });
    return this.#pair(accessToken, successor);
  }

  /**
   * Ends a session, with all its tokens, at once: that of a principal (a logout) or one by its id. For tokens of other
   * issuers it ends the session here, or the token, or whatever the subject has if the token names neither.
   */
  async revoke(target: string | Principal): Promise<void> {
    if (typeof target === 'string') return this.#endSession(target);
    const { issuer, id, sessionId, tokenId } = target;
    if (issuer === undefined) throw new TypeError('only principals with a token can be revoked here');
    if (issuer === this.issuer?.issuer && sessionId !== undefined) return this.#endSession(sessionId);
    const lifetime = LONGEST_LIFETIME + LONGEST_SKEW;
    if (sessionId !== undefined) this.revocations.revokeSession(issuer, sessionId, lifetime);
    else if (tokenId !== undefined) this.revocations.revokeToken(issuer, tokenId, lifetime);
    else this.revocations.revokeSubject(issuer, id, lifetime);
    this.events.emit('token.revoked', { subject: id, session: sessionId ?? '' });
  }

  /**
   * Ends everything a subject has: all sessions, all access tokens issued so far (R-JW-22, R-RT-08).
   *
   * @param issuer the subject's issuer; this application by default
   */
  async revokeAllOf(subject: string, issuer: string = this.#own().issuer): Promise<void> {
    // First what is decided here: it holds even if the store fails.
    this.revocations.revokeSubject(issuer, subject, LONGEST_LIFETIME + LONGEST_SKEW);
    if (issuer !== this.issuer?.issuer) return;
    const ended = await this.#ask(() => this.store.endAllOf(subject));
    for (const session of ended) {
      this.#denySession(session.id);
      this.events.emit('token.revoked', { subject, session: session.id });
    }
  }

  /** The sessions of a subject that have not ended (R-RT-12). */
  async sessions(subject: string): Promise<readonly SessionInfo[]> {
    const sessions = await this.#ask(() => this.store.list(subject, this.clock.now()));
    return sessions.map(({ id, clientId, device, createdAt, lastUsedAt, expiresAt }) => ({
      id,
      clientId,
      device,
      createdAt,
      lastUsedAt,
      expiresAt,
    }));
  }

  /** The public keys with which others verify the tokens: a JWK Set. */
  jwks(): { readonly keys: readonly object[] } {
    return { keys: [this.#own().signer.publicJwk] };
  }

  #own(): OwnIssuer {
    const { issuer } = this;
    if (issuer?.signer) return issuer as OwnIssuer;
    throw new Error('No tokens can be issued: give one issuer in the jwt options a signingKey');
  }

  #sign(issuer: OwnIssuer, session: TokenSession, rights: Rights, now: number): Promise<string> {
    return signAccessToken(
      issuer,
      session,
      rights,
      Math.floor(now / 1000),
      this.settings.accessTokenLifetime,
    );
  }

  #pair(accessToken: string, refreshToken: string): TokenPair {
    return { accessToken, refreshToken, tokenType: 'Bearer', expiresIn: this.settings.accessTokenLifetime };
  }

  /** `undefined` without the hook, `null` for a subject that may not come in. */
  async #currentRights(subject: string): Promise<SubjectRights | null | undefined> {
    const { currentRights } = this.settings;
    return currentRights && ((await currentRights(subject)) ?? null);
  }

  async #refuseMisuse(
    { session, isNewest }: FoundSession,
    { clientId, scopes }: RefreshConditions,
  ): Promise<void> {
    if (!isNewest || (clientId !== undefined && clientId !== session.clientId)) {
      await this.#ask(() => this.store.end(session.id));
      throw this.#reused(session);
    }
    if (scopes && session.scopes && !isWithin(scopes, session.scopes)) throw refused('refresh.scope');
  }

  async #rightsNow(session: TokenSession, { scopes }: RefreshConditions): Promise<Rights> {
    const current = await this.#currentRights(session.subject);
    if (current === null) {
      await this.#endSession(session.id);
      throw refused('refresh.rights');
    }
    const rights = narrow(session, current);
    return scopes ? { ...rights, scopes: rights.scopes.filter((scope) => scopes.includes(scope)) } : rights;
  }

  #reused({ id, subject }: TokenSession): SecurityError {
    this.#denySession(id);
    this.events.emit('token.reuse-detected', { subject, session: id });
    return refused('refresh.reused');
  }

  async #endSession(id: string): Promise<void> {
    this.#denySession(id);
    const session = await this.#ask(() => this.store.end(id));
    if (session) this.events.emit('token.revoked', { subject: session.subject, session: id });
  }

  #denySession(id: string): void {
    const issuer = this.#own();
    // One second more, because `iat` was rounded down and the clock that verifies is another reading.
    this.revocations.revokeSession(issuer.issuer, id, issuer.maxLifetime + issuer.clockSkew + 1);
  }

  async #ask<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      this.events.emit('store.failed', {
        store: 'refresh-tokens',
        message: cause instanceof Error ? cause.message : 'unknown',
      });
      throw new SecurityError('UNAVAILABLE', 'Sessions are not available right now', {
        retryAfter: 5,
        reason: 'refresh.store',
        cause,
      });
    }
  }
}

function refused(reason: string): SecurityError {
  return new SecurityError('UNAUTHENTICATED', 'The refresh token is not valid', { reason });
}

/** What the session was given, as far as the subject still has it. */
function narrow({ scopes, roles }: TokenSession, current: SubjectRights | undefined): Rights {
  const limit = (granted: readonly string[] | undefined, now: readonly string[] | undefined) =>
    granted && now ? granted.filter((one) => now.includes(one)) : (granted ?? now ?? []);
  return { scopes: limit(scopes, current?.scopes), roles: limit(roles, current && (current.roles ?? [])) };
}

const isWithin = (some: readonly string[], all: readonly string[]): boolean =>
  some.every((one) => all.includes(one));

function checkGrant(subject: string, grant: TokenGrant, issuer: TokenIssuer): void {
  const {
    scopes = [],
    roles = [],
    claims = {},
    clientId = issuer.issuer,
    device = 'none',
    audience = issuer.audiences,
  } = grant;
  const wrong = (what: string) => new TypeError(`No token can be issued: ${what}`);
  if (!isName(subject)) throw wrong('the subject is no text of 1 to 255 characters without controls');
  if (!isName(clientId)) throw wrong('the client id is no text of 1 to 255 characters without controls');
  if (subject === clientId) throw wrong('the subject has the id of the client, and would be taken for it');
  if (!scopes.every(isScopeToken)) throw wrong('a scope has characters that no scope may have');
  if (!roles.every(isName) || !isName(device) || !audience.length || ![audience].flat().every(isName)) {
    throw wrong('roles, device and audience are texts of 1 to 255 characters without controls');
  }
  const reserved = findReservedClaim(claims, issuer);
  if (reserved !== undefined) throw wrong(`the claim ${reserved} cannot be chosen`);
}
