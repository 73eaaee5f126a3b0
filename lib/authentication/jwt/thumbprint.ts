import { createHash } from 'node:crypto';

/** The name of a public key (RFC 7638): digest of its required members in lexicographic order. */
export function thumbprint(jwk: Readonly<Record<string, unknown>>): string {
  const required = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined);
  return createHash('sha256').update(JSON.stringify(jwk, required)).digest('base64url');
}
