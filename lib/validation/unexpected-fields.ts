import { SecurityError } from '../errors/security-error.js';
import type { Findings } from './details.js';
import { type DtoShape, shapeOf } from './dto-shape.js';
import { type InputPath, item, member, safeName } from './input-path.js';
import type { NestedType, PropertyShape } from './property-shape.js';
import { isOfKind, KIND_RULES, type ValueKind } from './value-kinds.js';

/** Deepest input that is looked at: whatever recurses over it later has the stack for it (PITFALL V5). */
const MAX_DEPTH = 100;
/** class-transformer skips or trips over these wherever they stand. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Holds a raw body against a shape before anything is made of it: every own key has to be declared, at every depth and
 * whatever its name (R-IV-11, PITFALL V1), and every value has to be of the declared kind already (R-IV-12, PITFALL V6).
 *
 * @throws SecurityError `PAYLOAD_TOO_COMPLEX` for what is nested deeper than 100
 */
export function scanObject(
  value: object,
  shape: DtoShape,
  path: InputPath | undefined,
  findings: Findings,
  depth = 0,
  discriminator?: string,
): void {
  const raw = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(raw)) {
    const property = shape.properties.get(name);
    // Nearly every value: nothing is made for it.
    if (property?.plainType !== undefined && isOfKind(raw[name], property.plainType)) continue;
    if (property) scanProperty(raw[name], property, raw, member(path, name, property.order), findings, depth);
    else if (name !== discriminator) {
      findings.addUnexpected(member(path, safeName(name), 0));
    }
  }
}

/** Whether a value can be an object of a DTO at all. */
export function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBinary(value);
}

/** Goes through a value that no class describes: its names and its depth must not harm what comes after. */
export function scanFree(
  value: unknown,
  path: InputPath | undefined,
  findings: Findings,
  depth: number,
  anyNames = false,
): void {
  if (typeof value !== 'object' || value === null || isBinary(value)) return;
  if (depth > MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) scanFree(value[i], item(path, i), findings, depth + 1, anyNames);
    return;
  }
  for (const name of Object.keys(value)) {
    const at = member(path, safeName(name), 0);
    if (FORBIDDEN.has(name) || (!anyNames && isOperator(name))) findings.addUnexpected(at);
    else scanFree((value as Record<string, unknown>)[name], at, findings, depth + 1, anyNames);
  }
}

/** `$gt`, `a.b`: to document databases these are operators and paths (R-IV-25). */
function isOperator(name: string): boolean {
  return name.startsWith('$') || name.includes('.');
}

function scanProperty(
  value: unknown,
  property: PropertyShape,
  owner: object,
  path: InputPath,
  findings: Findings,
  depth: number,
): void {
  if (value === undefined) return;
  if (value === null) {
    if (!property.nullable) {
      findings.addBroken(path, 'isNotNull', `${property.inputName} must not be null`, property.converted);
    }
  } else if (property.unsupported) {
    findings.addBroken(path, 'isSupported', `${property.inputName} cannot be validated`, true);
  } else if (property.list !== 'no' && Array.isArray(value)) {
    scanItems(value, property, owner, path, findings, depth);
  } else if (property.list === 'yes' && !property.transformed) {
    findings.addBroken(path, 'isArray', `${property.inputName} must be an array`, true);
  } else scanOne(value, property, owner, path, findings, depth);
}

function scanItems(
  value: readonly unknown[],
  property: PropertyShape,
  owner: object,
  path: InputPath,
  findings: Findings,
  depth: number,
): void {
  const { maxItems, inputName } = property;
  if (maxItems !== undefined && value.length > maxItems) {
    findings.addBroken(
      path,
      'arrayMaxSize',
      `${inputName} must contain no more than ${maxItems} elements`,
      true,
    );
    return;
  }
  for (let i = 0; i < value.length; i++) {
    const one = value[i];
    const at = item(path, i);
    if (!property.listOfLists || !Array.isArray(one)) scanOne(one, property, owner, at, findings, depth + 1);
    else one.forEach((inner, j) => scanOne(inner, property, owner, item(at, j), findings, depth + 2));
  }
}

function scanOne(
  value: unknown,
  property: PropertyShape,
  owner: object,
  path: InputPath,
  findings: Findings,
  depth: number,
): void {
  const { nested, bodyKind, members, inputName, anyNames } = property;
  if (nested) scanNested(value, nested, owner, path, findings, depth + 1);
  else if (bodyKind === 'any') scanFree(value, path, findings, depth + 1, anyNames);
  else if (!isOfKind(value, bodyKind))
    addWrongKind(path, property, bodyKind, findings, property.converted || typeof value === 'object');
  if (members && !property.transformed && !members.has(value)) {
    findings.addBroken(
      path,
      'isEnum',
      `${inputName} must be one of the following values: ${[...members].join(', ')}`,
    );
  }
}

function scanNested(
  value: unknown,
  nested: NestedType,
  owner: object,
  path: InputPath,
  findings: Findings,
  depth: number,
): void {
  if (depth > MAX_DEPTH) throw tooDeep();
  if (!isPlainObject(value)) {
    findings.addBroken(path, 'isObject', `${labelOf(path)} must be an object`, true);
    return;
  }
  const dto = nested.classFor(value, owner);
  if (dto) scanObject(value, shapeOf(dto), path, findings, depth, nested.discriminator);
  else
    findings.addBroken(
      path,
      'discriminator',
      `${labelOf(path)} does not say which kind of object it is`,
      true,
    );
}

/** Reports a value of the wrong kind in the words of the rule that the kind stands for. */
export function addWrongKind(
  path: InputPath | undefined,
  { inputName, integer }: { readonly inputName: string; readonly integer: boolean },
  kind: Exclude<ValueKind, 'any'>,
  findings: Findings,
  unfit: boolean,
): void {
  const [rule, text] = KIND_RULES[kind === 'number' && integer ? 'integer' : kind];
  findings.addBroken(
    path,
    rule,
    `${path && path.name === undefined ? 'each value in ' : ''}${inputName} ${text}`,
    unfit,
  );
}

/** What to call a value in a message: the member that holds it. */
function labelOf(path: InputPath): string {
  let node: InputPath | undefined = path;
  while (node && node.name === undefined) node = node.parent;
  const prefix = path.name === undefined ? 'each value in ' : '';
  return node?.name === undefined ? 'the value' : prefix + node.name;
}

function isBinary(value: object): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

function tooDeep(): SecurityError {
  return new SecurityError('PAYLOAD_TOO_COMPLEX', 'The body is nested too deeply', { reason: 'body.depth' });
}
