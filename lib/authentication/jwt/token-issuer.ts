import type { JsonWebKey, KeyObject } from 'node:crypto';

import type { JwtAlgorithm } from './algorithms.js';
import type { KeySource } from './key-source.js';

/** A private key of an issuer that is this application. */
export interface TokenSigner {
  readonly privateKey: KeyObject;
  /** Thumbprint of the key (RFC 7638). */
  readonly kid: string;
  readonly algorithm: JwtAlgorithm;
  /** What others verify with: `kid`, `alg` and `use` included, nothing private. */
  readonly publicJwk: JsonWebKey;
}

/** The keys of an issuer that is this application. */
export interface SigningKeys {
  /** The key that signs now. @throws SecurityError `UNAVAILABLE` while there is none */
  signer(): TokenSigner;
  /** What others verify with, keys that will sign soon and those that have signed until lately included. */
  publicJwks(): readonly JsonWebKey[];
}

/** One key for as long as the process runs. */
export const singleSigningKey = (signer: TokenSigner): SigningKeys => ({
  signer: () => signer,
  publicJwks: () => [signer.publicJwk],
});

/** What is believed of an issuer's tokens, once it is known that they are its own. */
export interface ClaimRules {
  /** The scheme of the principals that its tokens make. */
  readonly scheme: 'jwt' | 'oauth2';
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds. */
  readonly clockSkew: number;
  /** Seconds. */
  readonly maxLifetime: number;
  readonly rolesClaim: string;
  /** The only roles and scopes that its tokens can give. */
  readonly roles: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly tenantClaim: string | undefined;
  readonly claims: readonly string[];
}

/** One issuer of JWTs, checked and complete: all that verifying its tokens takes. */
export interface TokenIssuer extends ClaimRules {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keys: KeySource;
  readonly legacyTyp: boolean;
  /** Present if this application issues the tokens itself. */
  readonly signer: SigningKeys | undefined;
}

/** The issuer that this application is. */
export type OwnIssuer = TokenIssuer & { readonly signer: SigningKeys };
