import type { RateLimitRule } from '../policy/route-policy.js';

/** Whether a limit counts requests in flight. */
export function isPlace({ meter }: Pick<RateLimitRule, 'meter'>): boolean {
  return meter.algorithm === 'concurrency';
}

const COUNTING_ALL = new WeakMap<RateLimitRule, RateLimitRule>();

/** The same limit without `countOnly`: for calls whose outcome no status tells, where it would count nothing. */
export function countingAll(rule: RateLimitRule): RateLimitRule {
  if (rule.countOnly === undefined) return rule;
  let counting = COUNTING_ALL.get(rule);
  if (counting === undefined)
    COUNTING_ALL.set(rule, (counting = Object.freeze({ ...rule, countOnly: undefined })));
  return counting;
}
