import type { CredentialScheme } from '../../policy/route-policy.js';
import type { CredentialVerifier, VerifiedCredential } from '../credential-verifier.js';

/**
 * Both kinds of access tokens under one scheme. Where there are issuers of both, whatever has the three parts of a JWT is
 * verified as one and never sent to anybody (R-IN-06).
 */
export class AccessTokenVerifier implements CredentialVerifier {
  readonly wireScheme = 'bearer';

  constructor(
    private readonly jwts: CredentialVerifier,
    private readonly opaque: CredentialVerifier,
  ) {}

  schemeOf(token: string): CredentialScheme | undefined {
    return this.#of(token).schemeOf?.(token);
  }

  cached(token: string, address?: string): VerifiedCredential | undefined {
    return this.#of(token).cached(token, address);
  }

  verify(token: string, address?: string): Promise<VerifiedCredential> {
    return this.#of(token).verify(token, address);
  }

  #of(token: string): CredentialVerifier {
    const first = token.indexOf('.');
    return first > 0 && token.includes('.', first + 1) ? this.jwts : this.opaque;
  }
}
