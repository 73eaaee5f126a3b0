import type { JsonWebKey, KeyObject } from 'node:crypto';

import type { JwtAlgorithm } from './algorithms.js';
import type { KeySource } from './key-source.js';

/** The private key of an issuer that is this application. */
export interface TokenSigner {
  readonly privateKey: KeyObject;
  /** Thumbprint of the key (RFC 7638). */
  readonly kid: string;
  readonly algorithm: JwtAlgorithm;
  /** What others verify with: `kid`, `alg` and `use` included, nothing private. */
  readonly publicJwk: JsonWebKey;
}

/** One issuer, checked and complete: all that verifying its tokens takes. */
export interface TokenIssuer {
  /** The scheme of the principals that its tokens make. */
  readonly scheme: 'jwt' | 'oauth2';
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keys: KeySource;
  /** Seconds. */
  readonly clockSkew: number;
  /** Seconds. */
  readonly maxLifetime: number;
  readonly legacyTyp: boolean;
  readonly rolesClaim: string;
  readonly tenantClaim: string | undefined;
  readonly claims: readonly string[];
  /** Present if this application issues the tokens itself. */
  readonly signer: TokenSigner | undefined;
}
