import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../../configuration/units.js';
import type { ApiKeyStore } from './api-key-store.js';
import type { KeyEnvironment } from './key-format.js';

/** What an owner may do now; a key never gives more (R-AK-08). */
export interface OwnerRights {
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
}

/** API keys. */
export interface ApiKeyOptions {
  /** In memory by default. */
  readonly store?: ApiKeyStore;
  /** First part of every key; `sk` by default, 2–16 letters and digits. */
  readonly prefix?: string;
  /** Whether keys of this deployment are `live` (default) or `test`; the others do not work (R-AK-07). */
  readonly environment?: KeyEnvironment;
  /** Secret for digests at rest, 32 characters or more; several to change it: the first makes new digests, all verify. */
  readonly pepper?: string | readonly string[];
  /** Whether `X-API-Key` carries a key too; `true` by default. */
  readonly header?: boolean;
  /** How long a verified key is trusted without the store: `'5s'` by default, up to `'60s'` (R-AK-10). */
  readonly cacheTtl?: Duration;
  /** Verified keys remembered at once; 10 000 by default. */
  readonly cacheSize?: number;
  /** How long the store may take, before the answer is 503; `'5s'` by default (R-AU-13). */
  readonly storeTimeout?: Duration;
  /** Keys issued without an expiry end after this; never by default (R-AK-09). */
  readonly maxAge?: Duration;
  /** A key that came over plain HTTP or in a URL is reported (`flag`, default), or revoked at once (R-TL-10). */
  readonly onPlaintext?: 'flag' | 'revoke';
  /** The owner's present rights; `undefined` from it: the owner is disabled, and so are the keys. */
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
  readonly timeoutMs: number;
  readonly maxAgeMs: number | undefined;
  readonly onPlaintext: 'flag' | 'revoke';
  readonly ownerRights: ApiKeyOptions['ownerRights'];
}

const MIN_PEPPER = 32;

/** Checks and completes the options (R-CF-01). */
export function compileApiKeyOptions(
  options: ApiKeyOptions,
  problems: ConfigurationProblems,
): ApiKeySettings {
  const bad = (name: string, problem: string, fix: string) =>
    problems.add(`api-keys.${name}`, `apiKeys.${name}`, problem, fix);
  const peppers =
    options.pepper === undefined
      ? []
      : typeof options.pepper === 'string'
        ? [options.pepper]
        : options.pepper;
  if (peppers.some((pepper) => pepper.length < MIN_PEPPER))
    bad('pepper', 'is too short to be a secret', 'use 32 random characters or more');
  const prefix = options.prefix ?? 'sk';
  if (!/^[A-Za-z][A-Za-z0-9]{1,15}$/.test(prefix))
    bad('prefix', 'is no short word', 'use 2 to 16 letters and digits');
  const environment = options.environment ?? 'live';
  if (environment !== 'live' && environment !== 'test')
    bad('environment', 'is neither "live" nor "test"', 'use one of the two');
  const onPlaintext = options.onPlaintext ?? 'flag';
  if (onPlaintext !== 'flag' && onPlaintext !== 'revoke')
    bad('onPlaintext', 'is neither "flag" nor "revoke"', 'use one of the two');
  const cacheMs = parseDuration(options.cacheTtl ?? 5_000);
  if (cacheMs === undefined || cacheMs > 60_000)
    bad('cacheTtl', 'is no duration of up to 60 s', "write a duration such as '5s'");
  const timeoutMs = parseDuration(options.storeTimeout ?? 5_000);
  if (timeoutMs === undefined || timeoutMs < 1 || timeoutMs > 60_000)
    bad('storeTimeout', 'is no duration of up to 60 s', "write a duration such as '5s'");
  const cacheSize = options.cacheSize ?? 10_000;
  if (!Number.isInteger(cacheSize) || cacheSize < 1 || cacheSize > 1_000_000)
    bad('cacheSize', 'is no number from 1 to 1 000 000', 'leave it out for 10 000');
  const maxAgeMs = options.maxAge === undefined ? undefined : parseDuration(options.maxAge);
  if (options.maxAge !== undefined && !maxAgeMs)
    bad('maxAge', 'is no duration', "write a duration such as '365d'");
  return Object.freeze({
    prefix,
    environment,
    peppers,
    header: options.header ?? true,
    cacheMs: cacheMs ?? 0,
    cacheSize,
    timeoutMs: timeoutMs ?? 5_000,
    maxAgeMs,
    onPlaintext,
    ownerRights: options.ownerRights,
  });
}
