/** Signature algorithms that can be configured. `none` is not among them (R-JW-02). */
export type JwtAlgorithm =
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'EdDSA'
  | 'Ed25519'
  | 'HS256'
  | 'HS384'
  | 'HS512';

/** What a key must be to serve an algorithm. */
interface AlgorithmFacts {
  readonly keyType: 'secret' | 'rsa' | 'ec' | 'ed25519';
  /** OpenSSL's name of the curve. */
  readonly curve?: string;
  /** Length of a signature; for RSA it is the modulus's. */
  readonly signatureBytes?: number;
}

const ec = (curve: string, signatureBytes: number): AlgorithmFacts => ({
  keyType: 'ec',
  curve,
  signatureBytes,
});
const hmac = (signatureBytes: number): AlgorithmFacts => ({ keyType: 'secret', signatureBytes });
const RSA: AlgorithmFacts = { keyType: 'rsa' };
const ED25519: AlgorithmFacts = { keyType: 'ed25519', signatureBytes: 64 };

/** Every algorithm by its exact name; the order is that of preference where a key fits several. */
export const ALGORITHMS: ReadonlyMap<string, AlgorithmFacts> = new Map<JwtAlgorithm, AlgorithmFacts>([
  ['ES256', ec('prime256v1', 64)],
  ['ES384', ec('secp384r1', 96)],
  ['ES512', ec('secp521r1', 132)],
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
  ['HS256', hmac(32)],
  ['HS384', hmac(48)],
  ['HS512', hmac(64)],
]);

/** Two names of one algorithm: RFC 8037's, and RFC 9864's that says the curve. */
export const isEdDsa = (algorithm: string): boolean => algorithm === 'EdDSA' || algorithm === 'Ed25519';

export const isSymmetric = (algorithm: string): boolean => ALGORITHMS.get(algorithm)?.keyType === 'secret';
