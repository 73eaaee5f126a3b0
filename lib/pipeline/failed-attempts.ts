import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import type { SecurityClock } from '../clock.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import { type RateLimitHeaders, retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';
import type { LimitDecision, RateLimitStorage } from '../rate-limit/rate-limit-storage.js';

/**
 * The limit on failed authentications (R-AK-12): looked at before a credential is, charged only when one was bad,
 * so that good credentials never use it up. Counts addresses alone: nobody can lock out somebody else's key (D12).
 */
export class FailedAttempts implements AttemptLimiter {
  /** Monotonic time of the last failure that this process has seen. */
  #failedAt = -Infinity;

  /** @param ownStorage whether nobody else counts there: then there is nothing to look for while nothing has failed here */
  constructor(
    private readonly storage: RateLimitStorage,
    private readonly ownStorage: boolean,
    private readonly rule: RateLimitRule,
    private readonly headers: RateLimitHeaders,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {}

  check(state: RequestState): void | Promise<void> {
    if (this.ownStorage && this.#nothingFailed()) return;
    const decision = this.#consume(state, 0);
    return decision instanceof Promise
      ? decision.then((settled) => this.#refuseIfSpent(state, settled))
      : this.#refuseIfSpent(state, decision);
  }

  record(state: RequestState): void {
    this.#failedAt = this.clock.monotonic();
    try {
      const decision = this.#consume(state, 1);
      if (decision instanceof Promise) decision.catch((error: unknown) => this.#storeFailed(state, error));
    } catch (error) {
      this.#storeFailed(state, error);
    }
  }

  #nothingFailed(): boolean {
    return (
      this.#failedAt === -Infinity || this.clock.monotonic() - this.#failedAt > this.rule.meter.windowMs + 1
    );
  }

  #consume(state: RequestState, cost: number): LimitDecision | Promise<LimitDecision> {
    return this.storage.consume([{ meter: this.rule.meter, subject: state.addressKey, cost }]);
  }

  #refuseIfSpent(state: RequestState, { states }: LimitDecision): void {
    const { remaining, resetMs } = states[0]!;
    if (remaining > 0) return;
    const retryAfter = retryAfterSeconds(resetMs);
    this.headers.show(state, { limit: this.rule.meter.limit, remaining: 0, resetMs }, this.clock.now());
    this.events.emit(
      'rate-limit.exceeded',
      { limit: this.rule.name, layer: 'authentication', retryAfter },
      eventContextOf(state),
    );
    throw new SecurityError('RATE_LIMITED', 'Too many failed authentications', {
      retryAfter,
      reason: this.rule.name,
      problemType: 'quota-exceeded',
      violatedPolicies: [this.rule.name],
    });
  }

  #storeFailed(state: RequestState, error: unknown): void {
    const message = error instanceof Error ? error.message : 'unknown';
    this.events.emit('rate-limit.store-failed', { message }, eventContextOf(state));
  }
}
