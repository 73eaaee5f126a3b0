import type { ValidationError } from 'class-validator';

import { addContext, typeOf } from './messages.js';
import { type CheckObject, NestedCheck } from './nested-check.js';
import { type Check, ruleChecks } from './rule-check.js';
import { constraintsOf, type RuleMetadata } from './rules-of.js';
import type { ValidationRun } from './validation-run.js';

interface Context {
  readonly type: string;
  readonly context: unknown;
}

/** The rules of one property, in class-validator's order: conditions, `@IsDefined()`, the others, nested objects. */
export class PropertyCheck {
  readonly #conditions: readonly RuleMetadata[];
  readonly #checks: readonly Check[];
  readonly #nested: NestedCheck | undefined;
  readonly #contexts: readonly Context[];
  /** A promise is waited for, and what it holds is checked (`@ValidatePromise()`). */
  readonly awaits: boolean;

  constructor(
    readonly name: string,
    rules: readonly RuleMetadata[],
    targetName: string,
    checkObject: CheckObject,
  ) {
    const ofType = (wanted: string): RuleMetadata[] => rules.filter(({ type }) => type === wanted);
    const defined = ofType('isDefined');
    const custom = ofType('customValidation');
    const nested = ofType('nestedValidation');
    this.awaits = ofType('promiseValidation').length > 0;
    this.#conditions = Object.freeze(ofType('conditionalValidation'));
    this.#checks = Object.freeze([...defined, ...custom].flatMap((rule) => ruleChecks(rule, targetName)));
    this.#nested = nested.length > 0 ? new NestedCheck(nested, name, checkObject) : undefined;
    const others = rules.filter(({ type }) => type !== 'isDefined' && type !== 'whitelistValidation');
    this.#contexts = Object.freeze([...defined, ...others].flatMap(contextOf));
    Object.freeze(this);
  }

  check(object: object, value: unknown, run: ValidationRun): ValidationError | undefined {
    if (!this.#applies(object, value)) return undefined;
    let error: ValidationError | undefined;
    for (let i = 0; i < this.#checks.length; i++) error = this.#checks[i]!(object, value, error, run);
    if (this.#nested) error = this.#nested.check(value, error, run);
    if (error?.constraints) this.#addContexts(error);
    return error;
  }

  /** Every condition is asked, even after one has said no. */
  #applies(object: object, value: unknown): boolean {
    let applies = true;
    for (let i = 0; i < this.#conditions.length; i++) {
      const conditions = this.#conditions[i]!.constraints as ((owner: object, one: unknown) => unknown)[];
      if (!conditions[0]!(object, value)) applies = false;
    }
    return applies;
  }

  #addContexts(error: ValidationError): void {
    for (const { type, context } of this.#contexts)
      if (error.constraints?.[type]) addContext(error, type, context);
  }
}

function contextOf(rule: RuleMetadata): Context[] {
  if (!rule.context) return [];
  const constraint = rule.type === 'customValidation' ? constraintsOf(rule)[0] : undefined;
  return [{ type: typeOf(rule, constraint), context: rule.context as unknown }];
}
