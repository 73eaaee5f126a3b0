import type { ValidationArguments, ValidationError } from 'class-validator';

import { classValidator } from '../validation-packages.js';
import type { RuleConstraint, RuleMetadata } from './rules-of.js';

/** What a rule is told about the value that it looks at; made anew each time, because it may keep it. */
export function argumentsOf(
  rule: RuleMetadata,
  targetName: string,
  object: object,
  value: unknown,
): ValidationArguments {
  return {
    targetName,
    property: rule.propertyName,
    object,
    value,
    constraints: rule.constraints,
  };
}

/** An error about a property, with nothing in it yet. */
export function newError(property: string): ValidationError {
  const { ValidationError: ErrorClass } = classValidator();
  const error = new ErrorClass();
  error.property = property;
  error.children = [];
  return error;
}

/** The errors with one more; a list is made for the first. */
export function added(errors: ValidationError[] | undefined, error: ValidationError): ValidationError[] {
  if (errors === undefined) return [error];
  errors.push(error);
  return errors;
}

/** Notes that a rule is broken, in class-validator's words. */
export function addBroken(
  error: ValidationError,
  rule: RuleMetadata,
  constraint: RuleConstraint | undefined,
  targetName: string,
  object: object,
  value: unknown,
): void {
  const args = argumentsOf(rule, targetName, object, value);
  let message: unknown = rule.message || '';
  if (!rule.message && constraint) {
    const { instance } = constraint;
    if (typeof instance.defaultMessage === 'function') message = instance.defaultMessage(args);
  }
  error.constraints ??= {};
  error.constraints[typeOf(rule, constraint)] = withTokens(message, rule, args) as string;
}

/** The name under which a broken rule is reported. */
export function typeOf(rule: RuleMetadata, constraint: RuleConstraint | undefined): string {
  return constraint?.name ? constraint.name : rule.type;
}

/** Adds the data that an application has hung on a rule, if the rule is broken. */
export function addContext(error: ValidationError, type: string, context: unknown): void {
  error.contexts ??= {};
  error.contexts[type] = Object.assign((error.contexts[type] as object | undefined) ?? {}, context);
}

/** A rule's message with its tokens replaced, which nearly always is what it was the last time. */
function withTokens(message: unknown, rule: RuleMetadata, args: ValidationArguments): unknown {
  let text: unknown;
  if (typeof message === 'function') text = (message as (one: ValidationArguments) => unknown)(args);
  else if (typeof message === 'string') text = message;
  const { targetName } = args;
  const constraints: readonly unknown[] | undefined = args.constraints;
  const isFixed = typeof text === 'string' && !text.includes('$value') && isPlainList(constraints);
  if (!isFixed) return filledIn(text, args);
  const last = told.get(rule);
  if (last?.text === text && last?.targetName === targetName && isSame(last.constraints, constraints))
    return last.words;
  const words = filledIn(text, args);
  told.set(rule, { text, targetName, constraints: constraints?.slice(), words });
  return words;
}

interface Told {
  readonly text: unknown;
  readonly targetName: string;
  readonly constraints: readonly unknown[] | undefined;
  readonly words: unknown;
}

const told = new WeakMap<RuleMetadata, Told>();

/** No constraint is an object that may change, or a text that may hold a token itself. */
function isPlainList(constraints: readonly unknown[] | undefined): boolean {
  return (
    constraints === undefined ||
    (Array.isArray(constraints) && constraints.every((one) => one === undefined || typeof one === 'number'))
  );
}

function isSame(some: readonly unknown[] | undefined, others: readonly unknown[] | undefined): boolean {
  if (some?.length !== others?.length) return false;
  return some === undefined || some.every((one, i) => Object.is(one, others![i]));
}

/** Replaces `$constraint1`, `$value`, `$property` and `$target`, one after the other, as class-validator does. */
function filledIn(text: unknown, args: ValidationArguments): unknown {
  const { constraints, property, targetName } = args;
  const value: unknown = args.value;
  let words = text as string;
  if (words && Array.isArray(constraints)) {
    for (let i = 0; i < constraints.length; i++)
      if (i in constraints) words = words.replace(constraintToken(i), textOf(constraints[i]));
  }
  if (words && (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'))
    words = words.replace(/\$value/g, value as string);
  if (words) words = words.replace(/\$property/g, property);
  if (words) words = words.replace(/\$target/g, targetName);
  return words;
}

const tokens: RegExp[] = [];

function constraintToken(index: number): RegExp {
  return (tokens[index] ??= new RegExp(`\\$constraint${index + 1}`, 'g'));
}

function textOf(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.join(', ');
  return String(typeof constraint === 'symbol' ? constraint.description : constraint);
}
