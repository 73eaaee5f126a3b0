import type { ModuleMetadata, Type } from '@nestjs/common';

import type { TokenGrant } from '../authentication/jwt/token.service.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compileLimit, type LimitObject, type LimitText } from '../policy/limit-spec.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import { PasswordCredentialsDto } from './session-input.dto.js';

/** Who has logged in, and what the session may do; what is left out comes from `currentRights` of `tokens`. */
export type AuthenticatedSubject = string | (Omit<TokenGrant, 'address'> & { readonly subject: string });

/** Where an attempt to log in comes from. */
export interface LoginAttempt {
  readonly address: string;
  /** As the client sent it: hostile, up to the size of a header. */
  readonly userAgent: string | undefined;
}

/**
 * Checks the application's own credentials, and tells who it is; `undefined` for wrong ones. Compare a slow hash in constant
 * time, and do the same work for an account that does not exist: the answers are the same, the times should be too.
 */
export type Authenticate<Credentials extends object = PasswordCredentialsDto> = (
  credentials: Credentials,
  attempt: LoginAttempt,
) => AuthenticatedSubject | undefined | Promise<AuthenticatedSubject | undefined>;

/** What `SessionsModule.forRoot()` takes. */
export interface SessionRoutesOptions<Credentials extends object = PasswordCredentialsDto> {
  readonly authenticate: Authenticate<Credentials>;
  /** `'auth'` by default. */
  readonly path?: string;
  /** The DTO of `POST token`; `{ email, password }` by default. */
  readonly credentials?: Type<Credentials>;
  /**
   * The account that credentials are for, so that tries can be counted for it; their `email` by default. Asked before they are
   * validated, so nothing about them may be taken for granted; what it throws, or what is no text, counts as one account.
   */
  readonly account?: (credentials: Partial<Credentials>) => unknown;
  /**
   * How refresh tokens travel: in bodies (default), in a cookie that no script can read (for browsers), or both; then a
   * request with the header `X-CSRF-Protection` is a browser's.
   */
  readonly transport?: 'body' | 'cookie' | 'both';
  readonly limits?: {
    /** Tries to log in for one address and account; `'5/minute'` by default. */
    readonly account?: LimitText;
    /** Tries to log in from one address; `'60/minute'` by default. */
    readonly login?: LimitText;
    /** Refreshes from one address; `'30/minute'` by default. */
    readonly refresh?: LimitText;
  };
  /** Where failed logins of an account are counted; where the application's limits are (`rateLimit.storage`) by default. */
  readonly storage?: RateLimitStorage;
  /** Further decorators of the controller, such as `ApiTags('auth')`. */
  readonly decorators?: readonly ClassDecorator[];
}

/** `SessionsModule.forRootAsync()`: the function comes from other providers. */
export interface SessionRoutesAsyncOptions<Credentials extends object = PasswordCredentialsDto>
  extends Omit<SessionRoutesOptions<Credentials>, 'authenticate'>, Pick<ModuleMetadata, 'imports'> {
  readonly inject?: never[] | readonly unknown[];
  readonly useFactory: (...args: never[]) => Authenticate<Credentials> | Promise<Authenticate<Credentials>>;
}

/** Options of the routes with every default filled in. */
export interface SessionRoutesSettings {
  readonly path: string;
  readonly credentials: Type;
  readonly account: (credentials: never) => unknown;
  readonly transport: 'body' | 'cookie' | 'both';
  readonly limits: Readonly<Record<keyof typeof LIMITS, LimitObject>>;
  readonly storage: RateLimitStorage | undefined;
  readonly decorators: readonly ClassDecorator[];
}

const NAMES: ReadonlySet<string> = new Set([
  'path',
  'credentials',
  'account',
  'transport',
  'limits',
  'storage',
  'decorators',
]);
const MINUTE = 60_000;
const LIMITS = { account: '5/minute', login: '60/minute', refresh: '30/minute' } as const;

/**
 * Checks and completes the options (R-CF-01).
 * @throws SecurityConfigurationError with every problem
 */
export function compileSessionRoutes(
  options: Omit<SessionRoutesOptions<never>, 'authenticate'>,
): SessionRoutesSettings {
  const problems = new ConfigurationProblems();
  const expect = (holds: boolean, name: string, problem: string, fix: string) => {
    if (!holds) problems.add(`session-routes.${name}`, `SessionsModule.${name}`, problem, fix);
  };
  const { path = 'auth', credentials = PasswordCredentialsDto, account = emailOf } = options;
  const { transport = 'body', limits = {}, decorators = [] } = options;
  for (const name of Object.keys(options)) {
    expect(NAMES.has(name), name, 'is not an option', `use one of ${[...NAMES].join(', ')}`);
  }
  const isPath = typeof path === 'string' && /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/.test(path);
  expect(isPath, 'path', 'is no path', "write one such as 'auth'");
  expect(typeof credentials === 'function', 'credentials', 'is no class', 'give a DTO class');
  expect(typeof account === 'function', 'account', 'is no function', '(credentials) => the account');
  expect(
    ['body', 'cookie', 'both'].includes(transport),
    'transport',
    'is none of "body", "cookie" and "both"',
    'leave it out for "body"',
  );
  expect(
    Object.keys(limits).every((name) => name in LIMITS),
    'limits',
    'names a limit that there is not',
    `use ${Object.keys(LIMITS).join(', ')}`,
  );
  const limitOf = (name: keyof typeof LIMITS): LimitObject => {
    const compiled = compileLimit(limits[name] ?? LIMITS[name], `SessionsModule.limits.${name}`, problems);
    return { limit: compiled?.limit ?? 1, window: compiled?.windowMs ?? MINUTE };
  };
  const compiled = { account: limitOf('account'), login: limitOf('login'), refresh: limitOf('refresh') };
  const { storage } = options;
  const counts = storage === undefined || typeof storage.consume === 'function';
  expect(counts, 'storage', 'is no RateLimitStorage', 'leave it out');
  const areDecorators = Array.isArray(decorators) && decorators.every((one) => typeof one === 'function');
  expect(areDecorators, 'decorators', 'holds something that is no decorator', "call it: ApiTags('auth')");
  problems.throwIfAny();
  return { path, credentials, account, transport, limits: compiled, storage, decorators };
}

const emailOf = ({ email }: { email?: unknown }): unknown => email;
