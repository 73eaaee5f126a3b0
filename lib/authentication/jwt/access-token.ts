import { randomBytes } from 'node:crypto';

import type { TokenSession } from './session-store.js';
import type { OwnIssuer, TokenIssuer } from './token-issuer.js';
import { MAX_TOKEN_LENGTH } from './token-reader.js';

/** What tokens are judged by: an application cannot choose these (R-JW-26). */
const REGISTERED_CLAIMS = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'sid',
  'scope',
  'client_id',
  'cnf',
  'act',
  'auth_time',
  'token_use',
  '__proto__',
];

/** The first claim that an application may not choose, if there is one. */
export function findReservedClaim(
  claims: Readonly<Record<string, unknown>>,
  issuer: TokenIssuer,
): string | undefined {
  return Object.keys(claims).find((name) => REGISTERED_CLAIMS.includes(name) || name === issuer.rolesClaim);
}

/** Signs an access token (RFC 9068 §2). Times in epoch seconds; @throws Error if it would be too long to be accepted */
export async function signAccessToken(
  issuer: OwnIssuer,
  session: TokenSession,
  rights: { readonly scopes: readonly string[]; readonly roles: readonly string[] },
  issuedAt: number,
  lifetime: number,
): Promise<string> {
  const { kid, algorithm, privateKey } = issuer.signer.signer();
  const { audience } = session;
  const { SignJWT } = await import('jose');
  const token = await new SignJWT({
    ...session.claims,
    iss: issuer.issuer,
    sub: session.subject,
    aud: audience.length === 1 ? audience[0]! : [...audience],
    client_id: session.clientId,
    iat: issuedAt,
    exp: issuedAt + lifetime,
    jti: randomBytes(16).toString('base64url'),
    sid: session.id,
    auth_time: Math.floor(session.createdAt / 1000),
    ...(rights.scopes.length > 0 ? { scope: rights.scopes.join(' ') } : {}),
    ...(rights.roles.length > 0 ? { [issuer.rolesClaim]: rights.roles } : {}),
  })
    .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid })
    .sign(privateKey);
  if (token.length > MAX_TOKEN_LENGTH) throw new Error('the claims are too large for an access token');
  return token;
}
