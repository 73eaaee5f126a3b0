import type { SecurityClock } from '../clock.js';
import { SecurityError } from '../errors/security-error.js';
import type { LimitMeter, StoreFailurePolicy } from '../policy/limit-meter.js';
import { NodeShares } from './node-shares.js';
import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from './rate-limit-storage.js';
import { isPlace } from './rule-traits.js';

/** What happens when a shared storage fails. */
export interface ResilienceOptions {
  /** Milliseconds after which an answer is no longer waited for; 50 by default (R-RL-18). */
  readonly timeoutMs?: number | undefined;
  /** For limits that do not say it themselves; `local` by default. */
  readonly onStoreFailure?: StoreFailurePolicy | undefined;
  /** How many nodes share the quota; as many as the storage knows of by default. */
  readonly nodes?: number | undefined;
  readonly clock: SecurityClock;
  /** Told of a failure, at most once a minute. */
  readonly onFailure: (error: unknown) => void;
  /** Told when the storage answers again, and for how many milliseconds it did not. */
  readonly onRecovery: (afterMs: number) => void;
}

const TIMEOUT_MS = 50;
const ALERT_MS = 60_000;
/** How long nobody asks a storage that has just failed: requests must not each wait for the deadline. */
const REST_MS = 500;

/**
 * Asks a shared storage for as long as it answers in time; when it does not, each limit follows its policy from that request on (R-RL-18): `local`
 * counts in this process, where a node has its share of the quota, `open` lets through, `closed` answers 503. After a failure the
 * storage is left alone for half a second; then one request tries it again while the others go on as before.
 */
export class ResilientStorage implements RateLimitStorage {
  readonly #options: ResilienceOptions;
  readonly #timeoutMs: number;
  readonly #shares = new NodeShares();
  /** Decisions that this process has made by itself: what they charged is given back here. */
  readonly #local = new WeakSet<LimitDecision>();
  #failedAt: number | undefined;
  #restsUntil = 0;
  #alertAgain = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly shared: RateLimitStorage,
    private readonly own: RateLimitStorage,
    options: ResilienceOptions,
  ) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /** Whether the shared storage has failed and not answered since. */
  get failing(): boolean {
    return this.#failedAt !== undefined;
  }

  get nodes(): number {
    return Math.max(1, this.#options.nodes ?? this.shared.nodes ?? 1);
  }

  /** @throws SecurityError `UNAVAILABLE` if the storage fails and a limit is `closed` */
  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    if (this.#failedAt !== undefined) {
      const now = this.#options.clock.monotonic();
      if (now < this.#restsUntil) return this.#decideAlone(charges, undefined);
      // The one that tries; the others do without until it knows.
      this.#restsUntil = now + Math.max(REST_MS, this.#timeoutMs);
    }
    try {
      const decision = this.shared.consume(charges);
      if (!(decision instanceof Promise)) return this.#answered(decision);
      return this.#inTime(decision).then(
        (settled) => this.#answered(settled),
        (error: unknown) => {
          this.#giveBackLate(decision, charges);
          return this.#failed(error, charges);
        },
      );
    } catch (error) {
      return this.#failed(error, charges);
    }
  }

  refund(charges: readonly LimitCharge[], decision: LimitDecision): void | Promise<void> {
    if (!this.#local.has(decision)) return this.#refundShared(charges, decision);
    const counted = charges.filter(({ meter }) => this.#policyOf(meter) === 'local');
    return this.own.refund?.(this.#shares.of(counted, this.nodes), decision);
  }

  async reset(meter: LimitMeter, subject: string): Promise<void> {
    await this.own.reset(meter, subject);
    await this.shared.reset(meter, subject);
  }

  async close(): Promise<void> {
    await this.shared.close?.();
  }

  #answered(decision: LimitDecision): LimitDecision {
    if (this.#failedAt !== undefined) {
      this.#options.onRecovery(Math.round(this.#options.clock.monotonic() - this.#failedAt));
      this.#failedAt = undefined;
      this.#alertAgain = Number.NEGATIVE_INFINITY;
    }
    return decision;
  }

  #failed(error: unknown, charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    // What the caller did wrong is no fault of the storage's.
    if (error instanceof RangeError) throw error;
    const now = this.#options.clock.monotonic();
    this.#failedAt ??= now;
    this.#restsUntil = now + REST_MS;
    this.#alert(error, now);
    return this.#decideAlone(charges, error);
  }

  /** What cannot be given back comes back with its window; it is told like any failure. */
  async #refundShared(charges: readonly LimitCharge[], decision: LimitDecision): Promise<void> {
    try {
      await this.shared.refund?.(charges, decision);
    } catch (error) {
      this.#alert(error, this.#options.clock.monotonic());
    }
  }

  #alert(error: unknown, now: number): void {
    if (now < this.#alertAgain) return;
    this.#alertAgain = now + ALERT_MS;
    this.#options.onFailure(error);
  }

  /** An answer that nobody waited for has taken places in flight all the same, and no response gives these back. */
  #giveBackLate(late: Promise<LimitDecision>, charges: readonly LimitCharge[]): void {
    const settled = late.then((decision) => {
      const { allowed, states } = decision;
      const taken = charges.filter((charge, index) => isPlace(charge) && states[index]!.allowed);
      return allowed && taken.length > 0 ? this.#refundShared(taken, decision) : undefined;
    });
    settled.catch(() => undefined);
  }

  #policyOf(meter: LimitMeter): StoreFailurePolicy {
    return meter.onStoreFailure ?? this.#options.onStoreFailure ?? 'local';
  }

  #decideAlone(charges: readonly LimitCharge[], cause: unknown): LimitDecision | Promise<LimitDecision> {
    const policies = charges.map(({ meter }) => this.#policyOf(meter));
    if (charges.some(({ meter }, index) => policies[index] === 'closed' && !meter.dryRun)) {
      throw new SecurityError('UNAVAILABLE', 'The service cannot decide about this request right now', {
        retryAfter: 1,
        reason: 'rate-limit.store',
        cause,
      });
    }
    const counted = charges.filter((_, index) => policies[index] === 'local');
    const decision = this.own.consume(this.#shares.of(counted, this.nodes));
    const all = (own: LimitDecision) => this.#withUncounted(charges, policies, own);
    return decision instanceof Promise ? decision.then(all) : all(decision);
  }

  #withUncounted(
    charges: readonly LimitCharge[],
    policies: readonly StoreFailurePolicy[],
    { allowed, states: counted, at }: LimitDecision,
  ): LimitDecision {
    let next = 0;
    const states = charges.map(({ meter }, index): LimitState => {
      if (policies[index] === 'local') return counted[next++]!;
      return { allowed: true, remaining: meter.burst, resetMs: 0 };
    });
    const decision = { allowed, states, at };
    this.#local.add(decision);
    return decision;
  }

  #inTime(decision: Promise<LimitDecision>): Promise<LimitDecision> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the storage did not answer within ${this.#timeoutMs} ms`));
      // An answer may be there already, and this process be the one that is late: the loop reads before immediates run.
      const timer = setTimeout(() => setImmediate(late), this.#timeoutMs);
      decision.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
