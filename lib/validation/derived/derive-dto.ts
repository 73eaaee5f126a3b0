import { shapeOf } from '../dto-shape.js';
import type { PropertyShape, Rule } from '../property-shape.js';
import {
  CLASS_TO_PLAIN,
  type DtoClass,
  PLAIN_TO_CLASS,
  transformerStorage,
  type TypeMetadata,
} from '../transformer-storage.js';
import { classValidator } from '../validation-packages.js';
import { copyDocumentation } from './documentation.js';

/** How a class differs from the one whose rules it has. */
export interface Derivation {
  /** Which rules it keeps; all by default. A property that keeps none that looks at its value is not known to it. */
  readonly keeps?: (rule: Rule) => boolean;
  /** The class to take for a nested one. */
  readonly nested?: (dto: DtoClass) => DtoClass;
  /** Every property may be absent. */
  readonly optional?: boolean;
}

/** The class that the rules of a derived one come from. */
const bases = new WeakMap<DtoClass, DtoClass>();

/** The class that somebody wrote: of one that was derived, the one that its rules come from, and else itself. */
export function baseOf(dto: DtoClass): DtoClass {
  const base = bases.get(dto);
  return base === undefined ? dto : baseOf(base);
}

/**
 * Gives a class the rules, conversions and documentation of another one, without its initial values: what does not come in
 * is not there. It does not inherit, since class-validator could then not be told to leave rules out.
 */
export function deriveDto(derived: DtoClass, base: DtoClass, derivation: Derivation): void {
  bases.set(derived, base);
  for (const property of shapeOf(base).byName.values()) {
    const all = [...property.rules.values()].flat();
    const rules = all.filter(derivation.keeps ?? (() => true));
    // That a value may be absent is no rule that would look at one.
    if (!rules.some(isCheck) && (rules.length === 0 || all.some(isCheck))) continue;
    copyRules(derived, rules);
    copyConversions(derived, base, property, derivation.nested);
    const prototype = derived.prototype as object;
    if (derivation.optional === true) classValidator().IsOptional()(prototype, property.name);
    if (property.designType !== undefined)
      Reflect.defineMetadata('design:type', property.designType, prototype, property.name);
    copyDocumentation(derived, base, property.name, derivation.optional === true);
  }
  copyStrategy(derived, base);
}

/** Gives an instance of a derived class the values that the base sets itself: its rules are those of properties that have them. */
export function setInitialValues(instance: object, base: DtoClass, names: Iterable<string>): void {
  const initial = new (base as new () => Record<string, unknown>)();
  for (const name of names)
    if (Object.hasOwn(initial, name)) (instance as Record<string, unknown>)[name] = initial[name];
}

const isCheck = ({ type }: Rule): boolean => type !== 'conditionalValidation';

function copyRules(derived: DtoClass, rules: readonly Rule[]): void {
  const storage = classValidator().getMetadataStorage();
  for (const rule of rules) {
    const copy: unknown = Object.assign(Object.create(Reflect.getPrototypeOf(rule)) as object, rule, {
      target: derived,
    });
    storage.addValidationMetadata(copy as Parameters<typeof storage.addValidationMetadata>[0]);
  }
}

function copyConversions(
  derived: DtoClass,
  base: DtoClass,
  { name }: PropertyShape,
  nested: Derivation['nested'],
): void {
  const storage = transformerStorage;
  const type = storage.findTypeMetadata(base, name);
  if (type)
    storage.addTypeMetadata({
      ...(nested ? withNested(type, nested) : type),
      target: derived,
      propertyName: name,
    });
  const expose = storage.findExposeMetadata(base, name);
  if (expose) storage.addExposeMetadata({ ...expose, target: derived });
  const exclude = storage.findExcludeMetadata(base, name);
  if (exclude) storage.addExcludeMetadata({ ...exclude, target: derived });
  const transforms = new Set(
    [PLAIN_TO_CLASS, CLASS_TO_PLAIN].flatMap((to) => storage.findTransformMetadatas(base, name, to)),
  );
  // They are found last one first.
  for (const transform of [...transforms].toReversed())
    storage.addTransformMetadata({ ...transform, target: derived });
}

/** Whether all properties are exposed, or none, is said of the class as such. */
function copyStrategy(derived: DtoClass, base: DtoClass): void {
  const storage = transformerStorage;
  const strategy = storage.getStrategy(base);
  const whole = { target: derived, propertyName: undefined, options: {} };
  if (strategy === 'excludeAll') storage.addExcludeMetadata(whole);
  else if (strategy === 'exposeAll') storage.addExposeMetadata(whole);
}

function withNested(type: TypeMetadata, nested: (dto: DtoClass) => DtoClass): TypeMetadata {
  const { typeFunction, options } = type;
  const classFor = (named: unknown): unknown =>
    typeof named === 'function' && shapeOf(named as DtoClass).byName.size > 0
      ? nested(named as DtoClass)
      : named;
  const { discriminator } = options ?? {};
  return {
    ...type,
    // How many arguments it takes tells whether the class hangs on the value.
    ...(typeFunction && {
      typeFunction:
        typeFunction.length === 0
          ? () => classFor(typeFunction({ newObject: {}, object: {}, property: '' }))
          : (args: Parameters<typeof typeFunction>[0]) => classFor(typeFunction(args)),
    }),
    ...(discriminator && {
      options: {
        ...options,
        discriminator: {
          ...discriminator,
          subTypes: discriminator.subTypes.map((one) => ({ ...one, value: nested(one.value) })),
        },
      },
    }),
  };
}
