import type { LimitCharge, LimitDecision, LimitState } from '../../rate-limit/rate-limit-storage.js';
import type { ExactLimits } from './exact-limits.js';
import { canLease, type Hold } from './lease.js';
import type { Leasing } from './lease-ask.js';
import type { LeasedLimits } from './leased-limits.js';

/** The limits of one request together, all or nothing: those whose units are here, and those that the server is asked about. */
export class RequestLimits {
  readonly #exact: ExactLimits;
  readonly #leased: LeasedLimits;
  /** What the server has decided of requests that have limits of both kinds: a refund has to know. */
  readonly #decided = new WeakMap<LimitDecision, LimitDecision>();

  constructor(exact: ExactLimits, leased: LeasedLimits) {
    this.#exact = exact;
    this.#leased = leased;
  }

  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    if (!charges.some(isLeased)) return this.#exact.consume(charges);
    const leasings = charges.map((charge) => (isLeased(charge) ? this.#leased.take(charge) : 'exact'));
    if (leasings.some((leasing) => leasing instanceof Promise))
      return this.#consumeWhenKnown(charges, leasings);
    return this.#consumeKnown(charges, leasings as Leasing[]);
  }

  /** What was handed out of a lease is not taken back: it lapses. */
  async refund(charges: readonly LimitCharge[], decision: LimitDecision): Promise<void> {
    const exact = charges.filter((charge) => !isLeased(charge));
    if (exact.length > 0) await this.#exact.refund(exact, this.#decided.get(decision) ?? decision);
  }

  async #consumeWhenKnown(
    charges: readonly LimitCharge[],
    leasings: readonly (Leasing | Promise<Leasing>)[],
  ): Promise<LimitDecision> {
    const settled = await Promise.allSettled(leasings.map((leasing) => Promise.resolve(leasing)));
    const failed = settled.find((one) => one.status === 'rejected');
    const known = settled.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
    if (failed === undefined) return this.#consumeKnown(charges, known);
    this.#release(known);
    throw failed.reason;
  }

  #consumeKnown(
    charges: readonly LimitCharge[],
    leasings: readonly Leasing[],
  ): LimitDecision | Promise<LimitDecision> {
    const exact = charges.filter((_, index) => leasings[index] === 'exact');
    if (leasings.some(isRefusal)) {
      this.#release(leasings);
      if (exact.length === 0) return this.#joined(false, leasings, undefined);
      return this.#exact.look(exact).then((look) => this.#joined(false, leasings, look));
    }
    if (exact.length === 0) return this.#joined(true, leasings, undefined);
    return this.#exact.consume(exact).then(
      (decision) => {
        if (!decision.allowed) this.#release(leasings);
        const whole = this.#joined(decision.allowed, leasings, decision);
        this.#decided.set(whole, decision);
        return whole;
      },
      (error: unknown) => {
        this.#release(leasings);
        throw error;
      },
    );
  }

  #release(leasings: readonly Leasing[]): void {
    for (const leasing of leasings) if (isHold(leasing)) this.#leased.release(leasing);
  }

  #joined(
    allowed: boolean,
    leasings: readonly Leasing[],
    decision: LimitDecision | undefined,
  ): LimitDecision {
    let next = 0;
    let at = decision?.at ?? 0;
    const states = leasings.map<LimitState>((leasing) => {
      if (leasing === 'exact') return decision!.states[next++]!;
      if (!isHold(leasing)) return leasing;
      at ||= leasing.lease.at;
      return this.#leased.stateOf(leasing);
    });
    return { allowed, states, at };
  }
}

/** A look, and a dry run, asks the server. */
function isLeased({ meter, cost }: LimitCharge): boolean {
  return cost > 0 && canLease(meter);
}

function isHold(leasing: Leasing): leasing is Hold {
  return leasing !== 'exact' && 'lease' in leasing;
}

function isRefusal(leasing: Leasing): boolean {
  return leasing !== 'exact' && !isHold(leasing);
}
