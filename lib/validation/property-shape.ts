import { ANY_NAMES_RULE } from './any-names.decorator.js';
import { constraintsOf } from './compiled/rules-of.js';
import { isTextRule } from './formats/format-rule.js';
import { isNullableCondition } from './is-nullable.decorator.js';
import { type NestedType, nestedType, staticTypeOf } from './nested-type.js';
import { isTextTransform } from './sanitize/text-transform.js';
import { type DtoClass, PLAIN_TO_CLASS, transformerStorage } from './transformer-storage.js';
import { enumMembers, kindOfConstructor, kindOfMembers, type ValueKind } from './value-kinds.js';

export { isDtoClass, type NestedType } from './nested-type.js';

/** One of class-validator's rules for a property. */
export interface Rule {
  readonly propertyName: string;
  readonly type: string;
  readonly name?: string | undefined;
  readonly each?: boolean | undefined;
  readonly message?: unknown;
  readonly constraints?: readonly unknown[] | undefined;
  readonly constraintCls?: unknown;
  readonly validateIf?: ((object: object, value: unknown) => boolean) | undefined;
}

/** `either` where neither the emitted type nor a rule tells. */
export type ListMode = 'no' | 'yes' | 'either';

/** What is known of one property, apart from what its rules say of a value of the right kind. */
export interface PropertyShape {
  /** Its name in the class. */
  readonly name: string;
  /** Its name on the wire. */
  readonly inputName: string;
  /** Its place among the declared properties. */
  readonly order: number;
  readonly list: ListMode;
  /** Of nested classes in lists of their own: `@IsArray({ each: true })` says so, the emitted type does not. */
  readonly listOfLists: boolean;
  /** What a body has to hold here, in the list if it is one. */
  readonly bodyKind: ValueKind;
  /** The type that alone makes a value right here, whatever the rules say of it then. */
  readonly plainType: 'string' | 'number' | 'boolean' | undefined;
  /** What the text of a query or path parameter is converted to. */
  readonly textKind: ValueKind;
  readonly integer: boolean;
  readonly nullable: boolean;
  /** Objects in it that no class describes may have names that databases take for operators. */
  readonly anyNames: boolean;
  /** What `@Type()` makes class-transformer convert the value, or each item, to. */
  readonly typedAs: ValueKind | undefined;
  /** class-transformer converts the value by `@Type()` or `@Transform()`: a wrong one must not get there. */
  readonly converted: boolean;
  /** The application converts it itself. */
  readonly transformed: boolean;
  /** A decorator of ours changes its texts, which stay texts: `@Trim()` and the like. */
  readonly changesText: boolean;
  /** Highest number of items that a rule allows: looked at before the items are (PITFALL V11). */
  readonly maxItems: number | undefined;
  /** The members of an enum that `@IsEnum()` would take for more than they are. */
  readonly members: ReadonlySet<unknown> | undefined;
  readonly nested: NestedType | undefined;
  /** A `Set` or `Map` of nested classes, which class-transformer fills without any check. */
  readonly unsupported: boolean;
  /** The emitted type, for the check at boot. */
  readonly designType: unknown;
  /** class-validator's rules by the key under which it reports them. */
  readonly rules: ReadonlyMap<string, readonly Rule[]>;
}

const NESTED = 'nestedValidation';
const CONDITION = 'conditionalValidation';
const LIST_RULE = /^array|^isArray$/;
const NUMBER_RULES: ReadonlySet<string> = new Set([
  'isInt',
  'isNumber',
  'isPositive',
  'isNegative',
  'min',
  'max',
  'isDivisibleBy',
]);
/** Rules about the text of a date: a property that has one stays text. */
const DATE_TEXT_RULES: ReadonlySet<string> = new Set([
  'isDateString',
  'isIso8601',
  'isISO8601',
  'isRFC3339',
  'isRfc3339',
]);

/** Reads one property's shape from its rules, `@Type()`, `@Transform()` and its emitted type. */
export function propertyShape(
  dto: DtoClass,
  name: string,
  inputName: string,
  order: number,
  ownRules: readonly Rule[],
): PropertyShape {
  const designType: unknown = Reflect.getMetadata('design:type', dto.prototype as object, name);
  const type = transformerStorage.findTypeMetadata(dto, name);
  const transforms = transformerStorage.findTransformMetadatas(dto, name, PLAIN_TO_CLASS);
  const transformed = transforms.some(({ transformFn }) => !isTextTransform(transformFn));
  const rules = byKey(ownRules);
  const isNested = rules.has(NESTED);
  const named = kindOfConstructor(staticTypeOf(type));
  const kind = named ?? declaredKind(designType, rules);
  const collection = designType === Set || designType === Map;
  const members = numericEnumMembers(rules.get('isEnum')?.[0]?.constraints?.[0]);
  const list = listMode(designType, ownRules);
  // A conversion of the application's own takes what it likes, but one to text is nearly always one from text.
  const bodyKind = named ?? (designType === Date || (transformed && kind !== 'string') ? 'any' : kind);
  const unsupported = collection && type !== undefined && !transformed;
  const isPlain = list !== 'yes' && !isNested && !unsupported && members === undefined;
  return {
    name,
    inputName,
    order,
    list,
    listOfLists: isNested && rules.get('isArray')?.some(({ each }) => each === true) === true,
    bodyKind,
    plainType: isPlain && bodyKind !== 'any' && bodyKind !== 'date' ? bodyKind : undefined,
    textKind: named ?? (transformed ? 'any' : textKindOf(kind, rules, members)),
    integer: rules.has('isInt') || (members !== undefined && [...members].every(Number.isInteger)),
    typedAs: named,
    anyNames: rules.has(ANY_NAMES_RULE),
    nullable: ownRules.some((rule) => rule.type === CONDITION && isNullableCondition(rule.constraints)),
    converted: transformed || type !== undefined,
    transformed,
    changesText: transforms.some(({ transformFn }) => isTextTransform(transformFn)),
    maxItems: maxItemsOf(rules.get('arrayMaxSize') ?? []),
    members,
    nested: isNested && type && !named ? nestedType(type, name) : undefined,
    unsupported,
    designType,
    rules,
  };
}

function byKey(rules: readonly Rule[]): Map<string, Rule[]> {
  const map = new Map<string, Rule[]>();
  for (const rule of rules) {
    const key = rule.name ?? constraintsOf(rule)[0]?.name ?? rule.type;
    map.set(key, [...(map.get(key) ?? []), rule]);
  }
  return map;
}

/** A rule with `each` is about the lists in a list, not about how many there are. */
function maxItemsOf(rules: readonly Rule[]): number | undefined {
  const sizes = rules.filter(({ each }) => each !== true).map(({ constraints }) => constraints?.[0]);
  const numbers = sizes.filter((size) => typeof size === 'number');
  return numbers.length > 0 ? Math.min(...numbers) : undefined;
}

/** Members of a numeric enum are numbers, also where a list hides the type that is emitted of one. */
function textKindOf(
  kind: ValueKind,
  rules: ReadonlyMap<string, unknown>,
  members: ReadonlySet<unknown> | undefined,
): ValueKind {
  if (kind === 'date' && hasAny(rules, DATE_TEXT_RULES)) return 'string';
  return kind === 'any' && members ? kindOfMembers(members) : kind;
}

function hasAny(rules: ReadonlyMap<string, unknown>, names: ReadonlySet<string>): boolean {
  return [...rules.keys()].some((name) => names.has(name));
}

function listMode(designType: unknown, rules: readonly Rule[]): ListMode {
  if (designType === Array || designType === Set) return 'yes';
  if (kindOfConstructor(designType) || (typeof designType === 'function' && designType !== Object))
    return 'no';
  if (rules.some((rule) => LIST_RULE.test(rule.name ?? ''))) return 'yes';
  return rules.some(({ each }) => each === true) ? 'either' : 'no';
}

function declaredKind(designType: unknown, rules: ReadonlyMap<string, unknown>): ValueKind {
  const kind = kindOfConstructor(designType);
  if (kind !== undefined) return kind;
  // Some compilers emit an enum itself where others emit the type of its members.
  if (typeof designType === 'object' && designType !== null) return kindOfMembers(enumMembers(designType));
  if (designType !== Array && designType !== Object && designType !== undefined) return 'any';
  if (hasAny(rules, NUMBER_RULES)) return 'number';
  if (rules.has('isBoolean')) return 'boolean';
  if (rules.has('isString') || [...rules.keys()].some(isTextRule)) return 'string';
  return 'any';
}

/** `@IsEnum()` of a numeric enum also lets the names pass that it maps back from (R-IV-14). */
function numericEnumMembers(type: unknown): ReadonlySet<unknown> | undefined {
  if (typeof type !== 'object' || type === null) return undefined;
  const members = enumMembers(type);
  return members.size < Object.keys(type).length ? members : undefined;
}
