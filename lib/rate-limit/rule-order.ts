import type { RateLimitRule, RateLimitRules } from '../policy/route-policy.js';
import { asksRequest } from './limit-subject.js';

/** No limits at all. */
export const NO_RULES: RateLimitRules = Object.freeze({ early: Object.freeze([]), late: Object.freeze([]) });

/** Both lists, in the order in which they are charged. */
export function allRules({ early, late }: RateLimitRules): readonly RateLimitRule[] {
  return late.length === 0 ? early : [...early, ...late];
}

/** All or nothing (R-RL-14): one limit that has to wait for the body makes its neighbours wait too. */
export function inOrder(rules: readonly RateLimitRule[]): RateLimitRules {
  const frozen = Object.freeze([...rules]);
  return rules.some(asksRequest)
    ? Object.freeze({ early: NO_RULES.early, late: frozen })
    : Object.freeze({ early: frozen, late: NO_RULES.late });
}
