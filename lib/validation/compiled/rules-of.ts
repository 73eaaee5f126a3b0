import type { ValidationArguments } from 'class-validator';

import type { DtoClass } from '../transformer-storage.js';
import { classValidator } from '../validation-packages.js';
import { Decision } from './decision.js';

type MetadataStorage = ReturnType<typeof import('class-validator').getMetadataStorage>;

/** What class-validator keeps of one decorator on one property. */
export type RuleMetadata = ReturnType<MetadataStorage['getTargetValidationMetadatas']>[number];

/** What runs a rule: its name and the object that decides. */
export interface RuleConstraint {
  readonly name: string;
  /** Those of an application's own classes come out of its container, each time it is asked. */
  readonly instance: {
    validate(value: unknown, args: ValidationArguments): unknown;
    defaultMessage?(args: ValidationArguments): string;
  };
  /** Decides, if it is always the same object that does: finding the method anew takes as long as many a rule. */
  readonly decision?: Decision;
}

const rules = new WeakMap<DtoClass, readonly RuleMetadata[]>();

/**
 * All rules of a class, inherited ones included, in class-validator's order. It searches the rules of the whole application
 * for them: hence once for each class, at boot.
 */
export function rulesOf(dto: DtoClass): readonly RuleMetadata[] {
  let found = rules.get(dto);
  if (found === undefined) rules.set(dto, (found = searchRules(dto)));
  return found;
}

/** @internal The search itself, for what may be no class at all: class-validator then fails in its own way. */
export function searchRules(constructor: unknown): readonly RuleMetadata[] {
  const storage = classValidator().getMetadataStorage();
  return storage.getTargetValidationMetadatas(constructor as DtoClass, '', false, false);
}

const constraints = new WeakMap<object, readonly RuleConstraint[]>();

/** What runs a rule. Several for a constraint class that is decorated more than once, none for one that is not. */
export function constraintsOf(rule: { readonly constraintCls?: unknown }): readonly RuleConstraint[] {
  let found = constraints.get(rule);
  if (found === undefined) {
    const storage = classValidator().getMetadataStorage();
    found = storage.getTargetValidatorConstraints(rule.constraintCls as () => void).map(constraintOf);
    constraints.set(rule, Object.freeze(found));
  }
  return found;
}

function constraintOf(constraint: RuleConstraint & { readonly target: unknown }): RuleConstraint {
  if (!isWrapper(constraint.target)) return constraint;
  const instance = Object.freeze(new constraint.target());
  const { name } = constraint;
  // The wrapper's method does without its object.
  return Object.freeze({ name, instance, decision: new Decision(name, instance.validate) });
}

/**
 * Whether a class is what class-validator itself puts around the functions of a decorator. It has no state, so one of it will
 * do, and nobody's container knows it: class-validator's own walks a list of every such class in the application to find it.
 */
function isWrapper(type: unknown): type is new () => RuleConstraint['instance'] {
  return (
    typeof type === 'function' &&
    type.name === 'CustomConstraint' &&
    String(type).includes('validator.validate(value, validationArguments)')
  );
}
