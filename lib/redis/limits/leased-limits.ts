import { sha256 } from '../../authentication/sha256.js';
import type { SecurityClock } from '../../clock.js';
import type { LimitMeter } from '../../policy/limit-meter.js';
import type { LimitCharge } from '../../rate-limit/rate-limit-storage.js';
import type { DecisionBatches, Group } from './decision-batches.js';
import { type Grant, type Hold, type Lease, LeasedCounter } from './lease.js';
import { LeaseRefusals } from './lease-refusals.js';
import { LeaseTable } from './lease-table.js';
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

/** Limits whose units are taken to this node in advance. */
export class LeasedLimits {
  readonly #names: LimitNames;
  readonly #batches: DecisionBatches;
  readonly #census: NodeCensus;
  readonly #returns: LeaseReturns;
  readonly #clock: SecurityClock;
  readonly #counters = new LeaseTable(MAX_COUNTERS);
  readonly #asks = new Map<LeasedCounter, LeaseAsk>();
  readonly #refusals = new LeaseRefusals(MAX_COUNTERS);
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
    const limit = this.#names.wordsOf(meter).limitName;
    const who = whoOf(subject);
    const now = this.#clock.monotonic();
    const counter = this.#counters.get(limit, who);
    const lease = counter?.take(cost, now);
    if (counter !== undefined && lease !== undefined) return { counter, lease, cost, now };
    const refusal = this.#refusals.get(limit, who, now);
    if (refusal !== undefined) return refusal;
    if (counter !== undefined) return this.#ask(counter, cost);
    if (this.#closed || this.#counters.isFull) return 'exact';
    const tag = tagOf(subject);
    const newcomer = new LeasedCounter(meter, limit, who, tag, this.#names.counter(tag, meter));
    this.#counters.add(newcomer);
    this.#wake();
    return this.#ask(newcomer, cost);
  }

  /** Puts back what was taken for a request that is refused. */
  release({ counter, lease, cost }: Hold): void {
    if (counter.lease === lease) lease.left += cost;
    else this.#return(counter, lease.at, cost);
  }

  /** Forgets what is here of a counter. */
  forget(meter: LimitMeter, subject: string): void {
    const limit = this.#names.wordsOf(meter).limitName;
    const who = whoOf(subject);
    const counter = this.#counters.get(limit, who);
    if (counter !== undefined) counter.lease = undefined;
    this.#refusals.delete(limit, who);
  }

  /** Gives all back; from here on nothing is taken in advance. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const counter of this.#counters) {
      this.#giveBack(counter, counter.lease);
      this.#counters.delete(counter);
    }
    await this.#returns.flush();
  }

  #ask(counter: LeasedCounter, cost: number): Promise<Leasing> {
    const open = this.#asks.get(counter);
    if (open !== undefined) return open.join(cost);
    const ask = new LeaseAsk(counter);
    this.#asks.set(counter, ask);
    const joined = ask.join(cost);
    this.#send(ask);
    return joined;
  }

  #send(ask: LeaseAsk): void {
    const { counter } = ask;
    let sent = 0;
    const group: Group<Grant> = {
      tag: counter.tag,
      keys: [counter.name],
      text: (numberOf) => {
        sent = this.#clock.monotonic();
        counter.adapt(sent);
        const rule = numberOf(this.#names.wordsOf(counter.meter).rule);
        return `l${rule},${ask.leave()},${counter.wanted},${counter.ttlMs},${this.#census.count}`;
      },
      size: 5,
      read: grantOf,
    };
    this.#batches.send(group).then(
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
    const isLate = counter.lease !== undefined && now >= counter.lease.until;
    if (isLate) {
      // It is back before anybody asks again, for a lease or for a decision.
      this.#giveBack(counter, counter.lease);
      void this.#returns.flush();
    }
    ask.serve(grant, now, isLate);
    if (this.#closed) this.#giveBack(counter, counter.lease);
    if (ask.isDone) this.#asks.delete(counter);
    else this.#send(ask);
  }

  #refuse({ limit, who, resetAt }: LeasedCounter, now: number): void {
    const until = this.#census.isAlone ? resetAt : Math.min(resetAt, now + SHARED_NO_MS);
    this.#refusals.add(limit, who, { resetAt, until });
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
    this.#refusals.delete(counter.limit, counter.who);
    this.#returns.add(counter, at, cost);
  }

  #wake(): void {
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Gives back what was not used in time, and forgets counters that nobody uses. */
  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const counter of this.#counters) {
      const { lease } = counter;
      if (this.#asks.has(counter) || (lease !== undefined && now < lease.until)) continue;
      if (lease === undefined) this.#counters.delete(counter);
      else {
        // The counter stays for one more round: what it has learned is of use if somebody comes.
        counter.adapt(now);
        this.#giveBack(counter, lease);
      }
    }
    if (!this.#counters.isEmpty) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** Short subjects as they are; of longer ones a digest, which is longer than any of these. */
function whoOf(subject: string): string {
  return subject.length <= MAX_SUBJECT
    ? subject
    : `${subject.length}:`.padEnd(MAX_SUBJECT, ' ') + sha256(subject);
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
