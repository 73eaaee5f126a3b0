import { type DtoClass, type PropertyShape, shapeOf } from './dto-shape.js';
import type { DetailList, ValuePath } from './error-details.js';
import { exactBoolean, exactNumber, isRfc3339 } from './formats.js';

/** What an adapter makes of a query or of path parameters. */
export type TextValues = Readonly<Record<string, string | readonly string[]>>;

/**
 * Turns query and path parameters into the declared types by exact spelling only (R-IV-12); a value that comes twice where
 * one is declared is refused (R-IV-18), and a single one where several are becomes a list.
 */
export function convertTexts(values: TextValues, dto: DtoClass, list: DetailList): Record<string, unknown> {
  const { properties } = shapeOf(dto);
  const converted: Record<string, unknown> = {};
  for (const name of Object.keys(values)) {
    const property = properties.get(name);
    if (property === undefined) list.addUnexpected({ parent: undefined, name });
    else converted[name] = convertProperty(values[name]!, property, { parent: undefined, name }, list);
  }
  return converted;
}

function convertProperty(
  value: string | readonly string[],
  property: PropertyShape,
  path: ValuePath,
  list: DetailList,
): unknown {
  if (property.isArray) {
    const items = typeof value === 'string' ? [value] : value;
    return items.map((item, index) => convertText(item, property, { parent: path, name: index }, list));
  }
  if (typeof value !== 'string') {
    list.addBroken(path, 'isSingle', `${property.name} must be given once`);
    return undefined;
  }
  return convertText(value, property, path, list);
}

function convertText(text: string, property: PropertyShape, path: ValuePath, list: DetailList): unknown {
  const { value, rule, expected } = convert(text, property.kind, property.integer);
  if (value === undefined) list.addBroken(path, rule, `${property.name} must be ${expected}`);
  return value;
}

interface Converted {
  readonly value: unknown;
  readonly rule: string;
  readonly expected: string;
}

/** One text as a declared kind; without a value if it does not spell one. */
export function convert(text: string, kind: PropertyShape['kind'], integer: boolean): Converted {
  switch (kind) {
    case 'number':
      return {
        value: exactNumber(text, integer),
        rule: integer ? 'isInt' : 'isNumber',
        expected: integer ? 'an integer number' : 'a number',
      };
    case 'boolean':
      return { value: exactBoolean(text), rule: 'isBoolean', expected: '"true" or "false"' };
    case 'date':
      return { value: isRfc3339(text) ? text : undefined, rule: 'isDate', expected: 'an RFC 3339 date' };
    case 'string':
    case undefined:
      return { value: text, rule: 'isString', expected: 'a string' };
  }
}
