import { constants, type KeyObject, verify } from 'node:crypto';

import { BoundedCache } from '../../bounded-cache.js';
import { KeyRefused, readPublicKey } from '../../jwt/key-material.js';
import type { JwtAlgorithm } from '../../jwt/algorithms.js';
import { thumbprint } from '../../jwt/thumbprint.js';
import { decodePart, readObjectPart } from '../../jwt/token-reader.js';
import type { Claims } from '../../jwt/strict-claims.js';
import { CredentialRejected } from '../../credential-verifier.js';

/** The algorithms that proofs may have. */
export const DPOP_ALGORITHMS = ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'] as const;
export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number];

const MAX_PROOF_LENGTH = 4_096;
const MAX_JWK_LENGTH = 2_048;
const MAX_RSA_BITS = 4_096;
const MAX_ID_LENGTH = 256;
const MAX_URI_LENGTH = 2_048;
/** Keys that were seen before need not be read again; each client brings the same one in every proof. */
const CACHED_KEYS = 1_000;

/** Whatever would locate or supply another key, change what is signed, or make the content something else. */
const REFUSED_PARAMETERS = ['crit', 'b64', 'jku', 'x5u', 'x5c', 'zip', 'enc', 'cty'] as const;

const SIGNATURES: Readonly<
  Record<DpopAlgorithm, { readonly hash: string | null; readonly options: object }>
> = {
  ES256: { hash: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  ES384: { hash: 'sha384', options: { dsaEncoding: 'ieee-p1363' } },
  PS256: {
    hash: 'sha256',
    options: {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    },
  },
  EdDSA: { hash: null, options: {} },
  Ed25519: { hash: null, options: {} },
};

/** How fast the clocks of clients may be, in milliseconds (R-DP-06). */
export const FUTURE_MS = 10_000;

/** A proof was sent and is not good enough, or it is missing. The client is told so, but not why. */
export class ProofRejected extends CredentialRejected {
  constructor(
    reason: string,
    /** The client has to take a nonce, and try again. */
    readonly needsNonce = false,
  ) {
    super(reason);
  }
}

/** A proof whose form is right; nothing in it may be believed before `verifyProof()`. */
export interface ReadProof {
  readonly text: string;
  readonly algorithm: DpopAlgorithm;
  readonly key: KeyObject;
  /** Thumbprint of the key. */
  readonly jkt: string;
  readonly id: string;
  readonly method: string;
  readonly uri: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly tokenHash: string | undefined;
  readonly nonce: string | undefined;
}

type ProofKey = Pick<ReadProof, 'key' | 'jkt'>;
const keys = new BoundedCache<ProofKey>(CACHED_KEYS);

/**
 * Reads a DPoP proof (RFC 9449 §4.2): one JWS in compact form with a public key of its own in the header, and a second
 * reading of nothing in it (R-DP-03).
 *
 * @throws ProofRejected
 */
export function readProof(text: string, algorithms: readonly DpopAlgorithm[]): ReadProof {
  if (text.length > MAX_PROOF_LENGTH) throw new ProofRejected('proof.too-long');
  const [head = '', body = '', signature = '', ...more] = text.split('.', 4);
  if (head === '' || body === '' || signature === '' || more.length > 0)
    throw new ProofRejected('proof.malformed');
  const header = part(() => readObjectPart(head));
  if (header['typ'] !== 'dpop+jwt') throw new ProofRejected('proof.type');
  const algorithm = algorithms.find((name) => name === header['alg']);
  if (algorithm === undefined) throw new ProofRejected('proof.algorithm');
  for (const name of REFUSED_PARAMETERS) if (name in header) throw new ProofRejected('proof.header');
  const { key, jkt } = keyOf(header['jwk'], algorithm);
  const claims = part(() => readObjectPart(body));
  const issuedAt = claims['iat'];
  if (typeof issuedAt !== 'number') throw new ProofRejected('proof.claims');
  return {
    text,
    algorithm,
    key,
    jkt,
    id: requiredText(claims, 'jti', MAX_ID_LENGTH),
    method: requiredText(claims, 'htm', 32),
    uri: requiredText(claims, 'htu', MAX_URI_LENGTH),
    issuedAt,
    tokenHash: optionalText(claims, 'ath'),
    nonce: optionalText(claims, 'nonce'),
  };
}

/** The one `DPoP` line; Node joins repeated ones, so the raw lines are looked at (R-DP-02). @throws ProofRejected */
export function proofIn(rawHeaders: readonly string[]): string {
  let proof: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length !== 4 || name.toLowerCase() !== 'dpop') continue;
    if (proof !== undefined) throw new ProofRejected('proof.repeated');
    proof = rawHeaders[i + 1]!;
  }
  if (proof === undefined) throw new ProofRejected('proof.missing');
  return proof;
}

/** @throws ProofRejected unless the key in the proof signed it */
export function verifyProof({ text, algorithm, key }: ReadProof): void {
  const end = text.lastIndexOf('.');
  const signature = part(() => decodePart(text.slice(end + 1)));
  const { hash, options } = SIGNATURES[algorithm];
  const good = verify(hash, Buffer.from(text.slice(0, end), 'latin1'), { key, ...options }, signature);
  if (!good) throw new ProofRejected('proof.signature');
}

function keyOf(jwk: unknown, algorithm: JwtAlgorithm): ProofKey {
  const json = typeof jwk === 'object' && jwk !== null ? JSON.stringify(jwk) : '';
  if (json === '' || json.length > MAX_JWK_LENGTH) throw new ProofRejected('proof.key');
  const cacheKey = `${algorithm} ${json}`;
  const known = keys.get(cacheKey);
  if (known) return known;
  try {
    const { key } = readPublicKey({ ...(jwk as object) }, [algorithm]);
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) > MAX_RSA_BITS) throw new KeyRefused('is too long');
    const read = { key, jkt: thumbprint(jwk as Readonly<Record<string, unknown>>) };
    keys.set(cacheKey, read);
    return read;
  } catch (error) {
    if (error instanceof KeyRefused) throw new ProofRejected('proof.key');
    throw error;
  }
}

/** What is wrong with the form of a token is wrong with that of a proof too. */
function part<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CredentialRejected) throw new ProofRejected('proof.malformed');
    throw error;
  }
}

function requiredText(claims: Claims, name: string, maxLength: number): string {
  const value = claims[name];
  if (typeof value !== 'string' || value === '' || value.length > maxLength)
    throw new ProofRejected('proof.claims');
  return value;
}

function optionalText(claims: Claims, name: string): string | undefined {
  return claims[name] === undefined ? undefined : requiredText(claims, name, MAX_ID_LENGTH);
}
