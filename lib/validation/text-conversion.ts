import { shapeOf } from './dto-shape.js';
import type { Findings } from './details.js';
import { type InputPath, item, member, safeName } from './input-path.js';
import type { PropertyShape } from './property-shape.js';
import type { DtoClass } from './transformer-storage.js';
import { addWrongKind } from './unexpected-fields.js';
import { parseText, type ValueKind } from './value-kinds.js';

/** Whose names the values have: those of a query come from the client, those of a path from the route. */
export type TextSource = 'query' | 'param';

/**
 * Turns query or path parameters into the declared types, by exact spelling only (R-IV-12). A value that comes twice where
 * one is declared is refused (R-IV-18); a single one where a list is declared becomes a list of one.
 */
export function convertTexts(
  values: object,
  dto: DtoClass,
  source: TextSource,
  findings: Findings,
): Record<string, unknown> {
  const { properties } = shapeOf(dto);
  const converted: Record<string, unknown> = {};
  for (const name of Object.keys(values)) {
    const property = properties.get(name);
    if (property) {
      const at = member(undefined, name, property.order);
      const given = (values as Record<string, unknown>)[name];
      const isText = source === 'param' && property.list === 'no';
      const value = convertProperty(isText ? wholePath(given) : given, property, at, findings);
      if (value !== undefined) converted[name] = value;
    } else if (source === 'query') {
      findings.addUnexpected(member(undefined, safeName(name), 0));
    }
  }
  return converted;
}

/** What a wildcard stands for, as one text: Express hands over its segments, none of which holds a slash. */
export function wholePath(value: unknown): unknown {
  return Array.isArray(value) ? value.join('/') : value;
}

function convertProperty(
  value: unknown,
  property: PropertyShape,
  path: InputPath,
  findings: Findings,
): unknown {
  const { list, inputName, maxItems } = property;
  if (property.nested || property.unsupported) {
    findings.addBroken(path, 'isObject', `${inputName} must be an object`, true);
    return undefined;
  }
  if (!Array.isArray(value)) {
    const one = convertOne(value, property, path, findings);
    return one === undefined || list !== 'yes' || property.transformed ? one : [one];
  }
  if (list === 'no') {
    findings.addBroken(path, 'isSingle', `${inputName} must be given once`, true);
    return undefined;
  }
  if (maxItems !== undefined && value.length > maxItems) {
    findings.addBroken(
      path,
      'arrayMaxSize',
      `${inputName} must contain no more than ${maxItems} elements`,
      true,
    );
    return undefined;
  }
  return value.map((one: unknown, index) => convertOne(one, property, item(path, index), findings));
}

function convertOne(value: unknown, property: PropertyShape, path: InputPath, findings: Findings): unknown {
  const text = convertText(value, property.textKind, property, path, findings);
  const isMixed = property.members && property.textKind === 'any' && !property.transformed;
  const converted = isMixed ? memberNamed(text, property.members) : text;
  if (
    converted !== undefined &&
    property.members &&
    !property.transformed &&
    !property.members.has(converted)
  ) {
    const allowed = [...property.members].join(', ');
    findings.addBroken(
      path,
      'isEnum',
      `${property.inputName} must be one of the following values: ${allowed}`,
      true,
    );
  }
  return converted;
}

/** The member of an enum of texts and numbers that a text spells. */
function memberNamed(text: unknown, members: ReadonlySet<unknown>): unknown {
  if (text === undefined || members.has(text)) return text;
  return [...members].find((one) => String(one) === text) ?? text;
}

/** One text as a declared kind; `undefined`, and a finding, if it does not spell one. */
export function convertText(
  value: unknown,
  kind: ValueKind,
  named: { readonly inputName: string; readonly integer: boolean },
  path: InputPath | undefined,
  findings: Findings,
): unknown {
  const expected = kind === 'any' ? 'string' : kind;
  const converted = typeof value === 'string' ? parseText(value, kind, named.integer) : undefined;
  if (converted === undefined) addWrongKind(path, named, expected, findings, true);
  return converted;
}
