import 'reflect-metadata';

import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';

/** A class whose instances are validated. */
export type DtoClass = abstract new (...args: never[]) => object;

/** What a raw value has to be before any rule is asked. */
export type RawKind = 'string' | 'number' | 'boolean' | 'date';

/** What is known of one property, apart from its rules. */
export interface PropertyShape {
  readonly name: string;
  /** Class of the value, or of its items. */
  readonly nested: DtoClass | undefined;
  readonly isArray: boolean;
  /** Converted by class-transformer to this, so it must be this already in a body. */
  readonly kind: RawKind | undefined;
  readonly integer: boolean;
  /** `null` is a value of it. */
  readonly nullable: boolean;
  /** Highest number of items that a rule allows: looked at before the items are. */
  readonly maxItems: number | undefined;
  /** class-transformer makes a `Date` of the text. */
  readonly becomesDate: boolean;
  /** The declared type itself, for the check at boot. */
  readonly designType: unknown;
  readonly isValidatedNested: boolean;
}

/** Everything that a class declares, worked out once. */
export interface DtoShape {
  readonly properties: ReadonlyMap<string, PropertyShape>;
  /** Properties in the order in which they are declared. */
  readonly order: readonly string[];
}

const shapes = new WeakMap<DtoClass, DtoShape>();
const NULLABLE = 'nestjs-api-security:nullable';

/** @internal Written by `@IsNullable()`. */
export function markNullable(target: object, property: string | symbol): void {
  Reflect.defineMetadata(NULLABLE, true, target, property);
}

/** The shape of a class; one without any rule has no properties. */
export function shapeOf(dto: DtoClass): DtoShape {
  let shape = shapes.get(dto);
  if (shape === undefined) shapes.set(dto, (shape = readShape(dto)));
  return shape;
}

/** class-validator's metadata of one rule. */
export interface Rule {
  readonly propertyName: string;
  readonly type: string;
  readonly name?: string | undefined;
  readonly constraints: readonly unknown[];
  readonly each?: boolean;
  readonly constraintCls?: unknown;
  readonly validateIf?: (object: object, value: unknown) => boolean;
}

/** Every rule of a class, inherited ones included. */
export function rulesOf(dto: DtoClass): readonly Rule[] {
  return getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false) as unknown as Rule[];
}

function readShape(dto: DtoClass): DtoShape {
  const byProperty = new Map<string, Rule[]>();
  for (const rule of rulesOf(dto))
    byProperty.set(rule.propertyName, [...(byProperty.get(rule.propertyName) ?? []), rule]);
  const properties = new Map<string, PropertyShape>();
  for (const [name, own] of byProperty) {
    const shape = propertyShape(dto, name, own);
    // `@Expose({ name })` gives a property another name on the wire.
    const exposed = defaultMetadataStorage.findExposeMetadata(dto, name)?.options.name;
    properties.set(exposed ?? name, Object.freeze(shape));
  }
  return Object.freeze({ properties, order: Object.freeze([...properties.keys()]) });
}

function propertyShape(dto: DtoClass, name: string, rules: readonly Rule[]): PropertyShape {
  const prototype = dto.prototype as object;
  const designType: unknown = Reflect.getMetadata('design:type', prototype, name);
  const typed: unknown = defaultMetadataStorage.findTypeMetadata(dto, name)?.typeFunction();
  const isValidatedNested = rules.some(({ type }) => type === 'nestedValidation');
  const maxItems = rules.find((rule) => rule.name === 'arrayMaxSize')?.constraints[0];
  return {
    name,
    nested: isValidatedNested && isDtoClass(typed) ? typed : undefined,
    isArray: designType === Array,
    kind: kindOf(typed) ?? kindOf(designType),
    integer: rules.some((rule) => rule.name === 'isInt'),
    nullable: Reflect.getMetadata(NULLABLE, prototype, name) === true,
    maxItems: typeof maxItems === 'number' ? maxItems : undefined,
    becomesDate: typed === Date,
    designType,
    isValidatedNested,
  };
}

function kindOf(type: unknown): RawKind | undefined {
  switch (type) {
    case String:
      return 'string';
    case Number:
      return 'number';
    case Boolean:
      return 'boolean';
    case Date:
      return 'date';
    default:
      return undefined;
  }
}

const BUILT_IN: ReadonlySet<unknown> = new Set([
  Object,
  Array,
  String,
  Number,
  Boolean,
  Date,
  Function,
  Symbol,
  BigInt,
  Map,
  Set,
  Promise,
  Buffer,
]);

/** Whether a type is a class of the application's, and no built-in one. */
export function isDtoClass(type: unknown): type is DtoClass {
  return typeof type === 'function' && !BUILT_IN.has(type);
}
