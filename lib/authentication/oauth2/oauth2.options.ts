import type { TokenRules, VerificationKeys } from '../jwt/jwt.options.js';

/** An authorization server whose access tokens are accepted. Needs exactly one of the key members. */
export interface OAuth2IssuerOptions extends TokenRules, VerificationKeys {
  /** `aud` that a token must name; the resource identifier by default. */
  readonly audience?: string | readonly string[];
}

/** OAuth 2.0 access tokens (RFC 9068) by which third parties act for users. */
export interface OAuth2Options {
  /** Identifier of this API as a resource: an https URL without fragment (RFC 8707 §2). */
  readonly resource: string;
  readonly issuers: readonly OAuth2IssuerOptions[];
}
