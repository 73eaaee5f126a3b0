import { inspect } from 'node:util';

import { Transform } from 'class-transformer';

import { type RuleOptions, textRule } from './formats/format-rule.js';

/** What is shown in a secret's place. */
const MASK = '***';
/** The rule by which a class knows its secrets: as a rule it survives inheritance and mapped types. */
export const SECRET_RULE = 'isSecret';

/** What a secret may look like. */
export interface SecretOptions {
  /** Characters; 1 by default. */
  readonly minLength?: number;
  /** Characters; 1 024 by default, so that hashing it has a bound. */
  readonly maxLength?: number;
}

/**
 * The text is a secret, such as a password: it is never shown. Wherever an instance of the class is turned into text, by
 * `JSON.stringify()`, `console.log()`, a logger or `instanceToPlain()`, `***` stands in its place, and the OpenAPI document says
 * `password` and `writeOnly`. Only reading the property itself, or spreading the instance, gives the value (R-LG-03).
 *
 * @example
 * @Secret({ minLength: 12 })
 * password!: string;
 */
export function Secret(options: SecretOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const { minLength = 1, maxLength = 1_024 } = options;
  const says = `must be a text of ${minLength} to ${maxLength} characters`;
  const isSecret = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  const check = textRule(SECRET_RULE, isSecret, says, rule);
  const hideInPlain = Transform(({ value }: { value: unknown }) => shown(value), { toPlainOnly: true });
  return (target, property) => {
    check(target, property);
    hideInPlain(target, property);
    hideSecret(target, property);
  };
}

type Instance = Record<PropertyKey, unknown>;

/** Secrets by the prototype of the class that has them. */
const secrets = new WeakMap<object, Set<PropertyKey>>();

/** @internal Keeps a property of a class's instances out of every text that is made of them. */
export function hideSecret(prototype: object, property: PropertyKey): void {
  const known = secrets.get(prototype);
  secrets.set(prototype, (known ?? new Set()).add(property));
  if (known) return;
  const { toJSON } = prototype as { toJSON?: (this: Instance) => unknown };
  const describe = (value: unknown): PropertyDescriptor => ({ value, writable: true, configurable: true });
  Object.defineProperties(prototype, {
    toJSON: describe(function (this: Instance) {
      const copy = masked(this);
      return toJSON ? toJSON.call(copy) : { ...copy };
    }),
    // The copy is shown as the instance would be, with its class's name.
    [inspect.custom]: describe(function (this: Instance) {
      return Object.defineProperty(masked(this), inspect.custom, { value: undefined });
    }),
  });
}

function masked(instance: Instance): Instance {
  const prototype = Reflect.getPrototypeOf(instance);
  const copy = Object.create(prototype, Object.getOwnPropertyDescriptors(instance)) as Instance;
  for (let owner = prototype; owner; owner = Reflect.getPrototypeOf(owner)) {
    for (const name of secrets.get(owner) ?? []) {
      if (Object.hasOwn(copy, name)) Object.defineProperty(copy, name, { value: shown(copy[name]) });
    }
  }
  return copy;
}

/** Whether there is a secret at all may be seen. */
function shown(value: unknown): unknown {
  return value === undefined || value === null ? value : MASK;
}
