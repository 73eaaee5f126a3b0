import { createHash } from 'node:crypto';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { createMeter } from './limit-meter.js';
import { compileLimit, type LimitSpec } from './limit-spec.js';
import type { RateLimitCost, RateLimitRule } from './route-policy.js';

/** Where a rule comes from. */
export interface RuleContext {
  readonly name: string;
  readonly bucket: string;
  readonly cost: RateLimitCost | undefined;
  readonly where: string;
  readonly problems: ConfigurationProblems;
}

/** A limit as the limiter charges it; problems are reported, and then there is none. */
export function ruleOf(
  spec: LimitSpec,
  { name, bucket, cost, where, problems }: RuleContext,
): RateLimitRule | undefined {
  const parsed = compileLimit(spec, where, problems);
  if (!parsed) return undefined;
  const units = parsed.cost ?? cost ?? 1;
  const { limit, windowMs, algorithm = 'sliding-window', burst = limit } = parsed;
  if (typeof units === 'number' && !(Number.isSafeInteger(units) && units >= 1 && units <= burst)) {
    problems.add(
      'policy.rate-limit.cost',
      where,
      `a cost of ${units} never fits into a limit of ${burst}`,
      'use a whole cost from 1 up to the limit',
    );
    return undefined;
  }
  const ruleName = parsed.name ?? name;
  const scope =
    parsed.group === undefined ? `${bucket.length}:${bucket}:${ruleName}` : `group:${parsed.group}`;
  const { by = 'principal', countOnly, mode = 'exact', dryRun = false, onStoreFailure } = parsed;
  return Object.freeze({
    name: ruleName,
    meter: createMeter({
      bucket: bucketOf(scope),
      algorithm,
      limit,
      windowMs,
      burst,
      mode,
      dryRun,
      onStoreFailure,
    }),
    cost: units,
    by: typeof by === 'object' ? Object.freeze([...by]) : by,
    countOnly,
    ...(parsed.group === undefined ? {} : { group: parsed.group }),
  });
}

/** Limits that decide together, each under a name of its own; problems are reported. */
export function rulesOf(specs: readonly LimitSpec[], context: RuleContext): readonly RateLimitRule[] {
  const { name, where, problems } = context;
  if (specs.length === 0) {
    const fix = 'write a limit; @SkipRateLimit(), or false in the options, says that there is none';
    problems.add('rate-limit.spec', where, 'holds no limit', fix);
  }
  const rules = specs.flatMap(
    (spec, index) =>
      ruleOf(spec, { ...context, name: specs.length > 1 ? `${name}-${index + 1}` : name }) ?? [],
  );
  const names = rules.map((rule) => rule.name);
  for (const twice of new Set(names.filter((one, index) => names.indexOf(one) < index))) {
    const problem = `has two limits with the name ${JSON.stringify(twice)}, so that one counter may count for both`;
    problems.add('policy.rate-limit.duplicate-name', where, problem, 'give each a name of its own');
  }
  return Object.freeze(rules);
}

/** Limits that stand in for those of routes, all routes together. A counter is named by the plan, so it outlives a change of its limits. */
export function planRules(
  limits: readonly LimitSpec[],
  name: string,
  where: string,
  problems: ConfigurationProblems,
): readonly RateLimitRule[] {
  return rulesOf(limits, { name, bucket: 'plan', cost: undefined, where, problems });
}

/** A short name for a scope, the same on every node (R-RL-20). */
function bucketOf(scope: string): string {
  return createHash('sha256').update(scope).digest('base64url').slice(0, 12);
}
