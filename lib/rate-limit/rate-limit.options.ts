import type { ThrottlerStorage } from '@nestjs/throttler';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../configuration/units.js';
import type { StoreFailurePolicy } from '../policy/limit-meter.js';
import type { LimitSpec } from '../policy/limit-spec.js';
import { checkMemoryRateLimitStorageOptions } from './memory/memory-storage-bounds.js';
import type { PlanOf } from './plans/plan-resolver.js';
import type { PlanLimits } from './plans/rate-limit-plans.js';
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
   * When `storage` fails or is late (R-RL-18): `local` (default) counts in this process's memory meanwhile, where each node has its share of
   * the quota; `open` lets everything through; `closed` answers 503. A limit may say otherwise for itself. Failed authentications are
   * never `open`: they are counted locally then.
   */
  readonly onStoreFailure?: StoreFailurePolicy;
  /** How long an answer of `storage` is waited for; milliseconds or text, 5 – 100 ms, 50 ms by default (R-RL-18). */
  readonly storeTimeout?: Duration;
  /** How many nodes share the quota, 1 – 10 000; as many as `storage` knows of by default. Sets a node's share while it is down. */
  readonly nodes?: number;
  /**
   * Limits by the names of plans. Who is on one, by `planOf` or by the `limits` of an API key, is held to its limits in place of those of routes,
   * all routes together. `RateLimitPlans` changes them while the application runs.
   */
  readonly plans?: Readonly<Record<string, PlanLimits>>;
  /** Names the plan of a principal. When it fails, or names none that there is, the limits of routes hold. */
  readonly planOf?: PlanOf;
  /** How long a plan is believed that `planOf` has promised; 30 s by default, 1 s – 1 h. */
  readonly planCacheFor?: Duration;
  /** Most counters in memory at once; 100 000 by default (R-RL-17). */
  readonly maxKeys?: number;
  /** Response headers: `legacy` (`X-RateLimit-*`, default), `ietf` (`RateLimit`, `RateLimit-Policy`), or `both`. */
  readonly headers?: RateLimitHeaderMode;
  /** IPv6 addresses count by this prefix: 64 by default, 56 or 48 (R-RL-08). */
  readonly ipv6Prefix?: 48 | 56 | 64;
}

export const DEFAULT_PLAN_CACHE: Duration = '30s';
const CHOICES: Readonly<Partial<Record<keyof RateLimitOptions, readonly unknown[]>>> = {
  onStoreFailure: ['local', 'open', 'closed'],
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
  'storeTimeout',
  'nodes',
  'plans',
  'planOf',
  'planCacheFor',
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
  const { storeTimeout, nodes } = options;
  const timeoutMs = parseDuration(storeTimeout ?? 50);
  if (timeoutMs === undefined || timeoutMs < 5 || timeoutMs > 100) {
    problems.add(
      'rate-limit.store-timeout',
      'rateLimit.storeTimeout',
      'is no time from 5 to 100 ms',
      "write '50ms': requests wait that long when the storage is gone",
    );
  }
  if (nodes !== undefined && !(Number.isInteger(nodes) && nodes >= 1 && nodes <= 10_000)) {
    problems.add(
      'rate-limit.nodes',
      'rateLimit.nodes',
      'is no whole number from 1 to 10 000',
      'leave it out: the storage knows its nodes',
    );
  }
  const { planOf, planCacheFor } = options;
  if (planOf !== undefined && typeof planOf !== 'function')
    problems.add(
      'rate-limit.plan-of',
      'rateLimit.planOf',
      'is no function',
      'return the name of a plan from it',
    );
  const planCacheMs = parseDuration(planCacheFor ?? DEFAULT_PLAN_CACHE);
  if (planCacheMs === undefined || planCacheMs < 1_000 || planCacheMs > 3_600_000)
    problems.add(
      'rate-limit.plan-cache',
      'rateLimit.planCacheFor',
      'is no time from 1 s to 1 h',
      "leave it out for '30s'",
    );
  checkMemoryRateLimitStorageOptions(options, 'rateLimit', problems);
}
