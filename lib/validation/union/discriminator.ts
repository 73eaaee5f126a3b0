import { shapeOf } from '../dto-shape.js';
import type { PropertyShape } from '../property-shape.js';
import type { DtoClass } from '../transformer-storage.js';
import { enumMembers } from '../value-kinds.js';

/** How the classes of a union are told apart. */
export interface Discrimination {
  readonly classes: ReadonlyMap<unknown, DtoClass>;
  /** All values, for people. */
  readonly values: string;
  /** Why they cannot be. */
  readonly fault: string | undefined;
}

/** Reads from the classes' rules which values of a property belong to which of them. */
export function discriminate(types: readonly DtoClass[], discriminator: string): Discrimination {
  const classes = new Map<unknown, DtoClass>();
  let fault: string | undefined;
  for (const type of types) {
    const property = shapeOf(type).properties.get(discriminator);
    const values = property ? valuesOf(property) : [];
    if (values.length === 0)
      fault ??= `${type.name} does not say which values of ${discriminator} are its own`;
    for (const value of values) {
      const other = classes.get(value);
      if (other && other !== type)
        fault ??= `${other.name} and ${type.name} share the value ${String(value)} of ${discriminator}`;
      classes.set(value, type);
    }
  }
  return { classes, values: [...classes.keys()].map(String).join(', '), fault };
}

function valuesOf({ rules }: PropertyShape): readonly unknown[] {
  const equals = rules.get('equals')?.[0]?.constraints;
  if (equals) return [equals[0]];
  const isIn: unknown = rules.get('isIn')?.[0]?.constraints?.[0];
  if (Array.isArray(isIn)) return isIn;
  const isEnum: unknown = rules.get('isEnum')?.[0]?.constraints?.[0];
  return typeof isEnum === 'object' && isEnum !== null ? [...enumMembers(isEnum)] : [];
}
