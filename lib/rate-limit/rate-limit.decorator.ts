import { type PolicyDecorator, setPolicyMetadata } from '../policy/metadata.js';
import type { RateLimitCost } from '../policy/route-policy.js';
import type { LimitSpec } from '../policy/limit-spec.js';

/** What `@RateLimit()` may say beside the limits. */
export interface RateLimitDecoratorOptions {
  /**
   * Units that one request takes; 1 by default. Above a limit, the application does not start. A function computes them from the
   * request, after its body was read.
   */
  readonly cost?: RateLimitCost;
}

/** What `@RateLimit()` writes. */
export interface RateLimitDeclaration extends RateLimitDecoratorOptions {
  readonly limits: readonly LimitSpec[];
}

/**
 * Gives a route limits of its own in place of the default ones; several decide together, all or nothing (R-RL-14).
 * On a method it replaces the controller's.
 *
 * @example
 * @RateLimit('10/minute')
 * @RateLimit(['5/second', { limit: 1000, window: '1h' }], { cost: 5 })
 */
export const RateLimit = (
  limits: LimitSpec | readonly LimitSpec[],
  options: RateLimitDecoratorOptions = {},
): PolicyDecorator =>
  setPolicyMetadata('rateLimit', {
    limits: Array.isArray(limits) ? (limits as readonly LimitSpec[]) : [limits as LimitSpec],
    ...options,
  } satisfies RateLimitDeclaration);

/** Lifts the route's limits; the limits by address below the routing still hold. Listed at boot (R-RL-21). */
export const SkipRateLimit = (): PolicyDecorator => setPolicyMetadata('skipRateLimit', true);
