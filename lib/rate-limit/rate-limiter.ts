import type { SecurityClock } from '../clock.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';
import { whenOver } from '../http/response-over.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import { costOf } from './limit-cost.js';
import { LimitDecisions, type LimitLayer } from './limit-decisions.js';
import { asksRequest, type LimitedRequest, ownKey, subjectFor, subjectOf } from './limit-subject.js';
import { type RateLimitHeaders, retryAfterSeconds } from './rate-limit-headers.js';
import type { LimitCharge, LimitDecision, RateLimitStorage } from './rate-limit-storage.js';
import { isPlace } from './rule-traits.js';

/** When a place of a request in flight may be free again: nobody can know, so clients are told to come back soon. */
const PLACE_MS = 1_000;

/** Charges the limits of a request, shows them in the response headers, and refuses what is over. */
export class RateLimiter {
  readonly #decisions = new LimitDecisions();

  constructor(
    private readonly storage: RateLimitStorage,
    private readonly headers: RateLimitHeaders,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {}

  /**
   * Charges all rules or none.
   * @throws SecurityError `RATE_LIMITED`; `UNAVAILABLE` if the storage cannot decide
   */
  charge(
    state: RequestState,
    rules: readonly RateLimitRule[],
    request: LimitedRequest | undefined,
    layer: LimitLayer = 'principal',
  ): void | Promise<void> {
    if (rules.length === 0) return;
    const charges = chargesOf(state, rules, request);
    const decision = this.storage.consume(charges);
    if (decision instanceof Promise) {
      return decision.then(
        (settled) => this.#apply(state, rules, charges, settled, layer, request),
        (error: unknown) => this.#unavailable(state, error),
      );
    }
    this.#apply(state, rules, charges, decision, layer, request);
  }

  #apply(
    state: RequestState,
    rules: readonly RateLimitRule[],
    charges: readonly LimitCharge[],
    settled: LimitDecision,
    layer: LimitLayer,
    request: LimitedRequest | undefined,
  ): void {
    const traits = traitsOf(rules);
    const decision = traits.concurrency ? withPlaces(rules, settled) : settled;
    if (this.#decisions.observed) this.#decisions.publish(state, rules, charges, decision, layer);
    if (traits.dryRun) this.#reportDryRuns(state, rules, decision, layer);
    const shown = this.headers.apply(state, rules, decision, this.clock.now());
    if (decision.allowed) {
      if (traits.refunds) this.#refundLater(state, rules, charges, settled);
      return;
    }
    const { name, retryAfter } = shown!;
    this.events.emit('rate-limit.exceeded', { limit: name, layer, retryAfter }, eventContextOf(state));
    const rule = rules.find((one) => one.name === name)!;
    const message = request?.refusal?.(rule, retryAfter) ?? rule.message ?? 'Too many requests';
    throw new SecurityError('RATE_LIMITED', message, {
      retryAfter,
      reason: name,
      problemType: 'quota-exceeded',
      violatedPolicies: rules.flatMap((one, i) =>
        one.meter.dryRun || decision.states[i]!.allowed ? [] : one.name,
      ),
    });
  }

  /** Gives places in flight back when the response is over, and what an outcome that does not count has taken. */
  #refundLater(
    state: RequestState,
    rules: readonly RateLimitRule[],
    charges: readonly LimitCharge[],
    decision: LimitDecision,
  ): void {
    whenOver(state.response, (aborted) => {
      const outcome = aborted || state.response.statusCode >= 400 ? 'failures' : 'successes';
      const given = charges.filter((_, index) => {
        const rule = rules[index]!;
        const { meter, countOnly } = rule;
        if (meter.dryRun && !decision.states[index]!.allowed) return false;
        return isPlace(rule) || (countOnly !== undefined && countOnly !== outcome);
      });
      if (given.length > 0) this.#refund(state, given, decision);
    });
  }

  /** A refund that fails is lost: the units come back with their window. */
  #refund(state: RequestState, charges: readonly LimitCharge[], decision: LimitDecision): void {
    const failed = (error: unknown) => this.#storeFailed(state, error);
    try {
      const refunded = this.storage.refund?.(charges, decision);
      if (refunded instanceof Promise) refunded.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #reportDryRuns(
    state: RequestState,
    rules: readonly RateLimitRule[],
    { allowed, states }: LimitDecision,
    layer: LimitLayer,
  ): void {
    // What another limit refuses never came to this one.
    if (!allowed) return;
    for (const [index, { meter, name }] of rules.entries()) {
      if (!meter.dryRun || states[index]!.allowed) continue;
      const retryAfter = retryAfterSeconds(states[index]!.resetMs);
      this.events.emit('rate-limit.dry-run', { limit: name, layer, retryAfter }, eventContextOf(state));
    }
  }

  #unavailable(state: RequestState, error: unknown): never {
    // What decides for a storage has said so already.
    if (error instanceof SecurityError) throw error;
    this.#storeFailed(state, error);
    throw new SecurityError('UNAVAILABLE', 'The service cannot decide about this request right now', {
      retryAfter: 1,
      reason: 'rate-limit.store',
      cause: error,
    });
  }

  #storeFailed(state: RequestState, error: unknown): void {
    const message = error instanceof Error ? error.message : 'unknown';
    this.events.emit('rate-limit.store-failed', { message }, eventContextOf(state));
  }
}

function chargesOf(
  state: RequestState,
  rules: readonly RateLimitRule[],
  request: LimitedRequest | undefined,
): LimitCharge[] {
  const subject = rules.some(asksRequest) ? subjectFor(state, request) : undefined;
  return rules.map((rule) => {
    const key = request?.keys?.get(rule);
    return {
      meter: rule.meter,
      subject: key === undefined ? subjectOf(rule.by, state, subject) : ownKey(key),
      cost: costOf(rule, subject),
    };
  });
}

/** What has to be done for a list of rules beside charging them. */
interface RuleTraits {
  readonly concurrency: boolean;
  readonly dryRun: boolean;
  readonly refunds: boolean;
}

const TRAITS = new WeakMap<readonly RateLimitRule[], RuleTraits>();

function traitsOf(rules: readonly RateLimitRule[]): RuleTraits {
  let traits = TRAITS.get(rules);
  if (traits === undefined) {
    const concurrency = rules.some(isPlace);
    const refunds = concurrency || rules.some(({ countOnly }) => countOnly !== undefined);
    traits = { concurrency, refunds, dryRun: rules.some(({ meter }) => meter.dryRun) };
    TRAITS.set(rules, traits);
  }
  return traits;
}

function withPlaces(rules: readonly RateLimitRule[], { allowed, at, states }: LimitDecision): LimitDecision {
  return {
    allowed,
    at,
    states: states.map((state, index) =>
      isPlace(rules[index]!) ? { ...state, resetMs: Math.min(state.resetMs, PLACE_MS) } : state,
    ),
  };
}
