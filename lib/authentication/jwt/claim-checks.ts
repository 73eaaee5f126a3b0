import { createPrincipal, type Principal, type SenderBinding } from '../../principal/principal.js';
import { CredentialRejected } from '../credential-verifier.js';
import type { Claims } from './strict-claims.js';
import type { ClaimRules } from './token-issuer.js';

/** The claims of a genuine token that passed, as the rest of the module uses them. */
export interface CheckedClaims {
  readonly principal: Principal;
  /** Epoch seconds. */
  readonly issuedAt: number;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

/** In base64url. */
const SHA256 = /^[A-Za-z0-9_-]{43}$/;

/** Claims that access tokens do not have; with `typ` missing they are what tells other tokens apart. */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'htm', 'htu'] as const;

/**
 * Judges the claims of a token whose signature is good (R-JW-15 to R-JW-20, R-JW-23). `sub`, `iat` and `exp` are required of
 * all; `jti` and `client_id` of OAuth 2.0 tokens, where they say on whose behalf somebody acts. Time comes last, so that only
 * a token that is right in everything else is called expired.
 *
 * @param type `typ` of the header as the reader normalised it
 * @param now epoch seconds
 * @param isJwt false for what introspection says, which need not name the token (RFC 7662 §2.2)
 * @throws CredentialRejected
 */
export function checkClaims(
  claims: Claims,
  type: string | undefined,
  rules: ClaimRules,
  now: number,
  isJwt = true,
): CheckedClaims {
  const tokenId = nameClaim(claims, 'jti');
  const reject = (reason: string): CredentialRejected => new CredentialRejected(`token.${reason}`, tokenId);
  if (claims['iss'] !== rules.issuer) throw reject('issuer');
  if (!isForAudience(claims['aud'], rules.audiences)) throw reject('audience');
  if (type !== 'at+jwt' && !passesForAccessToken(claims)) throw reject('type');
  const subject = nameClaim(claims, 'sub');
  const clientId = nameClaim(claims, 'client_id');
  if (subject === undefined) throw reject('subject');
  if (rules.scheme === 'oauth2' && (clientId === undefined || (isJwt && tokenId === undefined)))
    throw reject('claims');
  const principal = createPrincipal({
    // A client that acts for itself must never be taken for the user whose id it has (R-JW-20).
    type: subject === clientId ? 'client' : 'user',
    id: subject,
    scheme: rules.scheme,
    scopes: within(rules.scopes, parseScope(claims['scope'], tokenId)),
    roles: within(rules.roles, textsOf(claims[rules.rolesClaim])),
    issuer: rules.issuer,
    clientId,
    tenant: rules.tenantClaim === undefined ? undefined : nameClaim(claims, rules.tenantClaim),
    tokenId,
    sessionId: nameClaim(claims, 'sid'),
    binding: bindingOf(claims['cnf'], rules, tokenId),
    authenticatedAt: timeClaim(claims, 'auth_time', tokenId),
    acr: nameClaim(claims, 'acr'),
    amr: textsOf(claims['amr']),
    claims: copyClaims(claims, rules.claims),
  });
  return { principal, ...checkTimes(claims, rules, now, tokenId) };
}

function checkTimes(
  claims: Claims,
  { clockSkew, maxLifetime }: ClaimRules,
  now: number,
  tokenId: string | undefined,
) {
  const expiresAt = timeClaim(claims, 'exp', tokenId);
  const issuedAt = timeClaim(claims, 'iat', tokenId);
  const notBefore = timeClaim(claims, 'nbf', tokenId);
  if (expiresAt === undefined || issuedAt === undefined)
    throw new CredentialRejected('token.claims', tokenId);
  if (issuedAt > now + clockSkew) throw new CredentialRejected('token.issued-in-future', tokenId);
  if (notBefore !== undefined && notBefore > now + clockSkew)
    throw new CredentialRejected('token.not-yet-valid', tokenId);
  if (expiresAt - issuedAt > maxLifetime || expiresAt <= issuedAt)
    throw new CredentialRejected('token.lifetime', tokenId);
  if (now - clockSkew >= expiresAt) throw new CredentialRejected('token.expired', tokenId, true);
  return { issuedAt, expiresAt };
}

/** A binding that is not understood can not be checked, so it refuses the token. */
function bindingOf(
  cnf: unknown,
  { scheme }: ClaimRules,
  tokenId: string | undefined,
): SenderBinding | undefined {
  if (cnf === undefined) return undefined;
  const { jkt, 'x5t#S256': certificate, ...more } = (cnf ?? {}) as Readonly<Record<string, unknown>>;
  const understood = [jkt, certificate].filter((value) => value !== undefined);
  const good = understood.every((value) => typeof value === 'string' && SHA256.test(value));
  if (scheme !== 'oauth2' || understood.length === 0 || !good || Object.keys(more).length > 0)
    throw new CredentialRejected('token.sender-constrained', tokenId);
  return Object.freeze({ jkt: jkt as string | undefined, certificate: certificate as string | undefined });
}

/** What stands in for `typ` in older tokens: it says what may be done, and nothing says that it is another kind of token. */
function passesForAccessToken(claims: Claims): boolean {
  if (FOREIGN_CLAIMS.some((name) => name in claims)) return false;
  const use = claims['token_use'];
  if (use !== undefined && use !== 'access') return false;
  return typeof claims['scope'] === 'string' || typeof claims['client_id'] === 'string';
}

function isForAudience(aud: unknown, audiences: readonly string[]): boolean {
  if (typeof aud === 'string') return audiences.includes(aud);
  if (!Array.isArray(aud) || !aud.every((one) => typeof one === 'string')) return false;
  return aud.some((one) => audiences.includes(one));
}

/** Whether a text can name somebody or something: 1 to 255 characters, no control characters. */
export function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 255) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  }
  return true;
}

/** A claim that names somebody or something; absent is `undefined`, every other type is refused. */
function nameClaim(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  if (value === undefined || isName(value)) return value;
  throw new CredentialRejected('token.claims');
}

function timeClaim(claims: Claims, name: string, tokenId: string | undefined): number | undefined {
  const value = claims[name];
  if (value === undefined || typeof value === 'number') return value;
  throw new CredentialRejected('token.claims', tokenId);
}

/** Whether a text is one scope token (RFC 6749 §3.3). */
export function isScopeToken(scope: unknown): scope is string {
  return typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope);
}

function parseScope(scope: unknown, tokenId: string | undefined): readonly string[] {
  if (scope === undefined) return [];
  const tokens = typeof scope === 'string' ? scope.split(' ') : [];
  if (tokens.length === 0 || !tokens.every(isScopeToken))
    throw new CredentialRejected('token.scope', tokenId);
  return [...new Set(tokens)];
}

/** What an issuer may give of what its token claims (R-OA-10). */
function within(allowed: readonly string[] | undefined, claimed: readonly string[]): readonly string[] {
  return allowed ? claimed.filter((one) => allowed.includes(one)) : claimed;
}

/** Anything but an array of strings is no roles, and no means of login, at all (R-AZ-09). */
function textsOf(claim: unknown): readonly string[] {
  return Array.isArray(claim) && claim.every((one) => typeof one === 'string') ? claim : [];
}

function copyClaims(claims: Claims, names: readonly string[]): Record<string, unknown> {
  const copy = Object.create(null) as Record<string, unknown>;
  for (const name of names) if (claims[name] !== undefined) copy[name] = deepFreeze(claims[name]);
  return copy;
}

/** A principal is shared by all requests with its token, so nothing a handler can reach may change. Bounded by the reader's depth. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
