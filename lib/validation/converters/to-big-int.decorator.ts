import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';

import { classValidator } from '../validation-packages.js';

/** Bounds of {@link ToBigInt}. */
export interface BigIntOptions {
  /** −2^63 by default. */
  readonly min?: bigint;
  /** 2^63−1 by default. */
  readonly max?: bigint;
  /** In place of ours. */
  readonly message?: string;
}

const INTEGER = /^(?:0|-?[1-9]\d*)$/;

/**
 * A whole number beyond what JSON numbers hold: text on the wire, in bodies too, a `bigint` in the handler (R-IV-07, R-IV-12).
 * Written as JSON writes integers: no sign but `-`, no leading zeros, no `-0`. Breaks the rule `isBigInt` otherwise, or
 * outside the bounds.
 *
 * @example
 * @ToBigInt({ min: 1n })
 * id!: bigint;
 */
export function ToBigInt({
  min = -(2n ** 63n),
  max = 2n ** 63n - 1n,
  message,
}: BigIntOptions = {}): PropertyDecorator {
  // No number within the bounds needs more characters, and long ones take long to read.
  const longest = Math.max(min.toString().length, max.toString().length);
  const convert = (value: unknown): unknown =>
    typeof value === 'string' && value.length <= longest && INTEGER.test(value) ? BigInt(value) : value;
  const rule = classValidator().ValidateBy(
    {
      name: 'isBigInt',
      validator: {
        validate: (value: unknown) => typeof value === 'bigint' && value >= min && value <= max,
        defaultMessage: () => `$property must be a whole number from ${min} to ${max}, written as text`,
      },
    },
    message === undefined ? {} : { message },
  );
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => convert(value), { toClassOnly: true }),
    rule,
  );
}
