import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import type { SecurityClock } from '../../clock.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { Principal } from '../../principal/principal.js';
import { StoreCalls } from '../store-calls.js';
import { signAccessToken } from './access-token.js';
import { RefreshExchange, type RefreshConditions } from './refresh-exchange.js';
import { digestsOf, newRefreshToken } from './refresh-token.js';
import type { RevocationList } from './revocation-list.js';
import type { TokenSession } from './session-store.js';
import { SigningKeyRing } from './signing-key-ring.js';
import { refused, rightsOf } from './subject-rights.js';
import { checkGrant, type TokenGrant } from './token-grant.js';
import type { OwnIssuer, TokenIssuer } from './token-issuer.js';
import { TokenRevoker } from './token-revoker.js';
import type { TokenSettings } from './token-settings.js';
import type { TokenStore } from './token-store.js';

export type { RefreshConditions } from './refresh-exchange.js';
export type { TokenGrant } from './token-grant.js';

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
  'id' | 'clientId' | 'device' | 'address' | 'lastAddress' | 'createdAt' | 'lastUsedAt' | 'expiresAt'
>;

/** @internal What a token service is made of. */
export interface TokenServiceParts {
  readonly issuers: readonly TokenIssuer[];
  readonly settings: TokenSettings;
  readonly store: TokenStore;
  readonly revocations: RevocationList;
  readonly clock: SecurityClock;
  readonly events: SecurityEvents;
}

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
  readonly #parts: TokenServiceParts;
  readonly #issuer: OwnIssuer | undefined;
  readonly #calls: StoreCalls;
  readonly #revoker: TokenRevoker;
  readonly #exchange: RefreshExchange;

  /** @internal */
  constructor(parts: TokenServiceParts) {
    const { issuers, settings, store, revocations, clock, events } = parts;
    this.#parts = parts;
    this.#issuer = issuers.find((issuer): issuer is OwnIssuer => issuer.signer !== undefined);
    this.#calls = tokenStoreCalls(settings, events);
    this.#revoker = new TokenRevoker(store, revocations, this.#calls, clock, events);
    this.#exchange = new RefreshExchange(settings, store, this.#revoker, this.#calls, clock, events);
  }

  /** The `iss` of the tokens; `undefined` if no issuer has a `signingKey`. */
  get issuer(): string | undefined {
    return this.#issuer?.issuer;
  }

  /** Seconds after which a refresh token that is not used ends with its session. */
  get refreshLifetime(): number {
    const { idleLifetime, absoluteLifetime } = this.#parts.settings;
    return Math.floor(Math.min(idleLifetime, absoluteLifetime) / 1000);
  }

  /**
   * Begins a session for a subject that the application has authenticated.
   *
   * @throws TypeError if the grant cannot stand in a token
   * @throws SecurityError `UNAUTHENTICATED` if `currentRights` does not know the subject; `UNAVAILABLE` if the store fails
   */
  async issue(subject: string, grant: TokenGrant = {}): Promise<TokenPair> {
    const issuer = this.#own();
    checkGrant(subject, grant, issuer);
    const { settings, store, clock, events } = this.#parts;
    const session = newSession(issuer, subject, grant, settings, clock.now());
    const isSettled = session.scopes !== undefined && session.roles !== undefined;
    const rights = await rightsOf(session, isSettled ? undefined : settings.currentRights);
    if (!rights) throw refused('rights.none');
    const issuedAt = Math.floor(session.createdAt / 1000);
    const accessToken = await signAccessToken(
      issuer,
      session,
      rights,
      issuedAt,
      settings.accessTokenLifetime,
    );
    const refreshToken = newRefreshToken();
    await this.#calls.ask(() => store.createSession(session, digestsOf(refreshToken)));
    events.emit('token.issued', { subject, session: session.id });
    return this.#pair(accessToken, refreshToken);
  }

  /**
   * Exchanges a refresh token for a new pair and spends it. A token that comes a second time ends its session: the newest
   * refresh token and all access tokens with it, at once (R-RT-03 to R-RT-07), unless it comes within `refreshGrace`.
   *
   * @throws SecurityError `UNAUTHENTICATED`, the same for every cause; `UNAVAILABLE` if the store fails, the token then stays good
   */
  async refresh(refreshToken: string, conditions: RefreshConditions = {}): Promise<TokenPair> {
    const pair = await this.#exchange.exchange(this.#own(), refreshToken, conditions);
    return this.#pair(pair.accessToken, pair.refreshToken);
  }

  /**
   * Ends a session, with all its tokens, at once: that of a principal (a logout) or one by its id. For tokens of other
   * issuers it ends the session here, or the token, or whatever the subject has if the token names neither.
   *
   * @throws SecurityError `UNAVAILABLE` if the store fails; on this node it is ended all the same
   */
  async revoke(target: string | Principal): Promise<void> {
    if (typeof target === 'string') return this.#revoker.endSession(this.#own(), target);
    const { issuer, id, sessionId, tokenId } = target;
    if (issuer === undefined) throw new TypeError('only principals with a token can be revoked here');
    if (issuer === this.#issuer?.issuer && sessionId !== undefined) {
      return this.#revoker.endSession(this.#issuer, sessionId);
    }
    if (sessionId !== undefined) await this.#revoker.revoke(issuer, 'session', sessionId);
    else if (tokenId !== undefined) await this.#revoker.revoke(issuer, 'token', tokenId);
    else await this.#revoker.revoke(issuer, 'subject', id);
    this.#parts.events.emit('token.revoked', { subject: id, session: sessionId ?? '' });
  }

  /**
   * Ends everything a subject has: all sessions, all access tokens issued so far (R-JW-22, R-RT-08).
   *
   * @param issuer the subject's issuer; this application by default
   * @throws SecurityError `UNAVAILABLE` if the store fails; on this node it is ended all the same
   */
  async revokeAllOf(subject: string, issuer: string = this.#own().issuer): Promise<void> {
    if (issuer === this.#issuer?.issuer) return this.#revoker.endAllOf(this.#issuer, subject);
    await this.#revoker.revoke(issuer, 'subject', subject);
  }

  /** The sessions of a subject that have not ended, the one used last first (R-RT-12). @throws SecurityError `UNAVAILABLE` */
  async sessions(subject: string): Promise<readonly SessionInfo[]> {
    const { store, clock } = this.#parts;
    const sessions = await this.#calls.ask(() => store.listSessions(subject, clock.now()));
    return sessions.map(infoOf);
  }

  /** The public keys with which others verify the tokens: a JWK Set, as `/.well-known/jwks.json` has it. */
  jwks(): { readonly keys: readonly object[] } {
    return { keys: this.#own().signer.publicJwks() };
  }

  /**
   * Makes a new signing key now, for `signingKey: 'managed'`. It is published at once and signs after `publishAhead`.
   *
   * @returns its `kid`
   */
  rotateSigningKey(): Promise<string> {
    return this.#ring().rotate();
  }

  /**
   * Takes a signing key out at once, on every node, for one that has leaked: whatever it signed is refused from then on. If
   * it was the one that signs, a new one takes its place.
   *
   * @returns false if there is no such key
   */
  removeSigningKey(kid: string): Promise<boolean> {
    return this.#ring().remove(kid);
  }

  /** Fetches the keys of an issuer now, for one that has withdrawn a key (R-OA-07). @throws TypeError for an unknown issuer */
  async refreshKeys(issuer: string): Promise<void> {
    const known = this.#parts.issuers.find((one) => one.issuer === issuer);
    if (!known) throw new TypeError('no such issuer is configured');
    await known.keys.refresh?.();
  }

  #own(): OwnIssuer {
    if (this.#issuer) return this.#issuer;
    throw new Error('No tokens can be issued: give one issuer in the jwt options a signingKey');
  }

  #ring(): SigningKeyRing {
    const { signer } = this.#own();
    if (signer instanceof SigningKeyRing) return signer;
    throw new Error(
      "The signing key comes from the configuration: use signingKey: 'managed' to have it rotated",
    );
  }

  #pair(accessToken: string, refreshToken: string): TokenPair {
    const { accessTokenLifetime: expiresIn } = this.#parts.settings;
    return { accessToken, refreshToken, tokenType: 'Bearer', expiresIn };
  }
}

/** How the store of tokens is asked, and its failures told. */
export const tokenStoreCalls = ({ timeoutMs }: TokenSettings, events: SecurityEvents): StoreCalls =>
  new StoreCalls(timeoutMs, events, {
    store: 'tokens',
    message: 'Sessions are not available right now',
    reason: 'tokens.store',
  });

function newSession(
  issuer: OwnIssuer,
  subject: string,
  { scopes, roles, claims, audience, clientId, device, address }: TokenGrant,
  { currentRights, idleLifetime, absoluteLifetime }: TokenSettings,
  now: number,
): TokenSession {
  return {
    id: randomUUID(),
    subject,
    clientId: clientId ?? issuer.issuer,
    audience: audience === undefined ? issuer.audiences : [audience].flat(),
    // Without the hook there is nothing to follow, so nothing said means nothing granted.
    scopes: scopes ?? (currentRights ? undefined : []),
    roles: roles ?? (currentRights && !scopes ? undefined : []),
    claims: { ...claims },
    device,
    address,
    lastAddress: address,
    createdAt: now,
    lastUsedAt: now,
    idleUntil: now + Math.min(idleLifetime, absoluteLifetime),
    expiresAt: now + absoluteLifetime,
  };
}

const infoOf = (session: TokenSession): SessionInfo => {
  const { id, clientId, device, address, lastAddress, createdAt, lastUsedAt, expiresAt } = session;
  return { id, clientId, device, address, lastAddress, createdAt, lastUsedAt, expiresAt };
};
