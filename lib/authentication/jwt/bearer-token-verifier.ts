import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import { BoundedCache } from '../bounded-cache.js';
import {
  CredentialRejected,
  type CredentialVerifier,
  type VerifiedCredential,
} from '../credential-verifier.js';
import { createPassport, runStrategy, StrategyFailed } from '../passport-runner.js';
import { sha256 } from '../sha256.js';
import { checkClaims } from './claim-checks.js';
import { registerJwtStrategy, TokenToVerify, VerifiedSignature } from './jwt.strategy.js';
import type { VerificationKey } from './key-material.js';
import type { KeySource } from './key-source.js';
import { type RevocableToken, revocableToken, type Revocations } from './revocation-list.js';
import type { TokenIssuer } from './token-issuer.js';
import { type ReadToken, readToken } from './token-reader.js';

interface VerifiedToken {
  readonly credential: VerifiedCredential;
  readonly revocable: RevocableToken;
  readonly keys: KeySource;
  readonly generation: number | undefined;
}

interface KnownIssuer {
  readonly rules: TokenIssuer;
  readonly strategy: string;
}

/**
 * Verifies what comes as `Authorization: Bearer`: JWTs of all configured issuers, of `jwt` and of `oauth2`. Cheap checks
 * come first, so that a token of bad form or of an unknown issuer costs neither a signature nor a fetch (R-AU-14).
 */
export class BearerTokenVerifier implements CredentialVerifier {
  readonly wireScheme = 'bearer';
  readonly #passport = createPassport();
  readonly #issuers = new Map<string, KnownIssuer>();
  readonly #verified: BoundedCache<VerifiedToken>;

  /**
   * @param issuers each with a name of its own, as `compileTokenIssuers` makes them
   * @param cacheSize tokens whose verdict is remembered; 10 000 by default
   */
  constructor(
    issuers: readonly TokenIssuer[],
    private readonly revocations: Revocations,
    private readonly clock: SecurityClock,
    cacheSize = 10_000,
  ) {
    this.#verified = new BoundedCache(cacheSize);
    for (const [index, rules] of issuers.entries()) {
      const strategy = `nestjs-api-security:jwt:${index}`;
      registerJwtStrategy(this.#passport, strategy, rules);
      this.#issuers.set(rules.issuer, { rules, strategy });
    }
  }

  cached(credential: string): VerifiedCredential | undefined {
    const known = this.#verified.get(sha256(credential));
    // What has expired or was revoked goes the long way, which knows the reason.
    if (!known || this.clock.now() >= known.credential.expiresAt) return undefined;
    if (known.generation !== known.keys.generation || !this.revocations.isCurrent()) return undefined;
    return this.revocations.isRevoked(known.revocable) ? undefined : known.credential;
  }

  async verify(credential: string, address?: string): Promise<VerifiedCredential> {
    const token = readToken(credential);
    const { rules, strategy } = this.#issuerOf(token);
    const { keys } = rules;
    const { generation } = keys;
    const found = keys.find(token.algorithm, token.kid, address);
    const key = found instanceof Promise ? await found : found;
    // A signature of the wrong length cannot be right, and costs nothing to see (R-JW-05).
    if (token.signatureBytes !== key.signatureBytes) throw new CredentialRejected('token.signature');
    await this.#verifySignature(strategy, token, key);
    const { principal, issuedAt, expiresAt } = checkClaims(
      token.claims,
      token.type,
      rules,
      this.clock.now() / 1000,
    );
    const { id: subject, tokenId, sessionId } = principal;
    const revocable = revocableToken(rules.issuer, { subject, tokenId, sessionId, issuedAt });
    if (!this.revocations.isCurrent()) throw unknownRevocations();
    if (this.revocations.isRevoked(revocable)) throw new CredentialRejected('token.revoked', tokenId);
    const verified = Object.freeze({ principal, expiresAt: expiresAt * 1000 });
    this.#verified.set(sha256(credential), { credential: verified, revocable, keys, generation });
    return verified;
  }

  /** `iss`, `alg` and `typ` only choose among what is configured, or refuse (R-JW-01). */
  #issuerOf({ claims, algorithm, type }: ReadToken): KnownIssuer {
    const { iss } = claims;
    const known = typeof iss === 'string' ? this.#issuers.get(iss) : undefined;
    if (!known) throw new CredentialRejected('token.issuer');
    const { algorithms, legacyTyp } = known.rules;
    if (!(algorithms as readonly string[]).includes(algorithm))
      throw new CredentialRejected('token.algorithm');
    const isLegacy = legacyTyp && (type === undefined || type === 'jwt');
    if (type !== 'at+jwt' && !isLegacy) throw new CredentialRejected('token.type');
    return known;
  }

  async #verifySignature(strategy: string, token: ReadToken, key: VerificationKey): Promise<void> {
    let verdict: unknown;
    try {
      verdict = await runStrategy(this.#passport, strategy, new TokenToVerify(token, key));
    } catch (error) {
      if (error instanceof StrategyFailed) throw new CredentialRejected(reasonOf(error));
      throw error;
    }
    // Only our own word about this very token counts, whatever passport says (PITFALLS P1, P5).
    if (!(verdict instanceof VerifiedSignature) || verdict.token !== token)
      throw new CredentialRejected('token.signature');
  }
}

/** Nobody is let in whose token may have been revoked elsewhere (R-JW-22). */
const unknownRevocations = (): SecurityError =>
  new SecurityError('UNAVAILABLE', 'Tokens cannot be checked right now', {
    retryAfter: 5,
    reason: 'token.revocations-unknown',
  });

/** passport-jwt checks the audience too, behind the signature; the events should name the true cause. */
function reasonOf({ info }: StrategyFailed): string {
  const isAudience = info instanceof Error && info.message.startsWith('jwt audience invalid');
  return isAudience ? 'token.audience' : 'token.signature';
}
