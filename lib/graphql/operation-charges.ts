import { type OperationTypeNode, valueFromASTUntyped } from 'graphql';

import type { RequestState } from '../http/request-state.js';
import { MAX_LIMIT } from '../policy/limit-spec.js';
import type { RateLimitKey, RateLimitRule, RateLimitSubject, RoutePolicy } from '../policy/route-policy.js';
import { costOf } from '../rate-limit/limit-cost.js';
import { asksRequest, subjectFor } from '../rate-limit/limit-subject.js';
import { OwnLimits } from '../rate-limit/plans/own-limits.js';
import { allRules } from '../rate-limit/rule-order.js';
import { countingAll } from '../rate-limit/rule-traits.js';
import type { OperationShape, RootField, SelectionSize } from './document-shape.js';

/** A field that an operation begins with, for the function that says what it costs. */
export interface ComplexityInput extends SelectionSize {
  readonly type: 'query' | 'mutation' | 'subscription';
  /** Name of the field in the schema. */
  readonly field: string;
  /** Not yet validated. Treat them as hostile. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a field costs; a whole number from 1. */
export type Complexity = (field: ComplexityInput) => number;

/** An operation that is about to run. */
export interface ChargedOperation {
  readonly shape: OperationShape;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * What a whole request costs, all its operations together, so that they pass or fail as one (R-RL-14): the limits of each field that
 * an operation begins with, as often as it stands there.
 */
export class OperationCharges {
  readonly #own = new OwnLimits();

  /**
   * @param policyOf of a field; what is not known, or is the schema's own, counts by the endpoint's
   * @param complexity 1 for each field by default
   */
  constructor(
    private readonly policyOf: (type: OperationTypeNode, field: string) => RoutePolicy,
    private readonly complexity: Complexity | undefined,
  ) {}

  /** @throws RangeError if a function computes no whole number: a request of unknown weight must not pass for free */
  rulesFor(state: RequestState, operations: readonly ChargedOperation[]): readonly RateLimitRule[] {
    const units = new Map<RateLimitRule, number>();
    const computed: RateLimitRule[] = [];
    for (const { shape, variables } of operations) {
      for (const field of shape.rootFields) {
        const args = () => argsOf(field, variables);
        const factor = this.#factor(shape.type, field, args);
        for (const rule of this.#rulesOf(state, shape.type, field.name)) {
          if (asksRequest(rule)) computed.push(settled(rule, factor, subjectWith(state, args())));
          else units.set(rule, (units.get(rule) ?? 0) + (rule.cost as number) * factor);
        }
      }
    }
    const merged = [...units].map(([rule, cost]) =>
      rule.cost === cost ? rule : { ...rule, cost: capped(cost) },
    );
    return [...merged, ...computed];
  }

  /**
   * The limits of one field, where it is charged alone.
   *
   * @param root there if an operation begins with it
   */
  rulesOfField(
    state: RequestState,
    policy: RoutePolicy,
    type: OperationTypeNode,
    args: Readonly<Record<string, unknown>>,
    root?: Pick<RootField, 'name' | 'size'>,
  ): RateLimitRule[] {
    const factor = root === undefined ? 1 : this.#factor(type, root, () => args);
    return this.#combined(state, policy, type).map((rule) => {
      if (asksRequest(rule)) return settled(rule, factor, subjectWith(state, args));
      return factor === 1 ? rule : { ...rule, cost: capped((rule.cost as number) * factor) };
    });
  }

  #rulesOf(state: RequestState, type: OperationTypeNode, field: string): readonly RateLimitRule[] {
    return this.#combined(state, this.policyOf(type, field), type);
  }

  #combined(
    state: RequestState,
    { rateLimit }: RoutePolicy,
    type: OperationTypeNode,
  ): readonly RateLimitRule[] {
    const declared = (type as string) === 'query' ? rateLimit.read : rateLimit.write;
    const rules = state.ownLimits === undefined ? declared : this.#own.combine(declared, state.ownLimits);
    // Errors stand in an answer whose status is 200.
    return allRules(rules).map(countingAll);
  }

  #factor(
    type: OperationTypeNode,
    { name, size }: Pick<RootField, 'name' | 'size'>,
    args: () => Readonly<Record<string, unknown>>,
  ): number {
    if (this.complexity === undefined) return 1;
    const factor: unknown = this.complexity({ type, field: name, args: args(), ...size });
    if (!Number.isSafeInteger(factor) || Number(factor) < 1)
      throw new RangeError('the complexity function did not return a whole number from 1');
    return Number(factor);
  }
}

function argsOf({ node }: RootField, variables: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    (node.arguments ?? []).map(({ name, value }) => [
      name.value,
      valueFromASTUntyped(value, { ...variables }),
    ]),
  );
}

/** Functions of limits see a field's arguments where those of a route see its body. */
function subjectWith(state: RequestState, args: object): RateLimitSubject {
  return subjectFor(state, { body: args });
}

/** A limit whose functions have been asked for one field. */
function settled(rule: RateLimitRule, factor: number, subject: RateLimitSubject): RateLimitRule {
  const asked = (key: RateLimitKey): RateLimitKey => (typeof key === 'function' ? () => key(subject) : key);
  const by = typeof rule.by === 'object' ? rule.by.map(asked) : asked(rule.by);
  return { ...rule, by, cost: capped(costOf(rule, subject) * factor) };
}

/** More than any limit holds is refused like the most that one could hold and one more. */
function capped(cost: number): number {
  return Math.min(cost, MAX_LIMIT + 1);
}
