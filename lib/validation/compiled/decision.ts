import type { ValidationArguments } from 'class-validator';

import { classValidator } from '../validation-packages.js';
import { type Shortcut, SHORTCUTS } from './shortcuts.js';

/** The verdict on a value: anything true for yes, or a promise of that. */
export type Decide = (value: unknown, args: ValidationArguments) => unknown;

/**
 * How a rule decides. One that has the name of a rule of class-validator's is watched at its first call: if it is that very
 * code that runs, a shortcut may answer from then on, and whatever else has the name is always asked itself.
 */
export class Decision {
  isSure: Shortcut | undefined;
  decide: Decide;

  constructor(name: string, validate: Decide) {
    this.decide = Object.hasOwn(SHORTCUTS, name)
      ? (value, args) => this.#learn(validate, value, args)
      : validate;
    Object.seal(this);
  }

  #learn(validate: Decide, value: unknown, args: ValidationArguments): unknown {
    this.decide = validate;
    const { verdict, place } = askWatched(validate, value, args);
    this.isSure = shortcutsByPlace().get(place);
    return verdict;
  }
}

/** Asks a rule the ordinary way, and tells from which place in which code it looks at its constraints first. */
function askWatched(
  validate: Decide,
  value: unknown,
  args: ValidationArguments,
): { readonly verdict: unknown; readonly place: string } {
  const { constraints } = args;
  let place = '';
  const get = (): typeof constraints => {
    place ||= callers();
    return constraints;
  };
  Object.defineProperty(args, 'constraints', { get, enumerable: true, configurable: true });
  try {
    return { verdict: validate(value, args), place };
  } finally {
    Object.defineProperty(args, 'constraints', { value: constraints, writable: true });
  }
}

/** From `callers()` itself over the getter, the decorator's function and class-validator's wrapper to `askWatched()`. */
const CALLS = 5;

/** The places of the last calls as text, which are those of the same code wherever they are the same; empty if they cannot be told. */
function callers(): string {
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', CALLS);
  const { stack }: { readonly stack?: unknown } = new Error();
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return typeof stack === 'string' && stack.split('\n').length > CALLS ? stack : '';
}

let known: Map<string, Shortcut> | undefined;

/** Shortcuts by the place where class-validator's own decorators look at their constraints. */
function shortcutsByPlace(): ReadonlyMap<string, Shortcut> {
  if (known !== undefined) return known;
  known = new Map();
  const cv = classValidator();
  const decorators = [
    cv.ArrayMaxSize(1),
    cv.ArrayMinSize(1),
    cv.IsEmail(),
    cv.IsEnum({}),
    cv.IsIn([]),
    cv.IsISO8601(),
    cv.IsNumber(),
    cv.IsUUID(),
    cv.Length(1),
    cv.MinLength(1),
    cv.MaxLength(1),
    cv.Min(1),
    cv.Max(1),
  ];
  for (const decorate of decorators) {
    const { name, place } = placeOf(decorate);
    if (place !== '') known.set(place, SHORTCUTS[name]!);
  }
  return known;
}

/** Puts a decorator on a class that nobody else gets to see: class-validator keeps its rules in a global object. */
function placeOf(decorate: PropertyDecorator): { readonly name: string; readonly place: string } {
  const holder = globalThis as { classValidatorMetadataStorage?: unknown };
  const { classValidatorMetadataStorage: kept } = holder;
  holder.classValidatorMetadataStorage = undefined;
  try {
    class Sample {}
    decorate(Sample.prototype, 'field');
    const storage = classValidator().getMetadataStorage();
    const [rule] = storage.getTargetValidationMetadatas(Sample, '', false, false);
    const [constraint] = storage.getTargetValidatorConstraints(rule!.constraintCls);
    const { validate } = new (constraint!.target as new () => { readonly validate: Decide })();
    const { constraints } = rule!;
    const args = { constraints, value: '', object: {}, property: 'field', targetName: 'Sample' };
    return { name: constraint!.name, place: askWatched(validate, '', args).place };
  } finally {
    holder.classValidatorMetadataStorage = kept;
  }
}
