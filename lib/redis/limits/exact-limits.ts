import type { LimitMeter } from '../../policy/limit-meter.js';
import type { LimitCharge, LimitDecision, LimitState } from '../../rate-limit/rate-limit-storage.js';
import type { RedisConnection } from '../redis-connection.js';
import type { DecisionBatches } from './decision-batches.js';
import { type LimitNames, tagOf } from './limit-names.js';
import { FORGET, REFUND } from './limit-scripts.js';

/** Charges that are decided in one script call, with their places among those of the request. */
interface Part {
  readonly tag: string;
  readonly charges: LimitCharge[];
  /** Names of their counters. */
  readonly keys: string[];
  readonly places: number[];
}

/** Limits that every charge asks the server about. */
export class ExactLimits {
  readonly #connection: RedisConnection;
  readonly #names: LimitNames;
  readonly #batches: DecisionBatches;
  /** When the parts of a decision were charged, by their tags, where they lie in several slots: servers of a cluster differ in time. */
  readonly #times = new WeakMap<LimitDecision, ReadonlyMap<string, number>>();

  constructor(connection: RedisConnection, names: LimitNames, batches: DecisionBatches) {
    this.#connection = connection;
    this.#names = names;
    this.#batches = batches;
  }

  /** Charges all or none. */
  async consume(charges: readonly LimitCharge[]): Promise<LimitDecision> {
    const parts = this.#partsOf(charges);
    if (parts.length === 1) return this.#decide(parts[0]!, '');
    return this.#consumeInTurn(parts, charges.length);
  }

  /** How the counters stand and which charges would fit; charges nothing. */
  async look(charges: readonly LimitCharge[]): Promise<LimitDecision> {
    const parts = this.#partsOf(charges);
    return joined(parts, await Promise.all(parts.map((part) => this.#decide(part, '!'))), charges.length);
  }

  async refund(charges: readonly LimitCharge[], decision: LimitDecision): Promise<void> {
    const times = this.#times.get(decision);
    const refunds = this.#partsOf(charges).map((part) =>
      this.#refund(part, times?.get(part.tag) ?? decision.at, () => true),
    );
    await Promise.all(refunds);
  }

  async reset(meter: LimitMeter, subject: string): Promise<void> {
    await this.#connection.run(FORGET, [this.#names.counter(tagOf(subject), meter)], []);
  }

  /** One for all charges, but on a cluster one for each subject. */
  #partsOf(charges: readonly LimitCharge[]): Part[] {
    const parts: Part[] = [];
    let [part, subject, tag]: [Part | undefined, string, string] = [undefined, '', ''];
    for (const [place, charge] of charges.entries()) {
      if (part === undefined || charge.subject !== subject) {
        subject = charge.subject;
        tag = tagOf(subject);
        part = this.#connection.isCluster ? parts.find((other) => other.tag === tag) : part;
        if (part === undefined) parts.push((part = { tag, charges: [], keys: [], places: [] }));
      }
      part.charges.push(charge);
      part.keys.push(this.#names.counter(tag, charge.meter));
      part.places.push(place);
    }
    return parts;
  }

  #decide(part: Part, mark: '' | '!'): Promise<LimitDecision> {
    let group: string = mark;
    for (const { meter, cost } of part.charges)
      group += `${this.#names.wordsOf(meter).rule},${cost},${meter.dryRun ? 1 : 0};`;
    return this.#batches.send(part.tag, part.keys, group, 2 * part.charges.length, (numbers, from) =>
      decisionOf(part.charges, numbers, from, mark === ''),
    );
  }

  /** One slot after the other; when a later one refuses, the earlier ones give back what they took. */
  async #consumeInTurn(parts: readonly Part[], count: number): Promise<LimitDecision> {
    // Dry runs alone are charged when everything else has passed.
    const inTurn = parts.toSorted((one, other) => Number(isDryRun(one)) - Number(isDryRun(other)));
    const decisions: LimitDecision[] = [];
    for (const [index, part] of inTurn.entries()) {
      const decision = await this.#orGiveBack(this.#decide(part, ''), inTurn, decisions);
      decisions.push(decision);
      if (decision.allowed) continue;
      await this.#giveBack(inTurn, decisions);
      const others = inTurn.filter((other) => other !== part);
      const looks = await Promise.all(others.map((other) => this.#decide(other, '!')));
      looks.splice(index, 0, decision);
      return joined(inTurn, looks, count);
    }
    const whole = joined(inTurn, decisions, count);
    this.#times.set(whole, new Map(inTurn.map(({ tag }, index) => [tag, decisions[index]!.at])));
    return whole;
  }

  async #orGiveBack(
    deciding: Promise<LimitDecision>,
    parts: readonly Part[],
    decisions: readonly LimitDecision[],
  ): Promise<LimitDecision> {
    try {
      return await deciding;
    } catch (error) {
      await this.#giveBack(parts, decisions).catch(() => undefined);
      throw error;
    }
  }

  async #giveBack(parts: readonly Part[], decisions: readonly LimitDecision[]): Promise<void> {
    const refunds = decisions.map(({ allowed, states, at }, index) => {
      const { charges } = parts[index]!;
      const isCharged = (i: number) => allowed && (!charges[i]!.meter.dryRun || states[i]!.allowed);
      return this.#refund(parts[index]!, at, isCharged);
    });
    await Promise.all(refunds);
  }

  async #refund({ charges, keys }: Part, at: number, isCharged: (index: number) => boolean): Promise<void> {
    const given = [...charges.keys()].filter((index) => charges[index]!.cost > 0 && isCharged(index));
    if (given.length === 0) return;
    const args = given.map((index) => {
      const { meter, cost } = charges[index]!;
      return `${this.#names.wordsOf(meter).kind}${meter.limit},${meter.windowMs},${cost},${at}`;
    });
    const names = given.map((index) => keys[index]!);
    await this.#connection.run(REFUND, names, args);
  }
}

function isDryRun({ charges }: Part): boolean {
  return charges.every(({ meter }) => meter.dryRun);
}

/** @param charged whether what fits was charged; otherwise nothing was, and the decision stands for no */
function decisionOf(
  charges: readonly LimitCharge[],
  numbers: readonly number[],
  from: number,
  charged: boolean,
): LimitDecision {
  let allowed = charged;
  const states = charges.map<LimitState>(({ meter }, index) => {
    const remaining = numbers[from + 2 * index]!;
    const reset = numbers[from + 2 * index + 1]!;
    const passes = reset >= 0;
    allowed &&= passes || meter.dryRun;
    return { allowed: passes, remaining, resetMs: Math.abs(reset) };
  });
  return { allowed, states, at: numbers[0]! };
}

function joined(parts: readonly Part[], decisions: readonly LimitDecision[], count: number): LimitDecision {
  const states = Array.from<LimitState>({ length: count });
  for (const [index, { places }] of parts.entries())
    for (const [i, place] of places.entries()) states[place] = decisions[index]!.states[i]!;
  const at = Math.max(0, ...decisions.map((decision) => decision.at));
  return { allowed: decisions.every(({ allowed }) => allowed), states, at };
}
