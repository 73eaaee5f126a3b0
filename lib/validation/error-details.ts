import type { ValidationArguments, ValidationError } from 'class-validator';

import { constraintsOf } from './compiled/rules-of.js';
import type { Findings } from './details.js';
import { shapeOf } from './dto-shape.js';
import { type InputPath, item, member, safeName } from './input-path.js';
import { isDtoClass, type PropertyShape, type Rule } from './property-shape.js';
import type { DtoClass } from './transformer-storage.js';

/**
 * Adds class-validator's errors about an instance, with paths as they are on the wire and messages without values.
 * @param raw what the instance was made of, if that is known: fields that only the class itself has set are nobody's mistake
 */
export function addValidationErrors(
  errors: readonly ValidationError[],
  instance: object,
  raw: unknown,
  path: InputPath | undefined,
  findings: Findings,
): void {
  const { byName } = shapeOf(instance.constructor as DtoClass);
  for (const error of errors) {
    // An error about the object itself: no class, or one without rules.
    const property = byName.get(error.property ?? '');
    const at = property ? member(path, property.inputName, property.order) : path;
    for (const rule of Object.keys(error.constraints ?? {})) {
      if (rule === 'whitelistValidation') {
        if (!isOwnField(error.property, raw))
          findings.addUnexpected(member(path, safeName(error.property), 0));
      } else if (property) findings.addBroken(at, rule, messageOf(rule, property, error, instance));
      else findings.addBroken(at, rule, 'The value cannot be validated');
    }
    if (property && error.children?.length) {
      addChildren(
        error.children,
        (instance as Record<string, unknown>)[property.name],
        property.transformed ? undefined : partOf(raw, property.inputName),
        property,
        at,
        findings,
      );
    }
  }
}

/** A field with an initial value, or one behind a setter: what comes in has been held against the declared names before. */
function isOwnField(name: string, raw: unknown): boolean {
  return typeof raw === 'object' && raw !== null && !Object.hasOwn(raw, name);
}

function partOf(raw: unknown, name: PropertyKey): unknown {
  return typeof raw === 'object' && raw !== null && Object.hasOwn(raw, name)
    ? (raw as Readonly<Record<PropertyKey, unknown>>)[name]
    : undefined;
}

/** Errors about a nested value: of its properties, or of its items, which class-validator names by their index. */
function addChildren(
  errors: readonly ValidationError[],
  value: unknown,
  raw: unknown,
  property: PropertyShape,
  path: InputPath | undefined,
  findings: Findings,
): void {
  if (!Array.isArray(value)) {
    if (typeof value === 'object' && value !== null) addValidationErrors(errors, value, raw, path, findings);
    return;
  }
  for (const { property: index, constraints = {}, children = [] } of errors) {
    const at = item(path, Number(index));
    for (const rule of Object.keys(constraints))
      findings.addBroken(at, rule, messageOf(rule, property, { constraints }, value));
    addChildren(children, value[Number(index)], partOf(raw, Number(index)), property, at, findings);
  }
}

const PLACEHOLDER = 'the value';

/** A rule's message with nothing of the request and no class in it (R-IV-28). */
function messageOf(
  rule: string,
  property: PropertyShape,
  { constraints }: Pick<ValidationError, 'constraints'>,
  owner: object,
): string {
  const mask = maskOf((owner as Readonly<Record<string, unknown>>)[property.name]);
  const known = property.rules.get(rule) ?? [];
  // Two rules of one name, such as two patterns: the one that fits what class-validator said, or else the last.
  const messages = known.map((one) => blankMessage(one, property, mask));
  const text = messages.find((message) => message === constraints?.[rule]) ?? messages.at(-1);
  return text === undefined || text === '' ? `${property.inputName} does not keep the rule ${rule}` : text;
}

/** In place of a text's characters: some messages hang on how many there are. */
const MASK = '\uE000';

function maskOf(value: unknown): string {
  return typeof value === 'string' ? MASK.repeat(value.length) : PLACEHOLDER;
}

/** Asks for the message again, with a placeholder where the value would stand. */
function blankMessage(rule: Rule, { inputName }: PropertyShape, mask: string): string {
  const constraints = [...(rule.constraints ?? [])];
  const options = { value: mask, constraints, targetName: '', property: inputName, object: {} };
  const isNamingClass = constraints.some(isDtoClass);
  if (isNamingClass) return '';
  let message: unknown = rule.message;
  try {
    if (message === undefined || message === '') message = defaultMessage(rule, options);
    if (typeof message === 'function') message = (message as (one: typeof options) => unknown)(options);
  } catch {
    return '';
  }
  return typeof message === 'string' ? withoutTokens(message, rule, inputName, constraints) : '';
}

function withoutTokens(
  produced: string,
  rule: Rule,
  inputName: string,
  constraints: readonly unknown[],
): string {
  const message = produced.includes(MASK) ? produced.replaceAll(/\uE000+/g, PLACEHOLDER) : produced;
  if (!message.includes('$')) return message;
  // Lists may have other members by now.
  if (constraints.some((constraint) => typeof constraint === 'object'))
    return fillIn(message, inputName, constraints);
  const last = filledIn.get(rule);
  if (last?.message === message && last.inputName === inputName) return last.text;
  const text = fillIn(message, inputName, constraints);
  filledIn.set(rule, { message, inputName, text });
  return text;
}

/** What the last message of a rule became: it is nearly always the same. */
const filledIn = new WeakMap<
  Rule,
  { readonly message: string; readonly inputName: string; readonly text: string }
>();

function fillIn(message: string, inputName: string, constraints: readonly unknown[]): string {
  return message.replaceAll(
    /\$(value|property|target|constraint(\d{1,2}))/g,
    (_, token: string, index?: string) => {
      if (token === 'value') return PLACEHOLDER;
      if (token === 'property') return inputName;
      return index === undefined ? '' : textOf(constraints[Number(index) - 1]);
    },
  );
}

function defaultMessage(rule: Rule, options: ValidationArguments): unknown {
  return constraintsOf(rule)[0]?.instance.defaultMessage?.(options);
}

function textOf(constraint: unknown): string {
  if (Array.isArray(constraint)) return constraint.map(String).join(', ');
  return typeof constraint === 'symbol' ? (constraint.description ?? '') : String(constraint);
}
