import type { RateLimitRule, RateLimitRules } from '../../policy/route-policy.js';
import { allRules } from '../rule-order.js';
import { isPlace } from '../rule-traits.js';

/** Puts limits that come with a credential in the place of a route's; each pair of lists is put together once. */
export class OwnLimits {
  readonly #combined = new WeakMap<RateLimitRules, WeakMap<readonly RateLimitRule[], RateLimitRules>>();

  /** @param own limits of the credential; lists that live on, such as those of a plan, save the work the next time */
  combine(declared: RateLimitRules, own: readonly RateLimitRule[]): RateLimitRules {
    let byOwn = this.#combined.get(declared);
    if (byOwn === undefined) this.#combined.set(declared, (byOwn = new WeakMap()));
    let rules = byOwn.get(own);
    if (rules === undefined) byOwn.set(own, (rules = replaced(declared, own)));
    return rules;
  }
}

/** What counts anything but each request of the caller stays: addresses, accounts, failures, requests in flight. A route without limits has none for anybody. */
function replaced(declared: RateLimitRules, own: readonly RateLimitRule[]): RateLimitRules {
  const { early, late } = declared;
  const all = allRules(declared);
  if (all.length === 0) return declared;
  const costs = all.filter(isReplaced).map((rule) => rule.cost);
  // A cost that is computed stays with the function; of the others the highest.
  const cost = costs.find((one) => typeof one === 'function') ?? Math.max(1, ...(costs as number[]));
  // A request is in flight once, whatever it costs.
  const weighed = own.map((rule) => (isPlace(rule) ? rule : Object.freeze({ ...rule, cost })));
  const kept = (rules: readonly RateLimitRule[]) => rules.filter((rule) => !isReplaced(rule));
  // All or nothing (R-RL-14): they wait for the body if a neighbour has to.
  return Object.freeze(
    late.length === 0
      ? { early: Object.freeze([...weighed, ...kept(early)]), late }
      : { early, late: Object.freeze([...weighed, ...kept(late)]) },
  );
}

function isReplaced(rule: RateLimitRule): boolean {
  return rule.by === 'principal' && rule.countOnly === undefined && !isPlace(rule);
}
