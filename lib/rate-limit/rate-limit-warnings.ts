import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';

/** From this window on, a whole quota spent at once is a lot of work at once. */
const LONG_MS = 10 * 60_000;
/** A shorter limit beside it tames it if its window is at most this part of the long one. */
const SHORT_PART = 10;

/**
 * What an operator should know of sound limits (R-RL-05): a limit over a long time alone lets all of it through in a moment, and tells clients so.
 *
 * @param addressRules limits that hold for every route beside its own
 */
export function rateLimitWarnings(
  policies: readonly RoutePolicy[],
  addressRules: readonly RateLimitRule[],
): string[] {
  const warned = new Map<string, string>();
  for (const { id, rateLimit } of policies) {
    for (const { early, late } of [rateLimit.read, rateLimit.write]) {
      const rules = [...early, ...late];
      for (const rule of rules) {
        if (!isUntamed(rule, rules) || isTamedBy(addressRules, rule)) continue;
        const { bucket, limit, windowMs } = rule.meter;
        warned.set(
          bucket,
          `The limit ${rule.name} of ${id} lets all ${limit} units of ${windowMs / 1_000} s through at once: put a shorter limit beside it, or make it a token-bucket`,
        );
      }
    }
  }
  return [...warned.values()];
}

function isUntamed({ meter }: RateLimitRule, rules: readonly RateLimitRule[]): boolean {
  const { algorithm, windowMs, limit, burst } = meter;
  if (windowMs < LONG_MS || limit <= SHORT_PART || algorithm === 'concurrency') return false;
  if (algorithm === 'token-bucket' && burst * SHORT_PART <= limit) return false;
  return !rules.some((other) => other.meter !== meter && tames(other, windowMs, limit));
}

function isTamedBy(addressRules: readonly RateLimitRule[], { meter }: RateLimitRule): boolean {
  return addressRules.some((other) => tames(other, meter.windowMs, meter.limit));
}

function tames({ meter }: RateLimitRule, windowMs: number, limit: number): boolean {
  if (meter.dryRun || meter.algorithm === 'concurrency') return false;
  return meter.windowMs * SHORT_PART <= windowMs && meter.burst < limit;
}
