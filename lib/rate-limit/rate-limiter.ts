import type { SecurityClock } from '../clock.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import type { RateLimitHeaders } from './rate-limit-headers.js';
import type { LimitCharge, LimitDecision, RateLimitStorage } from './rate-limit-storage.js';

/** The parts of a request that a limit with a key function may look at. */
export interface LimitedRequest {
  readonly params?: Record<string, string>;
  readonly body?: unknown;
}

type Layer = 'address' | 'authentication' | 'principal';

/** Charges the limits of a request, shows them in the response headers, and refuses what is over. */
export class RateLimiter {
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
    layer: Layer = 'principal',
  ): void | Promise<void> {
    if (rules.length === 0) return;
    const charges = chargesOf(state, rules, request);
    const decision = this.storage.consume(charges);
    if (decision instanceof Promise) {
      return decision.then(
        (settled) => this.#apply(state, rules, settled, layer),
        (error: unknown) => this.#unavailable(state, error),
      );
    }
    this.#apply(state, rules, decision, layer);
  }

  #apply(state: RequestState, rules: readonly RateLimitRule[], decision: LimitDecision, layer: Layer): void {
    const shown = this.headers.apply(state, rules, decision, this.clock.now());
    if (decision.allowed) return;
    this.events.emit(
      'rate-limit.exceeded',
      { limit: shown.name, layer, retryAfter: shown.retryAfter },
      eventContextOf(state),
    );
    throw new SecurityError('RATE_LIMITED', 'Too many requests', {
      retryAfter: shown.retryAfter,
      reason: shown.name,
    });
  }

  #unavailable(state: RequestState, error: unknown): never {
    const message = error instanceof Error ? error.message : 'unknown';
    this.events.emit('rate-limit.store-failed', { message }, eventContextOf(state));
    throw new SecurityError('UNAVAILABLE', 'The service cannot decide about this request right now', {
      retryAfter: 1,
      reason: 'rate-limit.store',
      cause: error,
    });
  }
}

function chargesOf(
  state: RequestState,
  rules: readonly RateLimitRule[],
  request: LimitedRequest | undefined,
): LimitCharge[] {
  const charges: LimitCharge[] = [];
  for (const rule of rules) {
    const key = rule.bucket + keyOf(rule.by, state, request);
    charges.push({ key, limit: rule.limit, windowMs: rule.windowMs, cost: rule.cost });
  }
  return charges;
}

function keyOf(by: RateLimitRule['by'], state: RequestState, request: LimitedRequest | undefined): string {
  const principal = state.principal?.limitKey;
  if (typeof by === 'function') {
    const subject = {
      address: state.addressKey,
      principal,
      params: request?.params ?? {},
      body: request?.body,
    };
    const own: unknown = by(subject);
    // Without a usable key nobody may share one bucket with everybody (PITFALL T7): the address stands in.
    return typeof own === 'string' && own !== '' ? `f:${own}` : `a:${state.addressKey}`;
  }
  return by === 'principal' && principal !== undefined ? `p:${principal}` : `a:${state.addressKey}`;
}
