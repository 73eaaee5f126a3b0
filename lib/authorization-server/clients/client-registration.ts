import type { JsonWebKey } from 'node:crypto';

/** A client application as it is registered (RFC 7591, in our own words). */
export interface ClientRegistration {
  /** Begins with `client_`, which no account does; made by the server where it is left out. */
  readonly clientId?: string;
  /** Shown to the people who are asked: 1 to 80 characters. */
  readonly name: string;
  /**
   * How it proves who it is: `secret` (default) by a secret that is shown once, `private-key` by signing (`jwks`), `none` for
   * applications that can keep no secret: in browsers, on phones and desktops.
   */
  readonly authentication?: 'secret' | 'private-key' | 'none';
  /** Public keys for `private-key`. */
  readonly jwks?: { readonly keys: readonly JsonWebKey[] };
  /**
   * Where answers go, compared character by character: https, http to an address of the user's own machine (any port), or a
   * scheme of its own such as `com.example.app:/callback` (R-AS-03). None: the client cannot act for users.
   */
  readonly redirectUris?: readonly string[];
  /** The most it can ask for. Without any it can do nothing that needs a scope. */
  readonly scopes?: readonly string[];
  /** The resources it may ask tokens for; all by default. */
  readonly resources?: readonly string[];
  /** `authorization_code` and `refresh_token` with `redirectUris`, `client_credentials` without, by default. */
  readonly grantTypes?: readonly GrantType[];
  /** Whether somebody has made sure who is behind it; shown to the people who are asked. */
  readonly verified?: boolean;
  /** Only tokens that are bound to a key of the client (DPoP). */
  readonly dpopBound?: boolean;
  /** Authorization requests must be pushed (RFC 9126). */
  readonly pushedRequests?: boolean;
  /** Origins of scripts that may call the token and revocation endpoint (CORS). */
  readonly allowedOrigins?: readonly string[];
  /** For a resource server: the resource about whose tokens it may ask (RFC 7662). */
  readonly resourceServer?: string;
}

/** What can be changed of a client; its id and how it proves who it is stay. */
export type ClientChanges = Partial<Omit<ClientRegistration, 'clientId' | 'authentication'>>;

/** What a client can do to get tokens; there are no others (R-AS-02). */
export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
export type GrantType = (typeof GRANT_TYPES)[number];

/** A client as the server keeps it: complete, with the digest of its secret. */
export interface RegisteredClient extends Required<Omit<ClientRegistration, 'jwks' | 'resourceServer'>> {
  readonly jwks?: ClientRegistration['jwks'];
  readonly resourceServer?: string;
  /** SHA-256 of its secret in base64url. */
  readonly secretDigest?: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** What may be known of a client: everything but the digest. */
export type ClientInfo = Omit<RegisteredClient, 'secretDigest'>;

/** Whether people other than its makers can be sure that an answer reaches it (RFC 8252 §8.6). */
export const isNative = (redirectUris: readonly string[]): boolean =>
  redirectUris.some((uri) => !uri.startsWith('https:'));

/** Without the digest. */
export function infoOf(client: RegisteredClient): ClientInfo {
  const { secretDigest, ...info } = client;
  return secretDigest === undefined ? client : info;
}
