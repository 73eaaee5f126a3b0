import type { ServerResponse } from 'node:http';

import { putHeader } from '../http/header-writer.js';
import type { RequestState, ShownLimit } from '../http/request-state.js';
import type { LimitMeter } from '../policy/limit-meter.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import type { LimitDecision } from './rate-limit-storage.js';

/** Which header fields tell clients about their limits. */
export type RateLimitHeaderMode = 'legacy' | 'ietf' | 'both';

/** What a refusal is told. */
export interface ShownRefusal {
  readonly name: string;
  /** Whole seconds, at least 1; the same in `Retry-After` and in the body (R-RL-04). */
  readonly retryAfter: number;
}

/** The parts of the IETF fields of one limit that are the same for every request; undefined for a dry run. */
interface PreparedRule {
  /** Its item of `RateLimit-Policy`. */
  readonly policy: string;
  /** `"name";r=` */
  readonly prefix: string;
}

type PreparedRules = readonly (PreparedRule | undefined)[];

/** Writes the limit closest to running out into the response, and all of them into the IETF fields (R-RL-01 – R-RL-03). */
export class RateLimitHeaders {
  readonly #legacy: boolean;
  readonly #ietf: boolean;
  readonly #prepared = new WeakMap<readonly RateLimitRule[], PreparedRules>();

  constructor(mode: RateLimitHeaderMode) {
    this.#legacy = mode !== 'ietf';
    this.#ietf = mode !== 'legacy';
  }

  /**
   * Shows a decision; limits that an earlier layer has shown stay in the IETF fields, and in the others if they are closer.
   *
   * @param rules frozen at boot, in the order of the decision's states
   * @param now epoch milliseconds
   * @returns what a refusal is told; undefined if all rules are dry runs, which clients are told nothing of
   */
  apply(
    state: RequestState,
    rules: readonly RateLimitRule[],
    decision: LimitDecision,
    now: number,
  ): ShownRefusal | undefined {
    const index = closestLimit(rules, decision);
    if (index < 0) return undefined;
    const { name, meter } = rules[index]!;
    const limit = meter.burst;
    const { remaining, resetMs, allowed } = decision.states[index]!;
    // Something may be left of a limit into which an expensive request does not fit: for this client it has run out.
    const shown = tighter(
      state.shownLimit,
      { limit, remaining: allowed ? remaining : 0, resetMs },
      decision.allowed,
    );
    if (shown !== state.shownLimit && this.#legacy) writeLegacy(state.response, shown, now);
    state.shownLimit = shown;
    if (this.#ietf) writeIetf(state.response, this.#prepare(rules), decision);
    return { name, retryAfter: retryAfterSeconds(resetMs) };
  }

  /**
   * Shows one limit that was only looked at, such as the one on failed authentications.
   *
   * @param rule names the limit in the IETF fields; without it they stay as they are
   */
  show(state: RequestState, shown: ShownLimit, now: number, rule?: RateLimitRule): void {
    state.shownLimit = shown;
    if (this.#legacy) writeLegacy(state.response, shown, now);
    if (!this.#ietf || !rule) return;
    const states = [{ ...shown, allowed: shown.remaining > 0 }];
    writeIetf(state.response, prepareRules([rule]), { allowed: true, states, at: 0 });
  }

  #prepare(rules: readonly RateLimitRule[]): PreparedRules {
    const known = this.#prepared.get(rules);
    if (known) return known;
    const prepared = prepareRules(rules);
    this.#prepared.set(rules, prepared);
    return prepared;
  }
}

/**
 * Index of the limit to show: on refusal the violated one with the latest reset, otherwise the one with the smallest share left; -1 if
 * all are dry runs.
 */
export function closestLimit(rules: readonly RateLimitRule[], { allowed, states }: LimitDecision): number {
  let best = -1;
  for (let i = 0; i < states.length; i++) {
    const { meter } = rules[i]!;
    if (meter.dryRun) continue;
    if (best < 0) {
      best = i;
      continue;
    }
    const one = states[i]!;
    const other = states[best]!;
    const closer = allowed
      ? one.remaining * rules[best]!.meter.burst < other.remaining * meter.burst
      : !one.allowed && (other.allowed || one.resetMs > other.resetMs);
    if (closer) best = i;
  }
  return best;
}

/** Whole seconds for `Retry-After` and the error body. */
export function retryAfterSeconds(resetMs: number): number {
  return Math.max(1, Math.ceil(resetMs / 1000));
}

/** A String of RFC 9651 §4.1.6; `undefined` for text that none can hold. */
export function structuredString(text: string): string | undefined {
  return /^[\x20-\x7e]*$/.test(text) ? `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"` : undefined;
}

function prepareRules(rules: readonly RateLimitRule[]): PreparedRules {
  return rules.map(({ name, meter }, index) => {
    if (meter.dryRun) return undefined;
    const text = structuredString(name) ?? `"limit-${index + 1}"`;
    return { policy: `${text};${quotaOf(meter)}`, prefix: `${text};r=` };
  });
}

/** What is held in flight has no window (draft §3.1.2 names the unit). */
function quotaOf({ algorithm, burst, windowMs }: LimitMeter): string {
  if (algorithm === 'concurrency') return `q=${burst};qu="concurrent-requests"`;
  return `q=${burst};w=${Math.max(1, Math.ceil(windowMs / 1000))}`;
}

function writeLegacy(response: ServerResponse, { limit, remaining, resetMs }: ShownLimit, now: number): void {
  putHeader(response, 'X-RateLimit-Limit', 'x-ratelimit-limit', limit);
  putHeader(response, 'X-RateLimit-Remaining', 'x-ratelimit-remaining', remaining);
  putHeader(response, 'X-RateLimit-Reset', 'x-ratelimit-reset', Math.ceil((now + resetMs) / 1000));
}

/** Items of the IETF fields of a response by those of its policies. */
const ITEMS = new WeakMap<
  ServerResponse,
  Map<string, { readonly remaining: number; readonly item: string }>
>();

/** Both fields are lists: a later layer adds its limits to those of an earlier one. What is charged once more, such as a field of each object, stays one item. */
function writeIetf(response: ServerResponse, rules: PreparedRules, { states }: LimitDecision): void {
  let items = ITEMS.get(response);
  if (items === undefined) ITEMS.set(response, (items = new Map()));
  for (const [index, rule] of rules.entries()) {
    if (rule === undefined) continue;
    const { allowed, remaining: left, resetMs } = states[index]!;
    const remaining = allowed ? left : 0;
    const known = items.get(rule.policy);
    if (known !== undefined && known.remaining < remaining) continue;
    items.set(rule.policy, { remaining, item: `${rule.prefix}${remaining};t=${Math.ceil(resetMs / 1000)}` });
  }
  if (items.size === 0) return;
  response.setHeader('RateLimit-Policy', [...items.keys()].join(', '));
  response.setHeader('RateLimit', Array.from(items.values(), ({ item }) => item).join(', '));
}

function tighter(before: ShownLimit | undefined, after: ShownLimit, allowed: boolean): ShownLimit {
  if (before === undefined || !allowed) return after;
  return before.remaining * after.limit < after.remaining * before.limit ? before : after;
}
