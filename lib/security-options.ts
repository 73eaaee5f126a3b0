import type { ModuleMetadata } from '@nestjs/common';

import type { ApiKeyOptions } from './authentication/api-key/api-key.options.js';
import type { JwtOptions } from './authentication/jwt/jwt.options.js';
import type { TokenOptions } from './authentication/jwt/token.options.js';
import type { OAuth2Options } from './authentication/oauth2/oauth2.options.js';
import type { SecurityClock } from './clock.js';
import type { ErrorOptions } from './errors/errors.options.js';
import type { HeadersOptions } from './headers/headers.options.js';
import type { AnswerOptions } from './http/answers.options.js';
import type { BodyOptions } from './http/body.options.js';
import type { HttpOptions } from './http/http.options.js';
import type { ProxyOptions } from './http/proxy-trust.js';
import type { LoadOptions } from './load/load.options.js';
import type { RateLimitOptions } from './rate-limit/rate-limit.options.js';
import type { TransportOptions } from './transport/transport.options.js';
import type { ValidationOptions } from './validation/validation.options.js';

/** Everything that `SecurityModule.forRoot()` takes: the features' own options, joined. All are optional. */
export interface SecurityOptions extends TransportOptions {
  /** API keys; configured by its presence, `{}` will do. */
  readonly apiKeys?: ApiKeyOptions;
  /** JWTs of the application's own users: one issuer, or several. */
  readonly jwt?: JwtOptions;
  /** Life of the tokens that `TokenService` issues, for the issuer in `jwt` that has a `signingKey`. */
  readonly tokens?: TokenOptions;
  /** OAuth 2.0 access tokens of third parties. */
  readonly oauth2?: OAuth2Options;
  readonly rateLimit?: RateLimitOptions;
  readonly headers?: HeadersOptions;
  readonly validation?: ValidationOptions;
  readonly body?: BodyOptions;
  readonly answers?: AnswerOptions;
  /** What one client may take of the server itself. */
  readonly http?: HttpOptions;
  readonly errors?: ErrorOptions;
  /** Refuses a part of the requests while the process has more to do than it can; nothing is refused for that by default. */
  readonly load?: LoadOptions;
  /** Which proxies are believed; by default what the adapter's own `trust proxy` says. */
  readonly proxy?: ProxyOptions;
  /**
   * A route without any security decorator: `authenticate` (default) needs a credential of any configured scheme and is
   * listed at boot; `refuse` stops the boot (R-AU-01).
   */
  readonly undecorated?: 'authenticate' | 'refuse';
  /** `realm` in challenges; `'api'` by default. */
  readonly realm?: string;
  /** `false` silences the table at boot and the event logger; the events themselves stay. */
  readonly logger?: boolean;
  /** Whether this is production; `NODE_ENV === 'production'` by default. Decides the default of `https`. */
  readonly production?: boolean;
  /** For tests: the time. */
  readonly clock?: SecurityClock;
}

/** `SecurityModule.forRootAsync()`: the options come from a factory. */
export interface SecurityAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  // Nest types injection tokens and factory arguments no closer than this.
  readonly inject?: never[] | readonly unknown[];
  readonly useFactory: (...args: never[]) => SecurityOptions | Promise<SecurityOptions>;
}
