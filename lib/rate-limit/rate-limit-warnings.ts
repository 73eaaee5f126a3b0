import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { OwnLimits } from './plans/own-limits.js';
import { allRules } from './rule-order.js';

/** From this window on, a whole quota spent at once is a lot of work at once. */
const LONG_MS = 10 * 60_000;
/** A shorter limit beside it tames it if its window is at most this part of the long one. */
const SHORT_PART = 10;

/**
 * What an operator should know of sound limits (R-RL-05): a limit over a long time alone lets all of it through in a moment, and tells clients so.
 *
 * @param addressRules limits that hold for every route beside its own
 * @param plans limits that stand in for those of routes
 */
export function rateLimitWarnings(
  policies: readonly RoutePolicy[],
  addressRules: readonly RateLimitRule[],
  plans: ReadonlyMap<string, readonly RateLimitRule[]>,
): string[] {
  const warned = new Map<string, string>();
  for (const { id, rateLimit } of policies) {
    for (const rules of [rateLimit.read, rateLimit.write].map(allRules)) {
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
  return [...warned.values(), ...groupWarnings(policies), ...planWarnings(policies, plans)];
}

/** A route whose cost fits into no window of a plan is closed to it (R-RL-14). */
function planWarnings(
  policies: readonly RoutePolicy[],
  plans: ReadonlyMap<string, readonly RateLimitRule[]>,
): string[] {
  const limits = new OwnLimits();
  return policies.flatMap(({ id, rateLimit: { read, write } }) =>
    [...plans].flatMap(([plan, own]) => {
      const rules = [read, write].flatMap((declared) => allRules(limits.combine(declared, own)));
      const closed = rules.some(({ cost, meter }) => typeof cost === 'number' && cost > meter.burst);
      return closed
        ? `${id} costs more than the plan ${plan} ever has: it is closed to whoever is on it`
        : [];
    }),
  );
}

/** Routes that name one group mean one counter, which they share only with the same algorithm and window. */
function groupWarnings(policies: readonly RoutePolicy[]): string[] {
  const groups = new Map<string, Map<string, Set<string>>>();
  for (const { id, rateLimit } of policies) {
    for (const { group, meter } of [rateLimit.read, rateLimit.write].flatMap(allRules)) {
      if (group === undefined) continue;
      const members = groups.get(group) ?? new Map<string, Set<string>>();
      groups.set(group, members);
      const counters = members.get(id) ?? new Set();
      members.set(id, counters.add(`${meter.algorithm} of ${meter.windowMs / 1_000} s`));
    }
  }
  return [...groups].flatMap(([group, members]) =>
    [...members].flatMap(([id, counters]) => {
      const others = [...members].filter(([other]) => other !== id);
      const shares = others.some(([, theirs]) => [...counters].some((counter) => theirs.has(counter)));
      if (shares || others.length === 0) return [];
      return `${id} shares no counter with others of the group ${group}: none has a ${[...counters].join(' or ')}`;
    }),
  );
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
