import { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { planRules } from '../../policy/limit-rule.js';
import { compileLimit, type LimitSpec, type LimitText } from '../../policy/limit-spec.js';
import type { Duration } from '../../configuration/units.js';
import type { RateLimitRule } from '../../policy/route-policy.js';
import type { ApiKeyRecord, KeyLimit } from './api-key-store.js';

/** A limit of one key or plan: `'100/minute'`, or its two numbers. */
export type KeyLimitSpec = LimitText | { readonly limit: number; readonly window: Duration };

/** Limits by the names of the plans that keys may be on. */
export type KeyPlans = Map<string, readonly RateLimitRule[]>;

const MAX_LIMITS = 5;
const ALLOWED = new Set(['limit', 'window']);

/** Compiles the plans of the options; problems are reported. */
export function compilePlans(
  plans: Readonly<Record<string, KeyLimitSpec | readonly KeyLimitSpec[]>>,
  problems: ConfigurationProblems,
): KeyPlans {
  const compiled = new Map<string, readonly RateLimitRule[]>();
  for (const [plan, given] of Object.entries(plans)) {
    const where = `apiKeys.plans.${plan}`;
    const limits = Array.isArray(given) ? (given as readonly KeyLimitSpec[]) : [given as KeyLimitSpec];
    if (!/^[\w.-]{1,64}$/.test(plan) || limits.length === 0 || limits.length > MAX_LIMITS) {
      problems.add(
        'api-keys.plans',
        where,
        'is no plan',
        `use a name of letters, digits, ".", "_" and "-", and 1 to ${MAX_LIMITS} limits`,
      );
      continue;
    }
    compiled.set(plan, planRules(limits, plan, where, problems));
  }
  return compiled;
}

/** What a store keeps of the limits that were asked for; undefined if they are none. */
export function limitsToKeep(given: unknown, plans: KeyPlans): ApiKeyRecord['limits'] {
  if (typeof given === 'string') return plans.has(given) ? given : undefined;
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_LIMITS) return undefined;
  const kept: KeyLimit[] = [];
  for (const spec of given as readonly LimitSpec[]) {
    const limit = isPlain(spec) ? compileLimit(spec, 'limits', new ConfigurationProblems()) : undefined;
    if (!limit) return undefined;
    kept.push({ limit: limit.limit, window: limit.windowMs });
  }
  return kept;
}

/** What a verified key says of its limits: the name of a plan, which is looked up for each request, or limits of its own. */
export interface LimitsOfKey {
  readonly plan?: string;
  readonly limits?: readonly RateLimitRule[];
}

/**
 * Reads the limits that a store keeps of a key; nothing for a key without.
 * @throws TypeError if what the store returned are no limits
 */
export function limitsOfKey(limits: unknown): LimitsOfKey {
  if (limits === undefined || limits === null) return {};
  if (typeof limits === 'string') return { plan: limits };
  const problems = new ConfigurationProblems();
  const rules = Array.isArray(limits)
    ? planRules(limits as readonly KeyLimitSpec[], 'key', 'limits', problems)
    : [];
  if (problems.size > 0 || rules.length === 0) throw new TypeError('the limits of a key are no limits');
  return { limits: rules };
}

/** A key is counted by itself and in requests: nothing else can be said about its limits. */
function isPlain(spec: unknown): spec is LimitSpec {
  return (
    typeof spec === 'string' ||
    (typeof spec === 'object' && spec !== null && Object.keys(spec).every((name) => ALLOWED.has(name)))
  );
}
