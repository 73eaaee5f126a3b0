import { createHash } from 'node:crypto';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compileLimit, type LimitSpec } from './limit-spec.js';
import type { RateLimitRule } from './route-policy.js';

/** Where a rule comes from. */
export interface RuleContext {
  readonly name: string;
  readonly bucket: string;
  readonly cost: number | undefined;
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
  if (!Number.isSafeInteger(units) || units < 1 || units > parsed.limit) {
    problems.add(
      'policy.rate-limit.cost',
      where,
      `a cost of ${units} never fits into a limit of ${parsed.limit}`,
      'use a whole cost from 1 up to the limit',
    );
    return undefined;
  }
  const ruleName = parsed.name ?? name;
  const scope =
    parsed.group === undefined ? `${bucket.length}:${bucket}:${ruleName}` : `group:${parsed.group}`;
  return Object.freeze({
    name: ruleName,
    bucket: bucketOf(scope),
    limit: parsed.limit,
    windowMs: parsed.windowMs,
    cost: units,
    by: parsed.by ?? 'principal',
  });
}

/** A short name for a scope, the same on every node: it begins each key, which is hashed at every check (R-RL-20). */
function bucketOf(scope: string): string {
  return `${createHash('sha256').update(scope).digest('base64url').slice(0, 12)}:`;
}
