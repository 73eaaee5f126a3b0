import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { ruleOf } from '../../policy/limit-rule.js';
import { MAX_WINDOW_MS } from '../../policy/limit-spec.js';
import type { RateLimitKey, RateLimitRule, RateLimitRules } from '../../policy/route-policy.js';
import { inOrder, NO_RULES } from '../rule-order.js';
import { staticNumber } from './static-number.js';
import { ThrottledLimits, type ThrottledTemplate } from './throttled-limits.js';
import { registerThrottled } from './throttled-meter.js';
import type { ThrottledLimit, ThrottlerScope } from './throttler-setup.js';

/** A route whose limits are compiled. */
export interface ThrottledRoute extends ThrottlerScope {
  /** Method and path template, which name the counters. */
  readonly id: string;
  readonly where: string;
  readonly problems: ConfigurationProblems;
}

/** Stands for numbers that a function computes, while the others are checked. */
const SOME_LIMIT = 1;
const SOME_WINDOW = 60_000;
/** The key comes with the request; where it is missing, the address stands in. */
const KEY_OF_REQUEST: RateLimitKey = () => '';

/**
 * The throttler's limits of one route as rules: counted before the body is read if they are plain numbers, computed for each request if one of
 * them asks a function. What is wrong with them is reported.
 *
 * @param kept further limits of the route, which decide together with these
 */
export function throttledRules(
  limits: readonly ThrottledLimit[],
  kept: readonly RateLimitRule[],
  route: ThrottledRoute,
): RateLimitRules {
  const templates = limits.flatMap((throttled) => templateOf(throttled, route));
  if (templates.every(({ throttled }) => isFixed(throttled)) && typeof route.message !== 'function')
    return inOrder([...kept, ...templates.map(({ template }) => template)]);
  return Object.freeze({ ...NO_RULES, computed: new ThrottledLimits(templates, kept, route.message) });
}

function templateOf(throttled: ThrottledLimit, route: ThrottledRoute): ThrottledTemplate[] {
  const { name, limit, ttl, getTracker, generateKey } = throttled;
  const { id, where, problems, algorithm, message } = route;
  const blockMs = blockMsOf(throttled, route);
  const rule = ruleOf(
    {
      name,
      limit: typeof limit === 'function' ? SOME_LIMIT : staticNumber(limit),
      window: typeof ttl === 'function' ? SOME_WINDOW : staticNumber(ttl),
      algorithm,
      by: getTracker || generateKey ? KEY_OF_REQUEST : 'principal',
      ...groupOf(throttled, route),
    },
    { name, bucket: id, cost: undefined, where, problems },
  );
  if (!rule) return [];
  registerThrottled(rule.meter, name, blockMs);
  const template = typeof message === 'string' ? Object.freeze({ ...rule, message }) : rule;
  return [{ throttled, template }];
}

/** A key of the application's own names the whole counter: routes for which it is the same share it. */
function groupOf({ name, generateKey }: ThrottledLimit, { scope }: ThrottledRoute): { group?: string } {
  if (generateKey) return { group: `throttler-key.${name}` };
  return scope === 'application' ? { group: `throttler.${name}` } : {};
}

function blockMsOf({ blockDuration = 0 }: ThrottledLimit, { where, problems }: ThrottledRoute): number {
  if (typeof blockDuration === 'function') return 0;
  const blockMs = staticNumber(blockDuration);
  if (Number.isSafeInteger(blockMs) && blockMs >= 0 && blockMs <= MAX_WINDOW_MS) return blockMs;
  problems.add(
    'throttler.block-duration',
    where,
    'has a blockDuration that is no whole number of milliseconds up to 31 days',
    'leave it out, or use 0, for no penalty',
  );
  return 0;
}

function isFixed({ limit, ttl, blockDuration, getTracker, generateKey, skipIf }: ThrottledLimit): boolean {
  const asks = [limit, ttl, blockDuration].some((value) => typeof value === 'function');
  return !asks && !getTracker && !generateKey && !skipIf;
}
