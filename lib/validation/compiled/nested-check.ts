import type { ValidationError } from 'class-validator';

import { addBroken, addContext, added, newError } from './messages.js';
import type { RuleMetadata } from './rules-of.js';
import type { ValidationRun } from './validation-run.js';

/** Checks an object by the rules of its own class, and adds to the errors of its owner, if there are any so far. */
export type CheckObject = (
  object: object,
  errors: ValidationError[] | undefined,
  run: ValidationRun,
) => ValidationError[] | undefined;

/** The `@ValidateNested()` rules of one property. */
export class NestedCheck {
  constructor(
    private readonly rules: readonly RuleMetadata[],
    private readonly property: string,
    private readonly checkObject: CheckObject,
  ) {
    Object.freeze(this);
  }

  check(value: unknown, error: ValidationError | undefined, run: ValidationRun): ValidationError | undefined {
    return value === undefined ? error : this.#check(value, this.property, error, run);
  }

  #check(
    value: unknown,
    property: string,
    error: ValidationError | undefined,
    run: ValidationRun,
  ): ValidationError | undefined {
    let found = error;
    for (let i = 0; i < this.rules.length; i++) {
      if (isObject(value)) {
        const errors = isCollection(value)
          ? this.#items(value, found?.children, run)
          : this.checkObject(value, found?.children, run);
        if (errors === undefined) continue;
        found ??= newError(property);
        found.children = errors;
      } else {
        found ??= newError(property);
        const rule = this.rules[i]!;
        // Told about the class: class-validator has no object at hand there.
        const owner = rule.target as object;
        addBroken(found, rule, undefined, owner.constructor.name, owner, value);
      }
    }
    return found;
  }

  #items(
    items: Collection,
    errors: ValidationError[] | undefined,
    run: ValidationRun,
  ): ValidationError[] | undefined {
    let found = errors;
    if (items instanceof Map) {
      for (const [key, item] of items) found = this.#item(item, (key as bigint).toString(), found, run);
      return found;
    }
    const list: readonly unknown[] = Array.isArray(items) ? items : Array.from(items as ReadonlySet<unknown>);
    for (let i = 0; i < list.length; i++) if (i in list) found = this.#item(list[i], String(i), found, run);
    return found;
  }

  #item(
    item: unknown,
    index: string,
    errors: ValidationError[] | undefined,
    run: ValidationRun,
  ): ValidationError[] | undefined {
    if (item === undefined) return errors;
    const error = this.#check(item, index, undefined, run);
    if (error === undefined) return errors;
    for (const { type, context } of this.rules)
      if (context && error.constraints?.[type]) addContext(error, type, context);
    return added(errors, error);
  }
}

type Collection = readonly unknown[] | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>;

function isObject(value: unknown): value is object {
  return Array.isArray(value) || value instanceof Object;
}

function isCollection(value: object): value is Collection {
  return Array.isArray(value) || value instanceof Set || value instanceof Map;
}
