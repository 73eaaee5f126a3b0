import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { PolicyPart } from '../policy/policy-compiler.js';
import type { RateLimitPolicy, RateLimitRule, RateLimitRules } from '../policy/route-policy.js';
import { rulesOf } from '../policy/limit-rule.js';
import type { LimitSpec } from '../policy/limit-spec.js';
import type { RateLimitDeclaration } from './rate-limit.decorator.js';
import type { LimitSetting } from './rate-limit.options.js';
import { inOrder, NO_RULES } from './rule-order.js';
import { isPlace } from './rule-traits.js';
import { readThrottlerMetadata } from './throttler/throttler-metadata.js';
import { checkRouteGuards } from './throttler/throttler-guards.js';
import type { ThrottlerSetup } from './throttler/throttler-setup.js';
import { policyOfDecorators, policyOfSetup, SKIPPED } from './throttler/throttler.policy.js';

/**
 * Compiles `@RateLimit()`, `@SkipRateLimit()` and the throttler's decorators over the application's defaults.
 *
 * @param refunds whether the storage can give back what a request has taken
 * @param setup there if the limits come from options of the throttler
 */
export function rateLimitPart(
  defaults: RateLimitPolicy,
  refunds: boolean,
  setup?: ThrottlerSetup,
): PolicyPart<'rateLimit'> {
  return ({ id, metadata, where }, problems) => {
    const throttler = readThrottlerMetadata(metadata);
    const route = { id, where, problems };
    if (setup) checkRouteGuards(metadata, where, problems);
    const ofHandler = metadata.ofHandler<RateLimitDeclaration>('rateLimit');
    const skipped = metadata.ofHandler<boolean>('skipRateLimit') === true;
    if (skipped && ofHandler) {
      problems.add(
        'policy.rate-limit.skip-and-limit',
        where,
        '@SkipRateLimit() stands beside @RateLimit()',
        'keep one of the two',
      );
    }
    if (skipped) return SKIPPED;
    const ofController = metadata.ofController<RateLimitDeclaration>('rateLimit');
    const declaration = ofHandler ?? (throttler.limits.size > 0 ? undefined : ofController);
    if (!declaration || throttler.skippedByHandler) {
      if (throttler.limits.size === 0 && metadata.ofController<boolean>('skipRateLimit') === true)
        return SKIPPED;
      if (setup) return policyOfSetup(throttler, setup, route);
      return policyOfDecorators(throttler, defaults, route) ?? defaults;
    }
    const { limits, cost } = declaration;
    const rules = rulesOf(limits, { name: 'route', bucket: id, cost, where, problems });
    for (const { name } of refunds ? [] : rules.filter(givesBack)) {
      problems.add(
        'policy.rate-limit.refund',
        where,
        `the limit ${name} gives back what requests have taken, which rateLimit.storage cannot`,
        'use a storage with refund(), such as the one in memory or in Redis',
      );
    }
    const compiled = inOrder(rules);
    return Object.freeze({ read: compiled, write: compiled });
  };
}

/** A limit of the application itself (`rateLimit.read`, `write`, `address` …): shared by all routes that it covers. */
export function compileSetting(
  setting: LimitSetting,
  name: string,
  problems: ConfigurationProblems,
): RateLimitRules {
  if (setting === false) return NO_RULES;
  const specs = Array.isArray(setting) ? (setting as readonly LimitSpec[]) : [setting as LimitSpec];
  const where = `rateLimit.${name}`;
  return inOrder(rulesOf(specs, { name, bucket: 'default', cost: undefined, where, problems }));
}

function givesBack(rule: RateLimitRule): boolean {
  return rule.countOnly !== undefined || isPlace(rule);
}
