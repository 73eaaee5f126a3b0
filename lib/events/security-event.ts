import type { CredentialScheme } from '../policy/route-policy.js';

/** What every event says about the request it belongs to. Holds no secret and no query value. */
export interface SecurityEventContext {
  readonly method?: string;
  /** Route template, or `undefined` where no route matched. */
  readonly route?: string | undefined;
  readonly address?: string;
  /** `type:id` of the principal, if one was authenticated. */
  readonly principal?: string | undefined;
}

/** The payload of each event by its name. */
export interface SecurityEventMap {
  'authentication.succeeded': { scheme: CredentialScheme };
  /** `reason` is the true cause, such as `key.revoked` or `token.expired`; the client never sees it. */
  'authentication.failed': { scheme: string; reason: string; credential?: string };
  'authorization.denied': { reason: string; requiredScopes?: readonly string[] };
  'rate-limit.exceeded': {
    limit: string;
    layer: 'address' | 'authentication' | 'principal';
    retryAfter: number;
  };
  /** A limit that is only tried out would have refused the request. */
  'rate-limit.dry-run': {
    limit: string;
    layer: 'address' | 'authentication' | 'principal';
    retryAfter: number;
  };
  /** The shared storage of counters failed; limits follow their policy for it. */
  'rate-limit.store-failed': { message: string };
  /** The application could not say on which plan somebody is; the limits of routes hold. */
  'rate-limit.plan-failed': { message: string };
  /** The storage answers again. */
  'rate-limit.store-recovered': { afterMs: number };
  /** The process has more to do than it can: some requests are answered 503 (R-RL-23). */
  'load.shedding': { delayMs: number; refused: number };
  'validation.rejected': { code: string; paths: readonly string[] };
  'request.malformed': { code: string; reason: string };
  'transport.rejected': { reason: string };
  'transport.redirected': { host: string };
  /** A credential was seen in clear or in a URL. `credential` is masked. */
  'api-key.exposed': { keyId: string; reason: 'plaintext' | 'url' | 'reported'; revoked: boolean };
  /** Exposed keys are only flagged from here on: so many at once look like a proxy that is set up wrongly (R-TL-11). */
  'api-key.revocation-stopped': { reason: string };
  'api-key.issued': { keyId: string; owner: string };
  /** `fields` are the names of what was changed. */
  'api-key.updated': { keyId: string; fields: readonly string[] };
  'api-key.rotated': { keyId: string; successorId: string };
  'api-key.revoked': { keyId: string };
  'token.issued': { subject: string; session: string };
  'token.refreshed': { subject: string; session: string };
  /** A spent refresh token came back: the whole family was ended. */
  'token.reuse-detected': { subject: string; session: string };
  'token.revoked': { subject: string; session: string };
  /** The keys of an issuer could not be had; those that are known go on working for a while. */
  'key-set.failed': { issuer: string; reason: string };
  /** Several keys of one name: none of them is used (R-OA-03). */
  'key-set.ambiguous': { issuer: string; kid: string };
  /** A token could not be looked up at its issuer; who sent it got 503. */
  'introspection.failed': { issuer: string; reason: string };
  'oauth-client.registered': { clientId: string };
  'oauth-client.changed': { clientId: string };
  'oauth-client.secret-rotated': { clientId: string };
  'oauth-client.removed': { clientId: string };
  /** A user let a client act for them. */
  'oauth-grant.given': { subject: string; clientId: string; scopes: readonly string[] };
  /** A user, or an administrator, took it back: its tokens are dead. */
  'oauth-grant.withdrawn': { subject: string; clientId: string };
  /** A code or a refresh token was not good for who sent it; `reason` is the true cause. */
  'oauth-grant.refused': { clientId: string; reason: string };
  /** A code or a refresh token came a second time; everything that came from it was ended. */
  'oauth-grant.replayed': { clientId: string };
  'signing-key.added': { kid: string };
  'signing-key.removed': { kid: string };
  'store.failed': { store: string; message: string };
  'error.unhandled': { name: string; message: string; stack: string | undefined };
}

/** The name of a security event. */
export type SecurityEventType = keyof SecurityEventMap;

/** One security event as subscribers get it: frozen, with its name, time and payload. */
export type SecurityEvent = {
  [T in SecurityEventType]: Readonly<{ type: T; time: string } & SecurityEventContext & SecurityEventMap[T]>;
}[SecurityEventType];
