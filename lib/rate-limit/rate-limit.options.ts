import type { ThrottlerStorage } from '@nestjs/throttler';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { LimitSpec } from '../policy/limit-spec.js';
import { checkMemoryRateLimitStorageOptions } from './memory-storage-bounds.js';
import type { RateLimitHeaderMode } from './rate-limit-headers.js';
import type { RateLimitStorage } from './rate-limit-storage.js';

/** One limit, several that decide together, or `false` for none. */
export type LimitSetting = LimitSpec | readonly LimitSpec[] | false;

/** Limits of the application; each may be a text such as `'100/minute'` or an object. */
export interface RateLimitOptions {
  /** `GET`, `HEAD` and `OPTIONS` of one principal or address over all routes without limits of their own; `'300/minute'`. */
  readonly read?: LimitSetting;
  /** The other methods, likewise; `'60/minute'`. */
  readonly write?: LimitSetting;
  /**
   * Everything from one address, before routing, parsing and authentication: also what ends in 404, 413 or malformed
   * JSON (R-RL-06). Ten times `read` and `write` together by default, so that many principals may share an address.
   * Always counted in this process's memory.
   */
  readonly address?: LimitSetting;
  /** Failed authentications from one address, `'20/minute'` (R-AK-12); then 429, before any key or token is looked at. */
  readonly failedAuthentication?: LimitSpec | false;
  /** Where counters live: a storage of this module, or any third party's `ThrottlerStorage`. In memory by default. */
  readonly storage?: RateLimitStorage | ThrottlerStorage;
  /**
   * When `storage` fails or does not answer in 100 ms: `local` (default) counts in this process's memory meanwhile, so that
   * there is never no limit; `closed` answers 503 (R-RL-18). The limit on failed authentications follows it too.
   */
  readonly onStoreFailure?: 'local' | 'closed';
  /** Most counters in memory at once; 100 000 by default (R-RL-17). */
  readonly maxKeys?: number;
  /** Response headers: `legacy` (`X-RateLimit-*`, default), `ietf` (`RateLimit`, `RateLimit-Policy`), or `both`. */
  readonly headers?: RateLimitHeaderMode;
  /** IPv6 addresses count by this prefix: 64 by default, 56 or 48 (R-RL-08). */
  readonly ipv6Prefix?: 48 | 56 | 64;
}

const CHOICES: Readonly<Partial<Record<keyof RateLimitOptions, readonly unknown[]>>> = {
  onStoreFailure: ['local', 'closed'],
  headers: ['legacy', 'ietf', 'both'],
  ipv6Prefix: [48, 56, 64],
};
const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(CHOICES),
  'read',
  'write',
  'address',
  'failedAuthentication',
  'storage',
  'maxKeys',
]);

/** Checks everything but the limits themselves (R-CF-01). */
export function checkRateLimitOptions(options: RateLimitOptions = {}, problems: ConfigurationProblems): void {
  for (const [name, value] of Object.entries(options)) {
    const where = `rateLimit.${name}`;
    const choices = CHOICES[name as keyof RateLimitOptions];
    if (!NAMES.has(name))
      problems.add('rate-limit.unknown', where, 'is not an option', `use one of ${[...NAMES].join(', ')}`);
    else if (choices && value !== undefined && !choices.includes(value)) {
      problems.add(
        'rate-limit.choice',
        where,
        'has a value that it does not know',
        `use one of ${choices.join(', ')}`,
      );
    }
  }
  checkMemoryRateLimitStorageOptions(options, 'rateLimit', problems);
}
