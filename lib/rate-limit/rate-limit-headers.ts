import type { ServerResponse } from 'node:http';

import type { RequestState, ShownLimit } from '../http/request-state.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import type { LimitDecision } from './rate-limit-storage.js';

/** Which header fields tell clients about their limits. */
export type RateLimitHeaderMode = 'legacy' | 'ietf' | 'both';

/** What a refusal is told. */
export interface ShownRefusal {
  readonly name: string;
  /** Whole seconds, at least 1. */
  readonly retryAfter: number;
}

/** Writes the limit closest to running out into the response, and all of them in the IETF fields (R-RL-01 to R-RL-03). */
export class RateLimitHeaders {
  readonly #legacy: boolean;
  readonly #ietf: boolean;

  constructor(mode: RateLimitHeaderMode) {
    this.#legacy = mode !== 'ietf';
    this.#ietf = mode !== 'legacy';
  }

  /** @param now epoch milliseconds */
  apply(
    state: RequestState,
    rules: readonly RateLimitRule[],
    decision: LimitDecision,
    now: number,
  ): ShownRefusal {
    const index = closest(rules, decision);
    const { limit, name } = rules[index]!;
    const { remaining, resetMs } = decision.states[index]!;
    const shown = tighter(state.shownLimit, { limit, remaining, resetMs }, decision.allowed);
    if (shown !== state.shownLimit && this.#legacy) writeLegacy(state.response, shown, now);
    state.shownLimit = shown;
    if (this.#ietf) writeIetf(state.response, rules, decision);
    return { name, retryAfter: Math.max(1, Math.ceil(resetMs / 1000)) };
  }

  /** Shows a limit that was not charged, such as the one on failed authentications. */
  show(state: RequestState, shown: ShownLimit, now: number): void {
    state.shownLimit = shown;
    if (this.#legacy) writeLegacy(state.response, shown, now);
  }
}

function writeLegacy(response: ServerResponse, { limit, remaining, resetMs }: ShownLimit, now: number): void {
  response.setHeader('X-RateLimit-Limit', limit);
  response.setHeader('X-RateLimit-Remaining', remaining);
  response.setHeader('X-RateLimit-Reset', Math.ceil((now + resetMs) / 1000));
}

function writeIetf(
  response: ServerResponse,
  rules: readonly RateLimitRule[],
  { states }: LimitDecision,
): void {
  const items = rules.map(({ name }, index) => {
    const { remaining, resetMs } = states[index]!;
    return `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`;
  });
  response.setHeader('RateLimit-Policy', rules.map(policyItem).join(', '));
  response.setHeader('RateLimit', items.join(', '));
}

function policyItem({ name, limit, windowMs }: RateLimitRule): string {
  return `"${name}";q=${limit};w=${Math.max(1, Math.ceil(windowMs / 1000))}`;
}

/** On refusal the violated limit that lasts longest; otherwise the one with the smallest share left. */
function closest(rules: readonly RateLimitRule[], { allowed, states }: LimitDecision): number {
  let best = 0;
  for (let i = 1; i < states.length; i++) {
    const [one, other] = [states[i]!, states[best]!];
    const closer = allowed
      ? one.remaining * rules[best]!.limit < other.remaining * rules[i]!.limit
      : !one.allowed && (other.allowed || one.resetMs > other.resetMs);
    if (closer) best = i;
  }
  return best;
}

function tighter(before: ShownLimit | undefined, after: ShownLimit, allowed: boolean): ShownLimit {
  if (before === undefined || !allowed) return after;
  return before.remaining * after.limit < after.remaining * before.limit ? before : after;
}
