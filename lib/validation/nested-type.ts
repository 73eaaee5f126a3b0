import type { DtoClass, TypeMetadata } from './transformer-storage.js';

/** The class of a nested value; which one may hang on the value. */
export interface NestedType {
  /** The class for a raw value, or `undefined` if it names none of the classes that it may be. */
  readonly classFor: (value: object, owner: object) => DtoClass | undefined;
  /** The class, if it hangs on nothing. */
  readonly fixed: DtoClass | undefined;
  /** A member of the raw value that says which class it is, and is taken out before the rules run. */
  readonly discriminator: string | undefined;
  /** Every class that is known without a value. */
  readonly classes: readonly DtoClass[];
}

/** What `@Type()` names whatever the value is; without an argument it takes the emitted type. */
export function staticTypeOf(type: TypeMetadata | undefined): unknown {
  if (!type?.typeFunction) return type?.reflectedType;
  return type.typeFunction.length === 0
    ? type.typeFunction({ newObject: {}, object: {}, property: '' })
    : undefined;
}

/** What `@Type()` says of a property that `@ValidateNested()` is on. */
export function nestedType(type: TypeMetadata, property: string): NestedType {
  const { discriminator, keepDiscriminatorProperty } = type.options ?? {};
  if (!discriminator) {
    const named = staticTypeOf(type);
    const fixed = isDtoClass(named) ? named : undefined;
    const classOf = (owner: object): DtoClass | undefined => {
      const chosen = type.typeFunction?.({ newObject: {}, object: owner, property });
      return isDtoClass(chosen) ? chosen : undefined;
    };
    const classes = fixed ? [fixed] : [];
    return { classFor: (_, owner) => fixed ?? classOf(owner), fixed, discriminator: undefined, classes };
  }
  const subTypes = new Map(discriminator.subTypes.map(({ name, value }) => [name, value]));
  return {
    classFor: (value) =>
      Object.hasOwn(value, discriminator.property)
        ? subTypes.get((value as Record<string, string>)[discriminator.property]!)
        : undefined,
    discriminator: keepDiscriminatorProperty === true ? undefined : discriminator.property,
    fixed: undefined,
    classes: [...subTypes.values()],
  };
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
  Uint8Array,
  RegExp,
  URL,
]);

/** Whether a type is a class of the application's, and no built-in one. */
export function isDtoClass(type: unknown): type is DtoClass {
  return typeof type === 'function' && !BUILT_IN.has(type);
}
