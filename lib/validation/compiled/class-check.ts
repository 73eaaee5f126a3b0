import type { ValidationError } from 'class-validator';

import type { DtoClass } from '../transformer-storage.js';
import { classValidator } from '../validation-packages.js';
import { added, newError } from './messages.js';
import { NameOrder } from './name-order.js';
import { PropertyCheck } from './property-check.js';
import { type RuleMetadata, rulesOf, searchRules } from './rules-of.js';
import { ValidationRun } from './validation-run.js';

/**
 * The rules of one class, compiled: what class-validator's `validate()` says of an instance under `whitelist`,
 * `forbidNonWhitelisted`, `forbidUnknownValues` and errors without target and value.
 */
class ClassCheck {
  readonly #properties: readonly PropertyCheck[];
  readonly #names: NameOrder;
  /** The rules as class-validator's whitelist looks them up: in an ordinary object, with all that such a one inherits. */
  readonly #grouped: Readonly<Record<string, readonly RuleMetadata[]>>;

  readonly #hasRules: boolean;

  constructor(constructor: unknown, rules: readonly RuleMetadata[]) {
    const targetName = constructor ? (constructor as DtoClass).name : undefined;
    this.#hasRules = rules.length > 0;
    this.#grouped = classValidator()
      .getMetadataStorage()
      .groupByPropertyName([...rules]);
    const entries = Object.entries(this.#grouped);
    this.#properties = Object.freeze(
      entries.map(([name, own]) => new PropertyCheck(name, own, targetName as string, checkObject)),
    );
    this.#names = new NameOrder(entries.map(([name]) => name));
    Object.freeze(this);
  }

  check(
    object: object,
    errors: ValidationError[] | undefined,
    run: ValidationRun,
  ): ValidationError[] | undefined {
    if (!this.#hasRules) return added(errors, unknownValue());
    let found = this.#whitelist(object, errors);
    const properties = this.#properties;
    for (let i = 0; i < properties.length; i++) {
      const property = properties[i]!;
      const value = (object as Readonly<Record<string, unknown>>)[property.name];
      if (property.awaits && value instanceof Promise) {
        found = later(property, object, value, found ?? [], run);
        continue;
      }
      const error = property.check(object, value, run);
      if (error) found = added(found, error);
    }
    return found;
  }

  #whitelist(object: object, errors: ValidationError[] | undefined): ValidationError[] | undefined {
    let found = errors;
    let place = -1;
    for (const name in object) {
      place = this.#names.placeOf(name, place + 1);
      if (place < 0 && Object.hasOwn(object, name) && !this.#isInherited(name))
        found = added(found, notAllowed(name));
    }
    return found;
  }

  #isInherited(name: string): boolean {
    const inherited = this.#grouped[name];
    return inherited !== undefined && inherited.length !== 0;
  }
}

const checks = new WeakMap<DtoClass, ClassCheck>();

/** Compiles the rules of a class, if that is not done yet. */
export function prepareCheck(dto: DtoClass): void {
  checkOf(dto);
}

/** What an instance breaks of the rules of its class, at once unless a rule answers later. */
export function checkInstance(instance: object): ValidationError[] | Promise<ValidationError[]> {
  const run = new ValidationRun();
  try {
    return run.finish(checkObject(instance, undefined, run));
  } catch (error) {
    run.abandon();
    throw error;
  }
}

function checkObject(
  object: object,
  errors: ValidationError[] | undefined,
  run: ValidationRun,
): ValidationError[] | undefined {
  return checkOf(object.constructor).check(object, errors, run);
}

function checkOf(constructor: unknown): ClassCheck {
  // An object may call anything its constructor.
  if (typeof constructor !== 'function') return new ClassCheck(constructor, searchRules(constructor));
  const dto = constructor as DtoClass;
  let check = checks.get(dto);
  if (check === undefined) checks.set(dto, (check = new ClassCheck(dto, rulesOf(dto))));
  return check;
}

function later(
  property: PropertyCheck,
  object: object,
  value: Promise<unknown>,
  errors: ValidationError[],
  run: ValidationRun,
): ValidationError[] {
  run.wait(
    value.then((held) => {
      const error = property.check(object, held, run);
      return error && errors.push(error);
    }),
  );
  return errors;
}

function notAllowed(property: string): ValidationError {
  const error = newError(property);
  error.constraints = { whitelistValidation: `property ${property} should not exist` };
  return Object.assign(error, { children: undefined });
}

function unknownValue(): ValidationError {
  const constraints = { unknownValue: 'an unknown value was passed to the validate function' };
  return Object.assign(newError(''), { value: undefined, property: undefined, constraints });
}
