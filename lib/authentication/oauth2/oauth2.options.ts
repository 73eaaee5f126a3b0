import type { ScopeDescriptions } from '../../authorization/scope-descriptions.js';
import type { TokenRules, VerificationKeys } from '../jwt/jwt.options.js';
import type { CurrentRights } from './delegated-rights.js';
import type { DpopOptions } from './dpop/dpop.options.js';
import type { IntrospectionOptions } from './introspection/introspection.options.js';
import type { MtlsOptions } from './mtls.options.js';

/**
 * An authorization server whose access tokens are accepted: JWTs, by one of the key members or discovery, or opaque tokens, by
 * `introspection`. Which of the two is fixed here, never by a token (R-IN-06).
 */
export interface OAuth2IssuerOptions extends TokenRules, VerificationKeys {
  /** `aud` that a token must name; the resource identifier by default. */
  readonly audience?: string | readonly string[];
  /** Its tokens are opaque: the server is asked about each (RFC 7662). One issuer at most can have it. */
  readonly introspection?: IntrospectionOptions;
}

/** OAuth 2.0 access tokens (RFC 9068) by which third parties act for users. */
export interface OAuth2Options {
  /** Identifier of this API as a resource: an https URL without fragment (RFC 8707 §2). */
  readonly resource: string;
  readonly issuers: readonly OAuth2IssuerOptions[];
  /** Every scope that routes may ask for, in words; a route that asks for another one stops the boot. */
  readonly scopes?: ScopeDescriptions;
  /**
   * What a user may do here now: a token's scopes and roles count only as far as the user has them too (R-AZ-08). Asked for a
   * user when a token comes, and believed for ten seconds; `undefined` refuses the token. What is left out limits nothing.
   */
  readonly currentRights?: CurrentRights;
  /** Scopes that the metadata does not name, because only internal clients need them (RFC 9728 §7.2). */
  readonly hiddenScopes?: readonly string[];
  /** Tokens that are bound to a key of the client. They are understood without any option. */
  readonly dpop?: DpopOptions;
  /** Tokens that are bound to a certificate of the client. They are understood without any option. */
  readonly mtls?: MtlsOptions;
}
