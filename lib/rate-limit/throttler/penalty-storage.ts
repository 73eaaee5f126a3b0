import type { LimitMeter } from '../../policy/limit-meter.js';
import type { LimitCharge, LimitDecision, LimitState, RateLimitStorage } from '../rate-limit-storage.js';
import { MARK_COST, type PenaltyMeters, throttledMeter } from './throttled-meter.js';

/** One charge whose limit has a penalty. */
interface Penalised {
  /** Its place among the charges. */
  readonly index: number;
  readonly subject: string;
  readonly meters: PenaltyMeters;
}

/**
 * Keeps callers out for the `blockDuration` of a limit that they have exceeded, over any storage. Whether somebody is kept out is decided in
 * the same step as the limits; only a refusal that begins a penalty takes a second one. Limits without a penalty go straight through.
 */
export class PenaltyStorage implements RateLimitStorage {
  /** A storage may know its decisions by the object. */
  readonly #decisions = new WeakMap<LimitDecision, LimitDecision>();

  constructor(private readonly inner: RateLimitStorage) {}

  get nodes(): number {
    return this.inner.nodes ?? 1;
  }

  consume(charges: readonly LimitCharge[]): LimitDecision | Promise<LimitDecision> {
    const penalised = penalisedOf(charges);
    if (penalised === undefined) return this.inner.consume(charges);
    const looks = penalised.map(({ subject, meters }) => ({ meter: meters.look, subject, cost: 0 }));
    const decision = this.inner.consume([...charges, ...looks]);
    return decision instanceof Promise
      ? decision.then((settled) => this.#settle(charges, penalised, settled))
      : this.#settle(charges, penalised, decision);
  }

  refund(charges: readonly LimitCharge[], decision: LimitDecision): void | Promise<void> {
    return this.inner.refund?.(charges, this.#decisions.get(decision) ?? decision);
  }

  /** Ends the penalty too. */
  async reset(meter: LimitMeter, subject: string): Promise<void> {
    await this.inner.reset(meter, subject);
    const look = throttledMeter(meter)?.penalty?.look;
    if (look !== undefined) await this.inner.reset(look, subject);
  }

  #settle(
    charges: readonly LimitCharge[],
    penalised: readonly Penalised[],
    made: LimitDecision,
  ): LimitDecision | Promise<LimitDecision> {
    const { allowed, at, states: all } = made;
    const states = all.slice(0, charges.length);
    const decision = { allowed, at, states };
    this.#decisions.set(decision, made);
    if (allowed) return decision;
    const pending: Promise<void>[] = [];
    for (const [place, { index, subject, meters }] of penalised.entries()) {
      const look = all[charges.length + place]!;
      if (!look.allowed) states[index] = refused(states[index]!, look.resetMs);
      else if (!states[index]!.allowed) {
        const marked = this.inner.consume([{ meter: meters.mark, subject, cost: MARK_COST }]);
        const apply = (mark: LimitDecision) => {
          states[index] = refused(states[index]!, mark.states[0]!.resetMs);
        };
        if (marked instanceof Promise) pending.push(marked.then(apply));
        else apply(marked);
      }
    }
    return pending.length === 0 ? decision : Promise.all(pending).then(() => decision);
  }
}

function penalisedOf(charges: readonly LimitCharge[]): Penalised[] | undefined {
  let found: Penalised[] | undefined;
  for (let index = 0; index < charges.length; index++) {
    const { meter, subject } = charges[index]!;
    const meters = throttledMeter(meter)?.penalty;
    if (meters !== undefined) (found ??= []).push({ index, subject, meters });
  }
  return found;
}

/** A refusal tells when the same request would pass: not before the penalty is over, nor before there is room. */
function refused({ allowed, resetMs }: LimitState, penaltyMs: number): LimitState {
  return { allowed: false, remaining: 0, resetMs: Math.max(allowed ? 0 : resetMs, penaltyMs) };
}
