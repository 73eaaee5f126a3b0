import type { IncomingHttpHeaders } from 'node:http';

import type { ApiKeyInfo } from '../authentication/api-key/api-key.service.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../configuration/units.js';
import type { LimitSpec } from '../policy/limit-spec.js';
import type { Principal } from '../principal/principal.js';

/** The scope with which a partner may report keys that it has found. */
export const REPORT_KEYS_SCOPE = 'api-keys:report';

/** A report that was right: the key is genuine, and worked until then. */
export interface GenuineReport {
  /** The key as it was before. */
  readonly key: ApiKeyInfo;
  /** Where the partner found it, in its own words; up to 200 characters, unchecked. */
  readonly source: string | undefined;
  /** The same as an address; up to 2 048 characters, unchecked: never fetch it. */
  readonly url: string | undefined;
}

/** The endpoint for partners that look for leaked keys. */
export interface ApiKeyReportOptions {
  /** `'api-keys/reports'` by default. */
  readonly path?: string;
  /** Who may report with the scope `api-keys:report`; keys and JWTs by default. Means nothing beside `verify`. */
  readonly schemes?: readonly ('api-key' | 'jwt')[];
  /**
   * Proof of another kind, such as the signature of a scanner's webhook, in place of a scheme. Anything but `true`, and any
   * error, is 401.
   *
   * @param body the bytes as they came
   * @param headers names in lower case
   */
  readonly verify?: (body: Buffer, headers: IncomingHttpHeaders) => boolean | Promise<boolean>;
  /** Whether a key that was found is revoked; by default if `onPlaintext` of `apiKeys` says so. */
  readonly revoke?: boolean;
  /** Requests from one address, with up to 100 reports each; `'10/minute'` by default. */
  readonly limit?: LimitSpec;
  /** Told of every report that was right, to tell the owner where the key was found. What it throws changes nothing. */
  readonly onReport?: (report: GenuineReport) => void | Promise<void>;
}

/** What `ApiKeysModule.forRoot()` takes. */
export interface ApiKeyRoutesOptions {
  /** `'api-keys'` by default. */
  readonly path?: string;
  /** Who manages keys: people with a JWT (default), and with `'api-key'` programs whose key has the scope `api-keys:manage`. */
  readonly schemes?: readonly ('api-key' | 'jwt')[];
  /** Further decorators of the management controller, such as `RateLimit('60/minute')` or `ApiTags('keys')`. */
  readonly decorators?: readonly ClassDecorator[];
  /**
   * Whose keys a caller manages: by default a person's own by `id`, and those of a key's `owner`. Needed if several issuers
   * are trusted, because one subject of two issuers is two people. `undefined` from it is 403.
   */
  readonly owner?: (principal: Principal) => string | undefined;
  /** Keys of one owner that work at the same time; 50 by default, 1–10 000. A rotation may double it while both keys work. */
  readonly maxKeysPerOwner?: number;
  /** How long a rotated key goes on working if the client does not say; that of `apiKeys` by default. Up to `'30d'`. */
  readonly rotationOverlap?: Duration;
  /**
   * What clients may say about limits: the name of any plan (`'plan'`, default), limits of their own too (`'any'`), or
   * nothing (`'none'`). Leave the choice of plans to nobody who should pay for them.
   */
  readonly limits?: 'none' | 'plan' | 'any';
  /** The endpoint for secret scanners; `false` by default. */
  readonly reports?: false | ApiKeyReportOptions;
}

/** Options of the management routes with every default filled in. */
export interface ApiKeyRoutesSettings {
  readonly path: string;
  readonly schemes: readonly ('api-key' | 'jwt')[];
  readonly decorators: readonly ClassDecorator[];
  readonly owner: (principal: Principal) => string | undefined;
  readonly maxKeys: number;
  readonly overlapMs: number | undefined;
  readonly limits: 'none' | 'plan' | 'any';
  readonly reports: ApiKeyReportSettings | undefined;
}

/** Options of the reports with every default filled in. */
export interface ApiKeyReportSettings extends ApiKeyReportOptions {
  readonly path: string;
  readonly schemes: readonly ('api-key' | 'jwt')[];
  readonly limit: LimitSpec;
}

/** Longest overlap that a client may ask for, in seconds: 30 days. */
export const MAX_OVERLAP_SECONDS = 2_592_000;
const MAX_KEYS = 10_000;
const NAMES: ReadonlySet<string> = new Set([
  'path',
  'schemes',
  'decorators',
  'owner',
  'maxKeysPerOwner',
  'rotationOverlap',
  'limits',
  'reports',
] satisfies (keyof ApiKeyRoutesOptions)[]);
const REPORT_NAMES: ReadonlySet<string> = new Set([
  'path',
  'schemes',
  'verify',
  'revoke',
  'limit',
  'onReport',
] satisfies (keyof ApiKeyReportOptions)[]);

/**
 * Checks and completes the options (R-CF-01).
 * @throws SecurityConfigurationError with every problem
 */
export function compileApiKeyRoutes(options: ApiKeyRoutesOptions): ApiKeyRoutesSettings {
  const problems = new ConfigurationProblems();
  const expect = (holds: boolean, name: string, problem: string, fix: string) => {
    if (!holds) problems.add(`api-key-routes.${name}`, `ApiKeysModule.${name}`, problem, fix);
  };
  const { path = 'api-keys', schemes = ['jwt'], decorators = [], maxKeysPerOwner = 50 } = options;
  const { owner = ownerOf, limits = 'plan', rotationOverlap, reports = false } = options;
  const overlapMs = rotationOverlap === undefined ? undefined : parseDuration(rotationOverlap);
  expectKnown(options, NAMES, '', expect);
  expect(isPath(path), 'path', 'is no path', "write one such as 'api-keys'");
  expect(areSchemes(schemes), 'schemes', 'names no scheme', "use 'jwt', 'api-key' or both");
  expect(
    Array.isArray(decorators) && decorators.every(isFunction),
    'decorators',
    'holds something that is no decorator',
    'call it: RateLimit(…), not RateLimit',
  );
  expect(isFunction(owner), 'owner', 'is no function', '(principal) => the owner');
  expect(
    Number.isInteger(maxKeysPerOwner) && maxKeysPerOwner >= 1 && maxKeysPerOwner <= MAX_KEYS,
    'maxKeysPerOwner',
    'is not a number from 1 to 10 000',
    'leave it out for 50',
  );
  expect(
    rotationOverlap === undefined || (overlapMs !== undefined && overlapMs <= MAX_OVERLAP_SECONDS * 1_000),
    'rotationOverlap',
    'is no duration of up to 30 days',
    "write a duration such as '1h'",
  );
  expect(
    limits === 'none' || limits === 'plan' || limits === 'any',
    'limits',
    'is none of "none", "plan" and "any"',
    'leave it out for "plan"',
  );
  const settings = {
    path,
    schemes,
    decorators,
    owner,
    maxKeys: maxKeysPerOwner,
    overlapMs,
    limits,
    reports: compileReports(reports, expect),
  };
  problems.throwIfAny();
  return settings;
}

type Expect = (holds: boolean, name: string, problem: string, fix: string) => void;

function compileReports(
  options: false | ApiKeyReportOptions,
  expect: Expect,
): ApiKeyReportSettings | undefined {
  if (options === false) return undefined;
  if (typeof options !== 'object' || options === null) {
    expect(false, 'reports', 'is neither false nor an object', 'write {} to switch it on');
    return undefined;
  }
  const { path = 'api-keys/reports', schemes = ['api-key', 'jwt'], limit = '10/minute' } = options;
  expectKnown(options, REPORT_NAMES, 'reports.', expect);
  expect(isPath(path), 'reports.path', 'is no path', "write one such as 'api-keys/reports'");
  expect(areSchemes(schemes), 'reports.schemes', 'names no scheme', "use 'jwt', 'api-key' or both");
  const { revoke } = options;
  expect(
    revoke === undefined || typeof revoke === 'boolean',
    'reports.revoke',
    'is no boolean',
    'true or false',
  );
  for (const name of ['verify', 'onReport'] as const) {
    const given = options[name];
    expect(given === undefined || isFunction(given), `reports.${name}`, 'is no function', 'give a function');
  }
  return { ...options, path, schemes, limit };
}

function expectKnown(options: object, names: ReadonlySet<string>, prefix: string, expect: Expect): void {
  for (const name of Object.keys(options)) {
    expect(names.has(name), `${prefix}${name}`, 'is not an option', `use one of ${[...names].join(', ')}`);
  }
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^\/?[\w.~-]+(?:\/[\w.~-]+)*$/.test(path);
}

function areSchemes(schemes: unknown): boolean {
  return (
    Array.isArray(schemes) && schemes.length > 0 && schemes.every((one) => one === 'jwt' || one === 'api-key')
  );
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** A key is never taken for its owner, but it may manage what is the owner's; a client of OAuth owns nothing. */
function ownerOf({ type, id, owner }: Principal): string | undefined {
  return type === 'user' ? id : owner;
}
