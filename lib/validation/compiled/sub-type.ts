import type { SubType, TypeMetadata } from '../transformer-storage.js';

/** A `@Type()` with a discriminator: a member of the value says which class it is. */
export interface DiscriminatedType extends TypeMetadata {
  readonly options: {
    readonly keepDiscriminatorProperty?: boolean;
    readonly discriminator: { readonly property: string; readonly subTypes: readonly SubType[] };
  };
}

/** Whether a type hangs on a discriminator. */
export function isDiscriminated(type: unknown): type is DiscriminatedType {
  if (typeof type !== 'object' || type === null) return false;
  const discriminator = (type as TypeMetadata).options?.discriminator;
  return Boolean(discriminator?.property && discriminator.subTypes);
}

/** The class that a single value says it is. The member that says so is taken out of the value. */
export function subTypeOf(value: unknown, { options }: DiscriminatedType): unknown {
  const { property, subTypes } = options.discriminator;
  if (!(value instanceof Object) || !(property in value)) return undefined;
  const raw = value as Record<string, unknown>;
  const found = named(subTypes, raw, property);
  if (!options.keepDiscriminatorProperty) delete raw[property];
  return found?.value;
}

/** The class of an item of a list: any value is asked, and one that can have no members is an error. */
export function subTypeOfItem(value: unknown, type: DiscriminatedType, items: unknown): unknown {
  const { discriminator, keepDiscriminatorProperty } = type.options;
  const raw = value as Record<string, unknown>;
  const found = named(discriminator.subTypes, raw, discriminator.property);
  const fallback = type.typeFunction!({ newObject: items, object: value, property: undefined });
  if (!keepDiscriminatorProperty) delete raw[discriminator.property];
  return found === undefined ? fallback : found.value;
}

function named(
  subTypes: readonly SubType[],
  raw: Record<string, unknown>,
  property: string,
): SubType | undefined {
  for (const subType of subTypes) if (subType.name === raw[property]) return subType;
  return undefined;
}
