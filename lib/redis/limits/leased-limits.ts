import { BoundedCache } from '../../authentication/bounded-cache.js';
import { sha256 } from '../../authentication/sha256.js';
import type { SecurityClock } from '../../clock.js';
import type { LimitMeter } from '../../policy/limit-meter.js';
import type { LimitCharge, LimitState } from '../../rate-limit/rate-limit-storage.js';
import type { DecisionBatches } from './decision-batches.js';
import { type Grant, type Hold, type Lease, LeasedCounter } from './lease.js';
import { LeaseAsk, type Leasing } from './lease-ask.js';
import { type LimitNames, tagOf } from './limit-names.js';
import type { LeaseReturns } from './lease-returns.js';
import type { NodeCensus } from './node-census.js';

/** Counters of which units can be here, and counters that are known to have none, at once. */
const MAX_COUNTERS = 10_000;
const SWEEP_MS = 250;
/** How long a server's no is believed where another node may give units back. */
const SHARED_NO_MS = 1_000;
/** Longer subjects are digested before they are kept. */
const MAX_SUBJECT = 64;

interface Refusal {
  /** When the same charge would pass, as far as is known, and until when nobody needs to ask; by the monotonic clock. */
  readonly resetAt: number;
  readonly until: number;
}

/** Limits whose units are taken to this node in advance. */
export class LeasedLimits {
  readonly #names: LimitNames;
  readonly #batches: DecisionBatches;
  readonly #census: NodeCensus;
  readonly #returns: LeaseReturns;
  readonly #clock: SecurityClock;
  readonly #counters = new Map<string, LeasedCounter>();
  readonly #asks = new Map<LeasedCounter, LeaseAsk>();
  readonly #refusals = new BoundedCache<Refusal>(MAX_COUNTERS);
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    names: LimitNames,
    batches: DecisionBatches,
    census: NodeCensus,
    returns: LeaseReturns,
    clock: SecurityClock,
  ) {
    this.#names = names;
    this.#batches = batches;
    this.#census = census;
    this.#returns = returns;
    this.#clock = clock;
  }

  /** Takes units that are here, or says what is known; otherwise asks, together with all who wait for the same counter. */
  take(charge: LimitCharge): Leasing | Promise<Leasing> {
    const { meter, subject, cost } = charge;
    const key = this.#keyOf(meter, subject);
    const now = this.#clock.monotonic();
    const counter = this.#counters.get(key);
    const lease = counter?.take(cost, now);
    if (counter !== undefined && lease !== undefined) return { counter, lease, cost };
    const refusal = this.#refusals.get(key);
    if (refusal !== undefined) {
      if (now < refusal.until) return refused(0, refusal.resetAt - now);
      this.#refusals.delete(key);
    }
    if (this.#closed) return 'exact';
    if (counter !== undefined) return this.#ask(counter, cost);
    if (this.#counters.size >= MAX_COUNTERS) return 'exact';
    const tag = tagOf(subject);
    const newcomer = new LeasedCounter(key, meter, tag, this.#names.counter(tag, meter));
    this.#counters.set(key, newcomer);
    this.#wake();
    return this.#ask(newcomer, cost);
  }

  /** How a counter stands of which units are held: never better than it is. */
  stateOf({ counter, lease }: Hold): LimitState {
    const resetMs = Math.max(1, Math.ceil(counter.resetAt - this.#clock.monotonic()));
    return { allowed: true, remaining: counter.remaining + lease.left, resetMs };
  }

  /** Puts back what was taken for a request that is refused. */
  release({ counter, lease, cost }: Hold): void {
    if (counter.lease === lease) lease.left += cost;
    else this.#return(counter, lease.at, cost);
  }

  /** Forgets what is here of a counter. */
  forget(meter: LimitMeter, subject: string): void {
    const key = this.#keyOf(meter, subject);
    const counter = this.#counters.get(key);
    if (counter !== undefined) counter.lease = undefined;
    this.#refusals.delete(key);
  }

  /** Gives all back; from here on nothing is taken in advance. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const counter of this.#counters.values()) this.#giveBack(counter, counter.lease);
    this.#counters.clear();
    await this.#returns.flush();
  }

  #keyOf(meter: LimitMeter, subject: string): string {
    const { name } = this.#names.wordsOf(meter);
    const who = subject.length <= MAX_SUBJECT ? `s${subject}` : `h${sha256(subject)}`;
    return `${name}:${meter.limit}:${who}`;
  }

  #ask(counter: LeasedCounter, cost: number): Promise<Leasing> {
    let ask = this.#asks.get(counter);
    if (ask === undefined) {
      ask = new LeaseAsk(counter);
      this.#asks.set(counter, ask);
      this.#send(ask);
    }
    return ask.join(cost);
  }

  #send(ask: LeaseAsk): void {
    const { counter } = ask;
    let sent = 0;
    const text = (): string => {
      sent = this.#clock.monotonic();
      counter.adapt(sent);
      return `l${this.#names.wordsOf(counter.meter).rule.slice(1)},${ask.leave()},${counter.wanted},${counter.ttlMs},${this.#census.count}`;
    };
    this.#batches.send(counter.tag, [counter.name], text, 5, grantOf).then(
      (grant) => this.#granted(ask, grant, sent),
      (error: unknown) => {
        this.#asks.delete(counter);
        ask.fail(error);
      },
    );
  }

  #granted(ask: LeaseAsk, grant: Grant, sent: number): void {
    const { counter } = ask;
    const now = this.#clock.monotonic();
    const gaveBack = this.#giveBack(counter, counter.accept(grant, sent, now));
    if (grant.granted === 0 && grant.remaining === 0 && !gaveBack) this.#refuse(counter, now);
    ask.serve(grant, now);
    if (this.#closed) this.#giveBack(counter, counter.lease);
    if (ask.isDone) this.#asks.delete(counter);
    else this.#send(ask);
  }

  #refuse({ key, resetAt }: LeasedCounter, now: number): void {
    const until = this.#census.isAlone ? resetAt : Math.min(resetAt, now + SHARED_NO_MS);
    this.#refusals.set(key, { resetAt, until });
  }

  /** Whether there was anything to give back. */
  #giveBack(counter: LeasedCounter, lease: Lease | undefined): boolean {
    if (counter.lease === lease) counter.lease = undefined;
    if (lease === undefined || lease.left === 0) return false;
    this.#return(counter, lease.at, lease.left);
    lease.left = 0;
    return true;
  }

  #return(counter: LeasedCounter, at: number, cost: number): void {
    this.#refusals.delete(counter.key);
    this.#returns.add(counter, at, cost);
  }

  #wake(): void {
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Gives back what was not used in time, and forgets counters that nobody uses. */
  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, counter] of this.#counters) {
      const { lease } = counter;
      if (this.#asks.has(counter) || (lease !== undefined && now < lease.until)) continue;
      if (lease === undefined) this.#counters.delete(key);
      else {
        // The counter stays for one more round: what it has learned is of use if somebody comes.
        counter.adapt(now);
        this.#giveBack(counter, lease);
      }
    }
    if (this.#counters.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** @param waitMs broken or not */
function refused(remaining: number, waitMs: number): LimitState {
  return { allowed: false, remaining, resetMs: Math.max(1, Math.ceil(waitMs)) };
}

function grantOf(numbers: readonly number[], from: number): Grant {
  return {
    granted: numbers[from]!,
    remaining: numbers[from + 1]!,
    resetMs: numbers[from + 2]!,
    at: numbers[from + 3]!,
    restMs: numbers[from + 4]!,
  };
}
