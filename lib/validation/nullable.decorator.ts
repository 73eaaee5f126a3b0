import { ValidateIf } from 'class-validator';

// Shapes know a nullable property by this very function: it survives inheritance and mapped types as part of the rule.
const isNotNull = (_: unknown, value: unknown): boolean => value !== null;

/**
 * Lets a property be `null`; its other rules then do not apply. Without it `null` is refused, even under `@IsOptional()`,
 * which only lets a property be absent (R-IV-12).
 *
 * @example
 * @IsOptional()
 * @IsNullable()
 * @IsString()
 * nickname?: string | null;
 */
export const IsNullable = (): PropertyDecorator => ValidateIf(isNotNull);

/** Whether a condition among class-validator's rules is that of {@link IsNullable}. */
export function isNullableCondition(constraints: readonly unknown[] | undefined): boolean {
  return constraints?.[0] === isNotNull;
}
