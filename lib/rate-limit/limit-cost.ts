import { MAX_LIMIT } from '../policy/limit-spec.js';
import type { RateLimitRule, RateLimitSubject } from '../policy/route-policy.js';

/**
 * Units that a request takes of a limit.
 *
 * @throws RangeError if a function computes no whole number from 0: a request of unknown weight must not pass for free
 */
export function costOf({ cost, name }: RateLimitRule, subject: RateLimitSubject | undefined): number {
  if (typeof cost === 'number') return cost;
  const units: unknown = cost(subject!);
  if (!Number.isSafeInteger(units) || Number(units) < 0)
    throw new RangeError(`the cost function of the limit ${name} did not return a whole number`);
  // More than any limit holds is refused like the most that one could hold and one more.
  return Math.min(Number(units), MAX_LIMIT + 1);
}
