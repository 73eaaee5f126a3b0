import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../../configuration/units.js';
import type { ApiKeyStore } from './api-key-store.js';
import type { KeyEnvironment } from './key-format.js';
import { compilePlans, type KeyLimitSpec, type KeyPlans } from './key-limits.js';

/** What an owner may do now; a key never gives more (R-AK-08). */
export interface OwnerRights {
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
}

/** A key that was seen where it should not have been. */
export interface ExposedApiKey {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly reason: 'plaintext' | 'url' | 'reported';
  /** Whether it was revoked for it. */
  readonly revoked: boolean;
}

/** API keys. */
export interface ApiKeyOptions {
  /** In memory by default. */
  readonly store?: ApiKeyStore;
  /** First part of every new key; `sk` by default, 2–16 letters and digits. Keys with another one go on working. */
  readonly prefix?: string;
  /** Whether keys of this deployment are `live` (default) or `test`; the others do not work (R-AK-07). */
  readonly environment?: KeyEnvironment;
  /**
   * Secret for digests at rest, 32 characters or more; several to change it: the first makes new digests, all
   * verify. Keys that were issued without one do not work with one.
   */
  readonly pepper?: string | readonly string[];
  /** Whether `X-API-Key` carries a key too; `true` by default. */
  readonly header?: boolean;
  /** How long a verified key is trusted without the store: `'5s'` by default, up to `'60s'` (R-AK-10). */
  readonly cacheTtl?: Duration;
  /** Verified keys remembered at once; 10 000 by default. */
  readonly cacheSize?: number;
  /**
   * How long a verified key goes on working while the store does not answer, after `cacheTtl`; `0` by default, up to `'1h'`.
   * A revocation that another process made just before is seen that much later at worst.
   */
  readonly staleIfError?: Duration;
  /** How long the store may take, before the answer is 503; `'5s'` by default (R-AU-13). */
  readonly storeTimeout?: Duration;
  /** No key lives longer than this after it was issued, whatever was asked for; without limit by default (R-AK-09). */
  readonly maxAge?: Duration;
  /** How long a rotated key goes on working beside its successor if `rotate()` does not say; `0` by default (R-AK-11). */
  readonly rotationOverlap?: Duration;
  /**
   * Limits that keys can be on by name, such as `{ free: '60/minute', pro: ['600/minute', '100000/day'] }`. A key with a plan
   * or limits of its own is held to these in place of the limits of routes, all routes together.
   */
  readonly plans?: Readonly<Record<string, KeyLimitSpec | readonly KeyLimitSpec[]>>;
  /** A key that came over plain HTTP or in a URL is reported (`flag`, default), or revoked at once (R-TL-10). */
  readonly onPlaintext?: 'flag' | 'revoke';
  /** Told once of each key that was exposed, to tell its owner; what it throws is reported and changes nothing (R-AK-16). */
  readonly onExposed?: (exposed: ExposedApiKey) => void | Promise<void>;
  /**
   * The owner's present rights; `undefined` from it: the owner is disabled, and so are the keys. Asked as seldom as the
   * store (`cacheTtl`); `ApiKeyService.ownerChanged()` makes a change hold at once.
   */
  readonly ownerRights?: (owner: string) => OwnerRights | undefined | Promise<OwnerRights | undefined>;
}

/** The same with every default filled in. */
export interface ApiKeySettings {
  readonly prefix: string;
  readonly environment: KeyEnvironment;
  readonly peppers: readonly string[];
  readonly header: boolean;
  readonly cacheMs: number;
  readonly cacheSize: number;
  readonly staleMs: number;
  readonly timeoutMs: number;
  readonly maxAgeMs: number | undefined;
  readonly overlapMs: number;
  readonly onPlaintext: 'flag' | 'revoke';
  readonly plans: KeyPlans;
  readonly onExposed: ApiKeyOptions['onExposed'];
  readonly ownerRights: ApiKeyOptions['ownerRights'];
}

const MIN_PEPPER = 32;
const MAX_SECONDS = 60_000;
const MAX_STALE = 3_600_000;
const STORE_METHODS = [
  'find',
  'insert',
  'update',
  'rotate',
  'list',
  'revokeAllOf',
  'recordUses',
  'usage',
  'purge',
] as const satisfies (keyof ApiKeyStore)[];
const NAMES: ReadonlySet<string> = new Set([
  'store',
  'prefix',
  'environment',
  'pepper',
  'header',
  'cacheTtl',
  'cacheSize',
  'staleIfError',
  'storeTimeout',
  'maxAge',
  'rotationOverlap',
  'plans',
  'onPlaintext',
  'onExposed',
  'ownerRights',
] satisfies (keyof ApiKeyOptions)[]);
const DURATION_FIX = "write a duration such as '5s'";

/** Checks and completes the options (R-CF-01); problems name options and never quote a value. */
export function compileApiKeyOptions(
  options: ApiKeyOptions,
  problems: ConfigurationProblems,
): ApiKeySettings {
  const bad = (name: string, problem: string, fix: string) =>
    problems.add(`api-keys.${name}`, `apiKeys.${name}`, problem, fix);
  const expect = (holds: boolean, name: keyof ApiKeyOptions, problem: string, fix: string) => {
    if (!holds) bad(name, problem, fix);
  };
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) bad('unknown', `"${name}" is not an option`, `use one of ${[...NAMES].join(', ')}`);
  }
  const { store, pepper, prefix = 'sk', environment = 'live', header = true, cacheSize = 10_000 } = options;
  const { onPlaintext = 'flag', onExposed, ownerRights } = options;
  const missing =
    store === undefined ? [] : STORE_METHODS.filter((name) => typeof store?.[name] !== 'function');
  expect(
    missing.length === 0,
    'store',
    `is no key store, it lacks ${missing.join(', ')}`,
    'implement `ApiKeyStore`',
  );
  const peppers: readonly unknown[] =
    pepper === undefined ? [] : typeof pepper === 'string' ? [pepper] : pepper;
  expect(
    isPeppers(peppers, pepper),
    'pepper',
    'is too short to be a secret',
    'use 32 random characters or more',
  );
  expect(
    /^[A-Za-z][A-Za-z0-9]{1,15}$/.test(prefix),
    'prefix',
    'is no short word',
    'use 2 to 16 letters and digits',
  );
  expect(
    environment === 'live' || environment === 'test',
    'environment',
    'is neither "live" nor "test"',
    'use one of the two',
  );
  expect(typeof header === 'boolean', 'header', 'is neither true nor false', 'use one of the two');
  expect(
    onPlaintext === 'flag' || onPlaintext === 'revoke',
    'onPlaintext',
    'is neither "flag" nor "revoke"',
    'use one of the two',
  );
  expect(
    ownerRights === undefined || typeof ownerRights === 'function',
    'ownerRights',
    'is no function',
    'write `(owner) => ({ scopes })`',
  );
  expect(
    onExposed === undefined || typeof onExposed === 'function',
    'onExposed',
    'is no function',
    'write `({ owner }) => …`',
  );
  const cacheMs = parseDuration(options.cacheTtl ?? 5_000) ?? NaN;
  expect(cacheMs <= MAX_SECONDS, 'cacheTtl', 'is no duration of up to 60 s', DURATION_FIX);
  const staleMs = parseDuration(options.staleIfError ?? 0) ?? NaN;
  expect(
    staleMs <= MAX_STALE,
    'staleIfError',
    'is no duration of up to 1 h',
    "write a duration such as '60s'",
  );
  const timeoutMs = parseDuration(options.storeTimeout ?? 5_000) ?? NaN;
  expect(
    timeoutMs >= 1 && timeoutMs <= MAX_SECONDS,
    'storeTimeout',
    'is no duration of up to 60 s',
    DURATION_FIX,
  );
  expect(
    Number.isInteger(cacheSize) && cacheSize >= 1 && cacheSize <= 1_000_000,
    'cacheSize',
    'is no number from 1 to 1 000 000',
    'leave it out for 10 000',
  );
  const maxAgeMs = options.maxAge === undefined ? undefined : parseDuration(options.maxAge);
  expect(
    options.maxAge === undefined || !!maxAgeMs,
    'maxAge',
    'is no duration',
    "write a duration such as '365d'",
  );
  const overlapMs = parseDuration(options.rotationOverlap ?? 0) ?? NaN;
  expect(overlapMs >= 0, 'rotationOverlap', 'is no duration', "write a duration such as '1h'");
  return Object.freeze({
    prefix,
    environment,
    peppers: peppers as readonly string[],
    header,
    cacheMs,
    cacheSize,
    staleMs,
    timeoutMs,
    maxAgeMs,
    overlapMs,
    plans: compilePlans(options.plans ?? {}, problems),
    onPlaintext,
    onExposed,
    ownerRights,
  });
}

function isPeppers(peppers: readonly unknown[], given: ApiKeyOptions['pepper']): boolean {
  if (!Array.isArray(peppers) || (given !== undefined && peppers.length === 0)) return false;
  return peppers.every((pepper) => typeof pepper === 'string' && pepper.length >= MIN_PEPPER);
}
