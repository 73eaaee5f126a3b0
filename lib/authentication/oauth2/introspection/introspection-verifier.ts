import type { SecurityClock } from '../../../clock.js';
import { SecurityError } from '../../../errors/security-error.js';
import type { SecurityEvents } from '../../../events/security-events.js';
import { OutboundFailure } from '../../../outbound/fetch-json.js';
import { BoundedCache } from '../../bounded-cache.js';
import {
  CredentialRejected,
  type CredentialVerifier,
  type VerifiedCredential,
} from '../../credential-verifier.js';
import { checkClaims } from '../../jwt/claim-checks.js';
import { type RevocableToken, revocableToken, type Revocations } from '../../jwt/revocation-list.js';
import type { Claims } from '../../jwt/strict-claims.js';
import { sha256 } from '../../sha256.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { IntrospectionClient } from './introspection-client.js';
import type { OpaqueIssuer } from './introspection.options.js';

const MAX_TOKEN_LENGTH = 4_096;
const CACHE_SIZE = 10_000;
const RETRY_AFTER = 5;

interface KnownToken {
  readonly credential: VerifiedCredential;
  readonly revocable: RevocableToken;
}

interface Question {
  readonly answer: Promise<VerifiedCredential>;
  readonly address: string | undefined;
}

/**
 * Verifies opaque access tokens by asking their issuer (R-IN-01 to R-IN-06). One question for a token at a time, whoever waits
 * for it; what was answered is believed for a while, and not after the token was revoked here.
 */
export class IntrospectionVerifier implements CredentialVerifier {
  readonly wireScheme = 'bearer';
  readonly #client: IntrospectionClient;
  readonly #breaker: CircuitBreaker;
  readonly #good = new BoundedCache<KnownToken>(CACHE_SIZE);
  /** Apart, so that tokens that somebody made up push out no good ones. */
  readonly #bad = new BoundedCache<number>(CACHE_SIZE);
  readonly #open = new Map<string, Question>();

  constructor(
    private readonly issuer: OpaqueIssuer,
    private readonly revocations: Revocations,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {
    this.#client = new IntrospectionClient(issuer, clock);
    this.#breaker = new CircuitBreaker(clock);
  }

  schemeOf(): 'oauth2' {
    return 'oauth2';
  }

  cached(token: string): VerifiedCredential | undefined {
    const known = this.#known(sha256(token));
    if (!known || !this.revocations.isCurrent()) return undefined;
    return this.revocations.isRevoked(known.revocable) ? undefined : known.credential;
  }

  #known(digest: string): KnownToken | undefined {
    const known = this.#good.get(digest);
    return known && this.clock.now() < known.credential.expiresAt ? known : undefined;
  }

  verify(token: string, address?: string): Promise<VerifiedCredential> {
    if (token.length > MAX_TOKEN_LENGTH) return Promise.reject(new CredentialRejected('token.too-long'));
    const digest = sha256(token);
    const refusedUntil = this.#bad.get(digest);
    if (refusedUntil !== undefined && this.clock.now() < refusedUntil)
      return Promise.reject(new CredentialRejected('token.inactive'));
    // What nobody would get in with need not be asked about.
    const known = this.#known(digest);
    if (known && this.revocations.isRevoked(known.revocable))
      return Promise.reject(new CredentialRejected('token.revoked', known.credential.principal.tokenId));
    if (!this.revocations.isCurrent()) return Promise.reject(unavailable('token.revocations-unknown'));
    const open = this.#open.get(digest);
    if (open) return open.answer;
    if (this.#isBusy(address)) return Promise.reject(unavailable('introspection.busy'));
    if (!this.#breaker.admits()) return Promise.reject(unavailable('introspection.down'));
    const answer = this.#ask(token, digest).finally(() => this.#open.delete(digest));
    this.#open.set(digest, { answer, address });
    return answer;
  }

  /** One address gets half of the places at most, so that it cannot keep the others from asking. */
  #isBusy(address: string | undefined): boolean {
    const { maxConcurrent } = this.issuer.introspection;
    if (this.#open.size >= maxConcurrent) return true;
    if (this.#open.size < maxConcurrent / 2) return false;
    let own = 0;
    for (const question of this.#open.values()) if (question.address === address) own += 1;
    return own >= maxConcurrent / 2;
  }

  async #ask(token: string, digest: string): Promise<VerifiedCredential> {
    const asked = this.clock.now();
    const claims = await this.#answer(token);
    try {
      const known = this.#judge(claims, asked);
      if (!this.revocations.isCurrent()) throw unavailable('token.revocations-unknown');
      if (this.revocations.isRevoked(known.revocable)) throw new CredentialRejected('token.revoked');
      this.#good.set(digest, known);
      return known.credential;
    } catch (error) {
      if (error instanceof CredentialRejected)
        this.#bad.set(digest, this.clock.now() + this.issuer.introspection.refuseForMs);
      throw error;
    }
  }

  async #answer(token: string): Promise<Claims> {
    try {
      const claims = await this.#client.ask(token);
      this.#breaker.succeeded();
      return claims;
    } catch (error) {
      // A server that finds fault with one token is not down: nobody may close it to the others by sending such.
      if (error instanceof OutboundFailure && error.status === 400) this.#breaker.succeeded();
      else this.#breaker.failed();
      if (!(error instanceof OutboundFailure)) throw error;
      this.events.emit('introspection.failed', { issuer: this.issuer.issuer, reason: error.message });
      throw unavailable('introspection.failed');
    }
  }

  /** What a JWT must say an answer must say too; only what RFC 7662 leaves out has another form (R-IN-02). */
  #judge(claims: Claims, asked: number): KnownToken {
    if (claims['active'] !== true) throw new CredentialRejected('token.inactive');
    const { issuer, audiences, introspection } = this.issuer;
    const type = claims['token_type'];
    if (type !== undefined && !(typeof type === 'string' && /^(?:bearer|dpop)$/i.test(type)))
      throw new CredentialRejected('token.type');
    const now = this.clock.now();
    const { principal, expiresAt } = checkClaims(
      {
        ...claims,
        iss: claims['iss'] ?? issuer,
        aud: claims['aud'] ?? (introspection.requireAudience ? undefined : audiences[0]),
        // A client that acts for itself has no user.
        sub: claims['sub'] ?? claims['client_id'],
        iat: claims['iat'] ?? Math.floor(now / 1000),
      },
      'at+jwt',
      this.issuer,
      now / 1000,
      false,
    );
    const { id: subject, tokenId, sessionId } = principal;
    const issuedAt = typeof claims['iat'] === 'number' ? claims['iat'] : 0;
    // From the question on: what happened at the server while its answer was on its way is not in it.
    const until = Math.min(expiresAt * 1000, asked + introspection.cacheForMs);
    return {
      credential: Object.freeze({ principal, expiresAt: until }),
      revocable: revocableToken(issuer, { subject, tokenId, sessionId, issuedAt }),
    };
  }
}

const unavailable = (reason: string): SecurityError =>
  new SecurityError('UNAVAILABLE', 'Tokens cannot be checked right now', { retryAfter: RETRY_AFTER, reason });
