import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from 'node:crypto';

import { ALGORITHMS, isEdDsa, isSymmetric, type JwtAlgorithm } from './algorithms.js';
import { findSecretWeakness } from './weak-secrets.js';

/** A key that may verify tokens: typed, checked, and bound to one algorithm. */
export interface VerificationKey {
  readonly key: KeyObject;
  readonly kid: string | undefined;
  /** The one algorithm; Ed25519 has two names. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly signatureBytes: number;
}

/** Key material that cannot be used; the message tells the operator why and holds nothing of the key. */
export class KeyRefused extends Error {}

const RSA_BITS = { min: 2_048, max: 8_192 };
const MIN_RSA_EXPONENT = 65_537n;
/** Larger exponents only make verification slow. */
const MAX_RSA_EXPONENT = 1n << 64n;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/**
 * Parses a public key, once, at boot or when a key set was fetched (R-JW-03, R-JW-04).
 *
 * @param allowed the issuer's algorithms; `undefined` takes what the key is for
 * @param pickFirst with several algorithms that fit, take the first instead of refusing
 * @throws KeyRefused
 */
export function readPublicKey(
  material: unknown,
  allowed: readonly JwtAlgorithm[] | undefined,
  pickFirst = false,
): VerificationKey {
  const jwk = isJwk(material) ? material : undefined;
  if (jwk) checkPublicJwk(jwk);
  const key = importKey(material, jwk, 'public');
  return bind(key, jwk, allowed, pickFirst);
}

/** Parses a private key for signing; @throws KeyRefused */
export function readPrivateKey(material: unknown): KeyObject {
  const key = importKey(material, isJwk(material) ? material : undefined, 'private');
  fittingAlgorithms(createPublicKey(key));
  return key;
}

/** The public half, bound to its algorithm and named by its thumbprint; @throws KeyRefused */
export function publicHalf(
  privateKey: KeyObject,
  kid: string,
  allowed: readonly JwtAlgorithm[] | undefined,
): VerificationKey {
  return { ...bind(createPublicKey(privateKey), undefined, allowed, false), kid };
}

/** Reads a shared secret: bytes, base64 or base64url text, or a key object (R-JW-21); @throws KeyRefused */
export function readSecret(material: unknown, allowed: readonly JwtAlgorithm[] | undefined): VerificationKey {
  const fitting = (allowed ?? ['HS256']).filter(isSymmetric);
  const [algorithm] = fitting;
  if (algorithm === undefined || fitting.length !== 1)
    throw new KeyRefused('serves exactly one algorithm of the HS family');
  const bytes = secretBytes(material);
  const { signatureBytes = 0 } = ALGORITHMS.get(algorithm)!;
  const weakness = findSecretWeakness(bytes, signatureBytes);
  if (weakness) throw new KeyRefused(weakness);
  return { key: createSecretKey(bytes), kid: undefined, algorithms: [algorithm], signatureBytes };
}

function secretBytes(material: unknown): Buffer {
  if (material instanceof KeyObject) {
    if (material.type !== 'secret') throw new KeyRefused('is not a secret but an asymmetric key');
    return material.export();
  }
  if (material instanceof Uint8Array) return Buffer.from(material);
  if (typeof material !== 'string') throw new KeyRefused('is neither bytes nor text');
  const unpadded = material.replace(/={1,2}$/, '');
  if (/^[0-9a-f]+$/i.test(unpadded)) {
    throw new KeyRefused('is a text that could be hexadecimal or base64; hand over Buffer.from(text, "hex")');
  }
  const bytes = Buffer.from(unpadded, 'base64');
  const canonical = unpadded.replaceAll('+', '-').replaceAll('/', '_');
  if (bytes.toString('base64url') !== canonical) {
    throw new KeyRefused(
      'is a text but not base64; hand over Buffer.from(text) if its characters are the secret',
    );
  }
  return bytes;
}

function importKey(material: unknown, jwk: JsonWebKey | undefined, type: 'public' | 'private'): KeyObject {
  if (material instanceof KeyObject) {
    if (material.type !== type) throw new KeyRefused(`is a ${material.type} key where a ${type} key is due`);
    return material;
  }
  if (typeof material === 'string') {
    // Node derives the public key from a private one; whoever configured that gave away more than was needed.
    if (material.includes('PRIVATE KEY-----') !== (type === 'private'))
      throw new KeyRefused(`is no PEM text of a ${type} key`);
  } else if (!jwk) throw new KeyRefused('is neither PEM text, nor a JWK, nor a KeyObject');
  const create = type === 'public' ? createPublicKey : createPrivateKey;
  try {
    return jwk ? create({ key: jwk, format: 'jwk' }) : create(material as string);
  } catch {
    // OpenSSL's words may quote the material.
    throw new KeyRefused('cannot be read as a key');
  }
}

function isJwk(material: unknown): material is JsonWebKey {
  return (
    typeof material === 'object' && material !== null && !(material instanceof KeyObject) && 'kty' in material
  );
}

function checkPublicJwk(jwk: JsonWebKey): void {
  if (jwk.kty === 'oct') throw new KeyRefused('is a symmetric key');
  if (PRIVATE_MEMBERS.some((name) => name in jwk)) throw new KeyRefused('holds private members');
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') throw new KeyRefused('is not for signatures');
  const operations: unknown = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new KeyRefused('is not for verification');
  }
  const kid: unknown = jwk['kid'];
  if (kid !== undefined && (typeof kid !== 'string' || kid === ''))
    throw new KeyRefused('has a kid that is no text');
}

function bind(
  key: KeyObject,
  jwk: JsonWebKey | undefined,
  allowed: readonly JwtAlgorithm[] | undefined,
  pickFirst: boolean,
): VerificationKey {
  const kid = jwk?.['kid'] as string | undefined;
  const signatureBytes = signatureLength(key);
  let algorithms = fittingAlgorithms(key);
  const declared: unknown = jwk?.['alg'];
  if (declared !== undefined) {
    algorithms = algorithms.filter(
      (name) => name === declared || (isEdDsa(name) && typeof declared === 'string' && isEdDsa(declared)),
    );
    if (algorithms.length === 0) throw new KeyRefused('has an alg that its type does not fit');
  }
  if (allowed) {
    const chosen = allowed.filter((name) => algorithms.includes(name));
    if (chosen.length === 0) throw new KeyRefused('fits none of the algorithms');
    if (chosen.every(isEdDsa)) return { key, kid, algorithms: chosen, signatureBytes };
    if (chosen.length > 1 && !pickFirst) {
      throw new KeyRefused('would serve several algorithms; name one, or give a JWK with alg (R-JW-04)');
    }
    return { key, kid, algorithms: chosen.slice(0, 1), signatureBytes };
  }
  return {
    key,
    kid,
    algorithms: algorithms.every(isEdDsa) ? algorithms : algorithms.slice(0, 1),
    signatureBytes,
  };
}

/** Algorithms that a sound public key can serve, the usual one first; @throws KeyRefused */
function fittingAlgorithms(key: KeyObject): readonly JwtAlgorithm[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === 'rsa') {
    const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details;
    if (bits < RSA_BITS.min || bits > RSA_BITS.max)
      throw new KeyRefused(`has ${bits} bits; 2048 to 8192 are accepted`);
    if (exponent < MIN_RSA_EXPONENT || exponent > MAX_RSA_EXPONENT || exponent % 2n === 0n) {
      throw new KeyRefused('has an unsafe public exponent');
    }
    return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
  }
  if (type === 'ed25519') return ['EdDSA', 'Ed25519'];
  for (const [name, facts] of ALGORITHMS) {
    if (type === 'ec' && facts.curve === details.namedCurve) return [name as JwtAlgorithm];
  }
  throw new KeyRefused('is of a type or curve that no accepted algorithm uses');
}

function signatureLength(key: KeyObject): number {
  const [algorithm = ''] = fittingAlgorithms(key);
  return (
    ALGORITHMS.get(algorithm)?.signatureBytes ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
  );
}
