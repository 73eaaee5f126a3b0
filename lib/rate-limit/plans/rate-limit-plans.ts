import { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { planRules } from '../../policy/limit-rule.js';
import type { LimitSpec } from '../../policy/limit-spec.js';
import type { RateLimitRule } from '../../policy/route-policy.js';

/** Limits of a plan: one, or up to five that decide together. */
export type PlanLimits = LimitSpec | readonly LimitSpec[];

const NAME = /^[\w.-]{1,64}$/;
const MAX_LIMITS = 5;
const MAX_PLANS = 1_000;

/**
 * Limits by the names of plans (`free`, `pro` …): principals on a plan are held to its limits in place of those that routes have for callers, all
 * routes together. Inject it to change plans while the application runs; the next request is held to the new limits, and what has been counted stays.
 *
 * @example
 * plans.set('pro', ['1200/minute', '200000/day']);
 */
export class RateLimitPlans {
  readonly #rules: Map<string, readonly RateLimitRule[]>;

  /** @internal */
  constructor(rules: Map<string, readonly RateLimitRule[]>) {
    this.#rules = rules;
  }

  get names(): string[] {
    return [...this.#rules.keys()];
  }

  has(plan: string): boolean {
    return this.#rules.has(plan);
  }

  /**
   * Adds a plan, or changes its limits on this node: tell the others by your own means.
   * @throws SecurityConfigurationError if they are no limits, and nothing has changed
   */
  set(plan: string, limits: PlanLimits): void {
    const problems = new ConfigurationProblems();
    const rules = compilePlan(plan, limits, `plan ${JSON.stringify(plan)}`, problems);
    if (!this.#rules.has(plan) && this.#rules.size >= MAX_PLANS)
      problems.add('rate-limit.plans', 'plans', 'are too many', `have up to ${MAX_PLANS}`);
    problems.throwIfAny();
    this.#rules.set(plan, rules);
  }

  /** Takes a plan away: who was on it has the limits of routes. */
  delete(plan: string): void {
    this.#rules.delete(plan);
  }

  /** @internal */
  rulesOf(plan: string): readonly RateLimitRule[] | undefined {
    return this.#rules.get(plan);
  }
}

/** The rules of a plan; problems are reported. */
export function compilePlan(
  plan: string,
  limits: PlanLimits,
  where: string,
  problems: ConfigurationProblems,
): readonly RateLimitRule[] {
  const specs = Array.isArray(limits) ? (limits as readonly LimitSpec[]) : [limits as LimitSpec];
  if (!NAME.test(plan) || specs.length === 0 || specs.length > MAX_LIMITS) {
    problems.add(
      'rate-limit.plans',
      where,
      'is no plan',
      `use a name of letters, digits, ".", "_" and "-", and 1 to ${MAX_LIMITS} limits`,
    );
    return [];
  }
  const rules = planRules(specs, plan, where, problems);
  if (rules.some(({ by, cost }) => by !== 'principal' || cost !== 1)) {
    problems.add(
      'rate-limit.plans',
      where,
      'counts something else than requests of a principal',
      'leave "by" and "cost" to the routes',
    );
  }
  return rules;
}

/**
 * The plans of the options, added to those of API keys: one name is one plan, whoever is on it.
 *
 * @param known the plans of API keys, if there are any; the same map is returned
 */
export function compileRateLimitPlans(
  plans: Readonly<Record<string, PlanLimits>> = {},
  known: Map<string, readonly RateLimitRule[]> = new Map(),
  problems: ConfigurationProblems,
): Map<string, readonly RateLimitRule[]> {
  for (const [plan, limits] of Object.entries(plans)) {
    const where = `rateLimit.plans.${plan}`;
    if (known.has(plan))
      problems.add('rate-limit.plans', where, 'is a plan of apiKeys.plans too', 'keep it in one of the two');
    known.set(plan, compilePlan(plan, limits, where, problems));
  }
  return known;
}
