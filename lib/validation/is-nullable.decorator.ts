import { ValidateIf } from 'class-validator';

import { markNullable } from './dto-shape.js';

/**
 * Lets `null` be a value of a property. `@IsOptional()` only lets it be absent: leaving a value as it is and deleting it are
 * two things that a client can mean (PITFALL V7).
 */
export function IsNullable(): PropertyDecorator {
  const skipNull = ValidateIf((_object, value) => value !== null);
  return (target, property) => {
    skipNull(target, property as string);
    markNullable(target, property);
  };
}
