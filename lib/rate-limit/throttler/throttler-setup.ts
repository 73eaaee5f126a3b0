import type { ExecutionContext } from '@nestjs/common';
import type { ThrottlerModuleOptions, ThrottlerOptions } from '@nestjs/throttler';

import type { RateLimitOptions } from '../rate-limit.options.js';

/** One limit of @nestjs/throttler, with what its module says for all of them filled in. */
export interface ThrottledLimit extends Pick<
  ThrottlerOptions,
  'blockDuration' | 'getTracker' | 'generateKey'
> {
  readonly name: string;
  readonly limit: ThrottlerOptions['limit'];
  readonly ttl: ThrottlerOptions['ttl'];
  readonly skipIf?: (context: ExecutionContext) => boolean | Promise<boolean>;
}

/** What a refusal is told: the throttler's `errorMessage`. */
export type ThrottledMessage = Exclude<
  Exclude<ThrottlerModuleOptions, readonly ThrottlerOptions[]>['errorMessage'],
  undefined
>;

/** How limits of the throttler count here. */
export interface ThrottlerScope {
  /** `route`: each route has a counter of its own, as with the throttler; `application`: all routes share one for each limit. */
  readonly scope: 'route' | 'application';
  readonly algorithm: 'sliding-window' | 'fixed-window';
  readonly message: ThrottledMessage | undefined;
}

/** What `fromThrottlerOptions()` has made of the throttler's options. */
export interface ThrottlerSetup extends ThrottlerScope {
  readonly limits: readonly ThrottledLimit[];
}

const SETUP = Symbol('nestjs-api-security.throttler');

/** Goes along with the options, through `{ ...options }` too. */
export function withThrottlerSetup(options: RateLimitOptions, setup: ThrottlerSetup): RateLimitOptions {
  return Object.freeze({ ...options, [SETUP]: setup });
}

/** Undefined for options that were written for this module. */
export function throttlerSetupOf(options: RateLimitOptions | undefined): ThrottlerSetup | undefined {
  return (options as { readonly [SETUP]?: ThrottlerSetup } | undefined)?.[SETUP];
}
