import type { JsonWebKey, KeyObject } from 'node:crypto';

import type { Duration } from '../../configuration/units.js';
import type { JwtAlgorithm } from './algorithms.js';

/** An asymmetric key: PEM text, a JWK, or Node's own object. */
export type AsymmetricKeyMaterial = string | JsonWebKey | KeyObject;

/** A JWK Set (RFC 7517 §5). */
export interface JwkSet {
  readonly keys: readonly JsonWebKey[];
}

/** What is believed of an issuer's tokens, whatever signs them. */
export interface TokenRules {
  /** `iss` of the tokens, compared character by character. */
  readonly issuer: string;
  /**
   * The signature algorithms that are accepted. By default what the keys are for: their `alg`, else RS256 for RSA keys, the
   * curve's for EC and Ed25519 keys, HS256 for a secret; for `jwksUri` ES256, RS256, PS256 and EdDSA.
   */
  readonly algorithms?: readonly JwtAlgorithm[];
  /** How far clocks may differ; `'30s'` by default, 0 to `'5m'`. */
  readonly clockSkew?: Duration;
  /** Longest life (`exp − iat`) that is believed; `'1h'` by default, `'15m'` with a `signingKey`, at most `'24h'`. */
  readonly maxLifetime?: Duration;
  /**
   * Also accept `typ: JWT` or none at all, as older issuers send it; the token then has to carry `scope` or `client_id`, and
   * nothing that only ID tokens, refresh tokens and proofs have. Off by default: `typ` must be `at+jwt` (R-JW-15).
   */
  readonly legacyTyp?: boolean;
  /** The claim with the roles, an array of strings; `'roles'` by default. */
  readonly rolesClaim?: string;
  /** The only roles that its tokens can give, so that no issuer can give those of another (R-OA-10); any by default. */
  readonly roles?: readonly string[];
  /** The same for scopes. */
  readonly scopes?: readonly string[];
  /** The claim with the tenant, a string; none by default. */
  readonly tenantClaim?: string;
  /** Further claims that handlers may see in `principal.claims`; none by default. */
  readonly claims?: readonly string[];
}

/** Keys of somebody else's tokens: exactly one of the first four, or none for an issuer whose URL tells (discovery). */
export interface VerificationKeys {
  /** One public key, RSA of 2048 to 8192 bits, EC or Ed25519. */
  readonly publicKey?: AsymmetricKeyMaterial;
  /** The public keys of the issuer, chosen by `kid`. */
  readonly jwks?: JwkSet;
  /** A file with the public keys, a JWK Set; read again when it has changed. */
  readonly jwksFile?: string;
  /** Where the public keys are fetched: an https URL; http for loopback addresses outside production only. */
  readonly jwksUri?: string;
  /** When keys are fetched, by `jwksUri` or discovery. */
  readonly keyRefresh?: KeyRefreshOptions;
  /**
   * Whether `jwksUri` and discovery may lead to a private network; false by default, so that nobody can make this application
   * ask its own neighbours. An address of this machine that stands in the configuration is always meant.
   */
  readonly allowPrivateAddresses?: boolean;
}

/** When an issuer's keys are fetched. */
export interface KeyRefreshOptions {
  /** How long they are used without a look; `'10m'` by default, `'1m'` to `'24h'`. A server's `max-age` may shorten it. */
  readonly maxAge?: Duration;
  /** How long they are used while they cannot be fetched, since the last time; `'1h'` by default, `maxAge` to `'24h'`. */
  readonly maxStale?: Duration;
  /** Between two fetches; `'30s'` by default, `'1s'` to `'1h'`. */
  readonly cooldown?: Duration;
  /** Longest wait for one, to its last byte; `'3s'` by default, `'100ms'` to `'10s'`. */
  readonly timeout?: Duration;
}

/** One issuer of JWTs for the application's own users. Needs exactly one of the key members. */
export interface JwtIssuerOptions extends TokenRules, VerificationKeys {
  /** `aud` that a token must name: this application. One of several is enough. */
  readonly audience: string | readonly string[];
  /**
   * A shared secret of at least 32, 48 or 64 random bytes for HS256, HS384 or HS512; a text is base64 or base64url. Only for
   * one service that is issuer and audience in one (R-JW-21).
   */
  readonly secret?: string | Uint8Array | KeyObject;
  /**
   * A private key: this application issues the tokens itself, through `TokenService`. The text `generate` stands for an
   * ES256 pair that is made at each start: for development and a single node.
   */
  readonly signingKey?: AsymmetricKeyMaterial;
}

/** The issuers of the application's own users: one or several. */
export type JwtOptions = JwtIssuerOptions | readonly JwtIssuerOptions[];
