import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { PolicyPart } from '../policy/policy-compiler.js';
import type { RateLimitPolicy, RateLimitRule, RateLimitRules } from '../policy/route-policy.js';
import { ruleOf } from '../policy/limit-rule.js';
import type { LimitSpec } from '../policy/limit-spec.js';
import { asksRequest } from './limit-subject.js';
import type { RateLimitDeclaration } from './rate-limit.decorator.js';
import type { LimitSetting } from './rate-limit.options.js';
import { readThrottlerMetadata, type ThrottlerMetadata } from './throttler-metadata.js';

const NONE: RateLimitRules = Object.freeze({ early: Object.freeze([]), late: Object.freeze([]) });
const SKIPPED: RateLimitPolicy = Object.freeze({ read: NONE, write: NONE });

/** Compiles `@RateLimit()`, `@SkipRateLimit()` and the throttler's decorators over the application's defaults. */
/** @param refunds whether the storage can give back what a request has taken */
export function rateLimitPart(defaults: RateLimitPolicy, refunds: boolean): PolicyPart<'rateLimit'> {
  return ({ id, metadata, where }, problems) => {
    const throttler = readThrottlerMetadata(metadata);
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
    if (skipped || throttler.skip) return SKIPPED;
    const declaration =
      ofHandler ?? fromThrottler(throttler) ?? metadata.ofController<RateLimitDeclaration>('rateLimit');
    if (!declaration) return metadata.ofController<boolean>('skipRateLimit') === true ? SKIPPED : defaults;
    const rules = declaration.limits.flatMap((spec, index) => {
      const name = declaration.limits.length > 1 ? `route-${index + 1}` : 'route';
      return ruleOf(spec, { name, bucket: id, cost: declaration.cost, where, problems }) ?? [];
    });
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
  if (setting === false) return NONE;
  const specs = Array.isArray(setting) ? (setting as readonly LimitSpec[]) : [setting as LimitSpec];
  const where = `rateLimit.${name}`;
  const rules = specs.flatMap((spec, index) => {
    const own = specs.length > 1 ? `${name}-${index + 1}` : name;
    return ruleOf(spec, { name: own, bucket: 'default', cost: undefined, where, problems }) ?? [];
  });
  return inOrder(rules);
}

/** All or nothing (R-RL-14): one limit that has to wait for the body makes its neighbours wait too. */
function inOrder(rules: readonly RateLimitRule[]): RateLimitRules {
  const frozen = Object.freeze([...rules]);
  return rules.some(asksRequest)
    ? Object.freeze({ early: NONE.early, late: frozen })
    : Object.freeze({ early: frozen, late: NONE.late });
}

function givesBack({ meter, countOnly }: RateLimitRule): boolean {
  return countOnly !== undefined || meter.algorithm === 'concurrency';
}

function fromThrottler({ limits }: ThrottlerMetadata): RateLimitDeclaration | undefined {
  if (limits.length === 0) return undefined;
  return {
    limits: limits.map(({ name, limit, ttl }) => ({ name, limit: limit as number, window: ttl as number })),
  };
}
