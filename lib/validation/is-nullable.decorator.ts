import { classValidator } from './validation-packages.js';

// Shapes know a nullable property by this very function: as a part of the rule it survives inheritance and mapped types.
const isNotNull = (_: unknown, value: unknown): boolean => value !== null;

/**
 * Lets a property be `null`; its other rules then do not apply. Without it `null` is refused, even under `@IsOptional()`,
 * which only lets a property be absent: leaving a value as it is and deleting it are two things that a client can mean
 * (PITFALL V7, R-IV-12).
 *
 * @example
 * @IsOptional()
 * @IsNullable()
 * @IsString()
 * nickname?: string | null;
 */
export function IsNullable(): PropertyDecorator {
  return classValidator().ValidateIf(isNotNull);
}

/** @internal Whether a condition among class-validator's rules is that of {@link IsNullable}. */
export function isNullableCondition(constraints: readonly unknown[] | undefined): boolean {
  return constraints?.[0] === isNotNull;
}
