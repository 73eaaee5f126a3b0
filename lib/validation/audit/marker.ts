import type { PropertyShape } from '../property-shape.js';
import { classValidator } from '../validation-packages.js';

/** Something that a property says of itself to the check at boot. */
export interface Marker {
  readonly decorator: () => PropertyDecorator;
  readonly isOn: (property: PropertyShape) => boolean;
}

/**
 * A marker in the guise of a condition that always holds: as a part of the rules it survives inheritance and mapped types.
 *
 * @param name known to every copy of this module that may be loaded
 */
export function createMarker(name: string): Marker {
  const key = Symbol.for(`nestjs-api-security.${name}`);
  const condition = Object.assign(() => true, { [key]: true });
  const isOurs = (constraint: unknown): boolean => typeof constraint === 'function' && key in constraint;
  return {
    decorator: () => classValidator().ValidateIf(condition),
    isOn: ({ rules }) =>
      (rules.get('conditionalValidation') ?? []).some(({ constraints }) => isOurs(constraints?.[0])),
  };
}
