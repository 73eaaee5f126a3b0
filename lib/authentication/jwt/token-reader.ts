import { isUtf8 } from 'node:buffer';

import { CredentialRejected } from '../credential-verifier.js';
import { ALGORITHMS } from './algorithms.js';
import { type Claims, ClaimsRefused, parseStrictClaims } from './strict-claims.js';

/** Longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 8_192;
const MAX_HEADER_LENGTH = 2_048;

/** A token whose form is right. Nothing in it may be believed before its signature has been verified (R-JW-01). */
export interface ReadToken {
  readonly text: string;
  readonly algorithm: string;
  /** `typ`, lower case, without `application/`. */
  readonly type: string | undefined;
  readonly kid: string | undefined;
  readonly claims: Claims;
  readonly signatureBytes: number;
}

/** Parameters that would locate or supply a key, change what is signed, or make the content something else. */
const REFUSED_PARAMETERS = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'zip', 'enc', 'cty'] as const;

/**
 * Reads a JWS in compact form, and refuses whatever has a second reading: it costs no cryptography and no wait
 * (R-JW-02, R-JW-06, R-JW-08 to R-JW-14).
 *
 * @throws CredentialRejected `token.too-long`, `token.malformed`, `token.header` or `token.algorithm`
 */
export function readToken(text: string): ReadToken {
  if (text.length > MAX_TOKEN_LENGTH) throw new CredentialRejected('token.too-long');
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first <= 0 || second <= first + 1 || second === text.length - 1)
    throw new CredentialRejected('token.malformed');
  if (first > MAX_HEADER_LENGTH || text.includes('.', second + 1))
    throw new CredentialRejected('token.malformed');
  const header = readObjectPart(text.slice(0, first));
  for (const name of REFUSED_PARAMETERS) if (name in header) throw new CredentialRejected('token.header');
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string' || !ALGORITHMS.has(alg)) throw new CredentialRejected('token.algorithm');
  if ((typ !== undefined && !isVisibleAscii(typ)) || (kid !== undefined && !isVisibleAscii(kid))) {
    throw new CredentialRejected('token.header');
  }
  return {
    text,
    algorithm: alg,
    type: typ === undefined ? undefined : normalizedType(typ),
    kid,
    claims: readObjectPart(text.slice(first + 1, second)),
    signatureBytes: decodePart(text.slice(second + 1)).length,
  };
}

/** One part of a JWS as the strict JSON object that it must be; @throws CredentialRejected `token.malformed` */
export function readObjectPart(part: string): Claims {
  const bytes = decodePart(part);
  if (!isUtf8(bytes)) throw new CredentialRejected('token.malformed');
  try {
    return parseStrictClaims(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof ClaimsRefused) throw new CredentialRejected('token.malformed');
    throw error;
  }
}

/** The bytes of one part; @throws CredentialRejected `token.malformed` */
export function decodePart(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  // Node's decoder forgives padding, foreign characters and stray bits; what does not come back the same had some (R-JW-13).
  if (bytes.toString('base64url') !== part) throw new CredentialRejected('token.malformed');
  return bytes;
}

/** A `kid` or `typ`: 1 to 256 characters from `!` to `~`. */
function isVisibleAscii(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 256) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}

function normalizedType(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}
