import { type DtoClass, type PropertyShape, shapeOf } from './dto-shape.js';
import { type DetailList, pathText, type ValuePath } from './error-details.js';
import { isRfc3339 } from './formats.js';

/** DTOs nest no deeper; the JSON reader's own limit is lower. */
const MAX_DEPTH = 100;

/**
 * Holds a raw body against a class before anything is made of it: every own key must be declared, at every depth and under
 * any name (PITFALL V1), and every value must be of the declared kind already, so that no converter bends it (R-IV-12).
 */
export function checkRaw(value: unknown, dto: DtoClass, path: ValuePath | undefined, list: DetailList, depth = 0): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > MAX_DEPTH) {
    list.addBroken(path, 'isObject', `${pathText(path) || 'the value'} must be an object`);
    return;
  }
  const { properties } = shapeOf(dto);
  for (const name of Object.keys(value)) {
    const property = properties.get(name);
    if (property === undefined) {
      list.addUnexpected({ parent: path, name });
      if (list.full) return;
    } else
      checkProperty((value as Record<string, unknown>)[name], property, { parent: path, name }, list, depth);
  }
}

function checkProperty(
  value: unknown,
  property: PropertyShape,
  path: ValuePath | undefined,
  list: DetailList,
  depth: number,
): void {
  if (value === undefined) return;
  if (value === null) {
    if (!property.nullable) list.addBroken(path, 'isNotNull', `${property.name} must not be null`);
    return;
  }
  if (property.isArray) {
    checkItems(value, property, path, list, depth);
    return;
  }
  if (property.nested) checkRaw(value, property.nested, path, list, depth + 1);
  else if (property.kind !== undefined && !isOfKind(value, property)) {
    list.addBroken(path, ruleOf(property), `${property.name} must be ${nameOf(property)}`);
  }
}

function checkItems(
  value: unknown,
  property: PropertyShape,
  path: ValuePath | undefined,
  list: DetailList,
  depth: number,
): void {
  if (!Array.isArray(value)) {
    list.addBroken(path, 'isArray', `${property.name} must be an array`);
    return;
  }
  // Before the items are looked at: four thousand of them must not cost four thousand checks (PITFALL V11).
  if (property.maxItems !== undefined && value.length > property.maxItems) {
    list.addBroken(
      path,
      'arrayMaxSize',
      `${property.name} must contain no more than ${property.maxItems} elements`,
    );
    return;
  }
  for (const [index, item] of (value as unknown[]).entries()) {
    const at = { parent: path, name: index };
    if (property.nested) checkRaw(item, property.nested, at, list, depth + 1);
    else if (property.kind !== undefined && !isOfKind(item, property)) {
      list.addBroken(at, ruleOf(property), `each value in ${property.name} must be ${nameOf(property)}`);
    }
  }
}

function isOfKind(value: unknown, { kind }: PropertyShape): boolean {
  return kind === 'date' ? typeof value === 'string' && isRfc3339(value) : typeof value === kind;
}

function ruleOf({ kind, integer }: PropertyShape): string {
  if (kind === 'number') return integer ? 'isInt' : 'isNumber';
  return kind === 'string' ? 'isString' : kind === 'boolean' ? 'isBoolean' : 'isDate';
}

function nameOf({ kind, integer }: PropertyShape): string {
  if (kind === 'number') return integer ? 'an integer number' : 'a number';
  return kind === 'date' ? 'an RFC 3339 date' : `a ${kind} value`;
}
