import type { ModuleMetadata } from '@nestjs/common';

import type { Duration } from '../configuration/units.js';
import type { ScopeDescriptions } from '../authorization/scope-descriptions.js';
import type { LimitText } from '../policy/limit-spec.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import type { ClientRegistration } from './clients/client-registration.js';
import type { AuthorizationPages, PageTheme } from './pages/page-views.js';
import type { AuthorizationStore } from './records/authorization-store.js';

/** An API that tokens are for. */
export interface ResourceOptions {
  /** Its identifier, which becomes the one `aud` of tokens: an https URL without fragment (RFC 8707 §2). */
  readonly identifier: string;
  /** As the people who are asked know it. */
  readonly name: string;
  /** Its scopes; all by default. */
  readonly scopes?: readonly string[];
  /** `jwt` (default) can be checked without asking this server; `opaque` is looked up here each time. */
  readonly tokenFormat?: 'jwt' | 'opaque';
}

/** Somebody who has an account. */
export interface Account {
  /** The `sub` of tokens: up to 255 characters, never one that begins with `client_`. */
  readonly id: string;
  /** How the pages call them; the id by default. */
  readonly name?: string;
  /** The scopes that they may give away; all by default (R-AS-11). */
  readonly scopes?: readonly string[];
  /** How strong the login was, which tokens say (`acr`); of `authenticate` alone. */
  readonly acr?: string;
  /** By what means they logged in (RFC 8176); `['pwd']` by default. Of `authenticate` alone. */
  readonly amr?: readonly string[];
}

/** What somebody typed in. Hostile until it was checked. */
export interface LoginInput {
  readonly login: string;
  readonly password: string;
  readonly address: string;
  /** What the application asks of the login (`acr_values`, RFC 9470); empty for nothing in particular. */
  readonly acrValues: readonly string[];
}

/** How long things live. */
export interface AuthorizationLifetimes {
  /** `'10m'` by default, `'1m'` to `'1h'`. */
  readonly accessToken?: Duration;
  /** `'60s'` by default, `'10s'` to `'10m'`. */
  readonly code?: Duration;
  /** From one use to the next; `'30d'` by default, `'1h'` to `'365d'`. */
  readonly refreshToken?: Duration;
  /** How long consent holds at most; `'180d'` by default, `'1h'` to `'730d'`. */
  readonly grant?: Duration;
  /** How long a browser stays logged in; `'8h'` by default, `'5m'` to `'30d'`. */
  readonly session?: Duration;
}

/** What `AuthorizationServerModule.forRoot()` takes. */
export interface AuthorizationServerOptions {
  /** An https origin without path, such as `https://id.example.com`: the `iss` of everything. http for this machine only. */
  readonly issuer: string;
  /** Every scope there is, in words. */
  readonly scopes: ScopeDescriptions;
  readonly resources: readonly ResourceOptions[];
  /** Where everything is kept; in this process's memory by default, where a restart loses it. */
  readonly store?: AuthorizationStore;
  /**
   * Encrypts what is stored, cookies too: 32 random bytes, the same on all nodes; a list to change it, the newest first.
   * Needed with a `store`.
   */
  readonly encryptionKey?: string | Uint8Array | readonly (string | Uint8Array)[];
  /**
   * Checks a login and a password, and tells whose they are; `undefined` for wrong ones. Compare a slow hash in constant time,
   * and do the same work for an account that does not exist.
   */
  readonly authenticate: (input: LoginInput) => Account | undefined | Promise<Account | undefined>;
  /** The account as it is now: asked for each token, so that what somebody may no more, no application may in their name. */
  readonly findAccount: (id: string) => Account | undefined | Promise<Account | undefined>;
  /** Applications of the configuration. Their secret comes beside them, from the environment. */
  readonly clients?: readonly (ClientRegistration & {
    readonly clientId: string;
    readonly secret?: string;
  })[];
  readonly lifetimes?: AuthorizationLifetimes;
  /** What signs tokens; `'ES256'` by default. The keys are made, kept and rotated by themselves. */
  readonly signing?: { readonly algorithm?: 'ES256' | 'EdDSA'; readonly rotateEvery?: Duration };
  /** Whether authorization requests must be pushed (RFC 9126); a client may by default. */
  readonly pushedRequests?: 'optional' | 'required';
  /** Demand nonces in DPoP proofs (RFC 9449 §8); off by default. */
  readonly dpopNonces?: boolean;
  readonly theme?: PageTheme;
  /** Pages of your own in place of ours, each a function that returns HTML. */
  readonly pages?: Partial<AuthorizationPages>;
  /** Where failed logins and visits are counted; where the application's limits are (`rateLimit.storage`) by default. */
  readonly storage?: RateLimitStorage;
  /** Tries to log in for one address and account; `'5/minute'` by default. */
  readonly loginLimit?: LimitText;
  /** Pages that one address may open; `'300/minute'` by default. Each leaves records behind for ten minutes. */
  readonly pageLimit?: LimitText;
  /** Whether this is production; `NODE_ENV === 'production'` by default. Then http is refused. */
  readonly production?: boolean;
}

/** `AuthorizationServerModule.forRootAsync()`: the options come from a factory. */
export interface AuthorizationServerAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: never[] | readonly unknown[];
  readonly useFactory: (...args: never[]) => AuthorizationServerOptions | Promise<AuthorizationServerOptions>;
}
