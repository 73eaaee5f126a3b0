import type { CredentialScheme, RateLimitRule } from '../policy/route-policy.js';
import type { Principal } from '../principal/principal.js';

/** A credential that was found genuine. */
export interface VerifiedCredential {
  readonly principal: Principal;
  /** Epoch milliseconds after which the verdict must not be used any more. */
  readonly expiresAt: number;
  /** Whether the credential may be used from this address; absent if it may from anywhere. */
  readonly allowsAddress?: (address: string) => boolean;
  /** Limits of its own, in place of the route's. */
  readonly limits?: readonly RateLimitRule[] | undefined;
  /** The plan whose limits stand in place of the route's, as it is when a request comes. */
  readonly plan?: string | undefined;
}

/** A credential that was refused. `reason` goes to the security events, never to the client (R-AU-09). */
export class CredentialRejected extends Error {
  constructor(
    /** Stable cause, such as `key.unknown`, `token.signature` or `token.expired`. */
    readonly reason: string,
    /** Masked name of the credential for events: a key id, a `jti`. */
    readonly credential?: string,
    /** The only cause a client may be told: a token with a good signature that has expired. */
    readonly expired = false,
  ) {
    super(reason);
    this.name = 'CredentialRejected';
  }
}

/** Verifies what is sent under one scheme name on the wire. */
export interface CredentialVerifier {
  /** Lower-cased name of the HTTP authentication scheme. */
  readonly wireScheme: 'api-key' | 'bearer';
  /** What a credential can only be, if its form tells; a route that does not take it need not ask anybody about it (R-AU-10). */
  schemeOf?(credential: string): CredentialScheme | undefined;
  /**
   * A verdict still known from an earlier request; costs one digest and one look-up.
   * @param address the client's, to be noted as that of a key's last use; for tokens as limits count it
   */
  cached(credential: string, address?: string): VerifiedCredential | undefined;
  /**
   * Verifies from scratch, through passport, and remembers the verdict.
   * @throws CredentialRejected if the credential is bad
   * @throws SecurityError `UNAVAILABLE` if that could not be decided (R-AK-19)
   */
  verify(credential: string, address?: string): Promise<VerifiedCredential>;
}
