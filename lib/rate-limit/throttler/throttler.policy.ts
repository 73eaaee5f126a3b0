import type { RateLimitPolicy, RateLimitRule, RateLimitRules } from '../../policy/route-policy.js';
import { allRules, inOrder, NO_RULES } from '../rule-order.js';
import type { ThrottledFields, ThrottlerMetadata } from './throttler-metadata.js';
import { type ThrottledRoute, throttledRules } from './throttled-rules.js';
import type { ThrottledLimit, ThrottlerSetup } from './throttler-setup.js';

/** Lifts every limit of a route. */
export const SKIPPED: RateLimitPolicy = Object.freeze({ read: NO_RULES, write: NO_RULES });

/** The name that `@SkipThrottle()` and limits without a name have. */
const DEFAULT = 'default';

type Route = Pick<ThrottledRoute, 'id' | 'where' | 'problems'>;

/**
 * The limits of a route in an application that came with `fromThrottlerOptions()`: all of the application's, each as `@Throttle()` changes it,
 * without those that `@SkipThrottle()` lifts.
 */
export function policyOfSetup(
  metadata: ThrottlerMetadata,
  setup: ThrottlerSetup,
  route: Route,
): RateLimitPolicy {
  const names = setup.limits.map(({ name }) => name);
  const skips = skippedNames(metadata);
  // `@SkipThrottle()` says `default` where nothing is called so: skip means skip (PITFALL T6).
  if (skips.includes(DEFAULT) && !names.includes(DEFAULT)) return SKIPPED;
  for (const name of new Set([...metadata.limits.keys(), ...metadata.skips.keys()])) {
    if (names.includes(name) || (name === DEFAULT && !metadata.limits.has(name))) continue;
    route.problems.add(
      'throttler.unknown-name',
      route.where,
      `names a limit ${JSON.stringify(name)} that the application does not have`,
      `use one of ${names.join(', ')}`,
    );
  }
  const limits = setup.limits
    .filter(({ name }) => !skips.includes(name))
    .map((limit) => changed(limit, metadata.limits.get(limit.name)));
  if (limits.length === 0) return SKIPPED;
  const rules = throttledRules(limits, [], { ...setup, ...route });
  return Object.freeze({ read: rules, write: rules });
}

/**
 * The same over limits that were written for this module. Names that these have are meant by themselves; under other names `@Throttle()`
 * replaces them all, and `@SkipThrottle()` lifts them all.
 *
 * @returns undefined if the decorators say nothing
 */
export function policyOfDecorators(
  metadata: ThrottlerMetadata,
  defaults: RateLimitPolicy,
  route: Route,
): RateLimitPolicy | undefined {
  const known = new Map(
    [...allRules(defaults.write), ...allRules(defaults.read)].map((rule) => [rule.name, rule]),
  );
  const skips = skippedNames(metadata);
  if (skips.some((name) => !known.has(name))) return SKIPPED;
  if (metadata.limits.size === 0 && skips.length === 0) return undefined;
  const byName = skips.length > 0 || [...metadata.limits.keys()].some((name) => known.has(name));
  const limits = [...metadata.limits]
    .filter(([name]) => !skips.includes(name))
    .map(([name, fields]) => changed(asThrottled(name, known.get(name)), fields));
  const scope = { scope: 'route', algorithm: 'sliding-window', message: undefined } as const;
  const rulesOver = (rules: RateLimitRules) => {
    const kept = allRules(rules).filter(
      ({ name }) => byName && !skips.includes(name) && !metadata.limits.has(name),
    );
    return limits.length > 0 ? throttledRules(limits, kept, { ...scope, ...route }) : inOrder(kept);
  };
  return Object.freeze({ read: rulesOver(defaults.read), write: rulesOver(defaults.write) });
}

function skippedNames({ skips }: ThrottlerMetadata): string[] {
  return [...skips].flatMap(([name, skip]) => (skip ? [name] : []));
}

/** What a decorator leaves out stays as the application has it. */
function changed(limit: ThrottledLimit, fields: ThrottledFields = {}): ThrottledLimit {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...limit, ...Object.fromEntries(said) });
}

/** Numbers that neither the decorator nor the application names are reported when the limit is compiled. */
function asThrottled(name: string, rule: RateLimitRule | undefined): ThrottledLimit {
  const none = undefined as unknown as number;
  return { name, limit: rule?.meter.limit ?? none, ttl: rule?.meter.windowMs ?? none };
}
