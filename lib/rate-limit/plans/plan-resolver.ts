import type { SecurityClock } from '../../clock.js';
import type { RateLimitRule } from '../../policy/route-policy.js';
import type { Principal } from '../../principal/principal.js';
import type { RateLimitPlans } from './rate-limit-plans.js';

/** Names the plan of a principal, or none. A promise is waited for once in `planCacheFor`. */
export type PlanOf = (principal: Principal) => string | undefined | Promise<string | undefined>;

interface Known {
  readonly plan: string | undefined;
  readonly until: number;
}

const MAX_KNOWN = 10_000;

/** Finds the limits that stand in for a route's: those of the plan that a key names, or that the application names for a principal. */
export class PlanResolver {
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<string | undefined>>();

  /**
   * @param cacheMs how long a promised answer is believed
   * @param failed told when the application could not say; the limits of routes hold then
   */
  constructor(
    private readonly plans: RateLimitPlans,
    private readonly planOf: PlanOf | undefined,
    private readonly cacheMs: number,
    private readonly clock: SecurityClock,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** @param named the plan that came with the credential */
  rulesFor(
    principal: Principal | undefined,
    named: string | undefined,
  ): readonly RateLimitRule[] | undefined | Promise<readonly RateLimitRule[] | undefined> {
    if (named !== undefined) return this.plans.rulesOf(named);
    if (this.planOf === undefined || principal === undefined) return undefined;
    const plan = this.#planOf(principal);
    return plan instanceof Promise ? plan.then((name) => this.#rulesOf(name)) : this.#rulesOf(plan);
  }

  #rulesOf(plan: string | undefined): readonly RateLimitRule[] | undefined {
    return plan === undefined ? undefined : this.plans.rulesOf(plan);
  }

  #planOf(principal: Principal): string | undefined | Promise<string | undefined> {
    const { limitKey } = principal;
    const known = this.#known.get(limitKey);
    if (known !== undefined && this.clock.monotonic() < known.until) return known.plan;
    const asked = this.#asked.get(limitKey);
    if (asked !== undefined) return asked;
    try {
      const plan = this.planOf!(principal);
      if (!(plan instanceof Promise)) return plan;
      const answer = plan
        .catch((error: unknown) => {
          this.failed(error);
          return known?.plan;
        })
        .then((name) => this.#learn(limitKey, name));
      this.#asked.set(limitKey, answer);
      return answer;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  #learn(limitKey: string, plan: string | undefined): string | undefined {
    this.#asked.delete(limitKey);
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    this.#known.delete(limitKey);
    this.#known.set(limitKey, { plan, until: this.clock.monotonic() + this.cacheMs });
    return plan;
  }
}
