import type { Type } from '@nestjs/common';

import { deriveDto } from './derive-dto.js';

/**
 * A class for partial updates: the rules of another one, with every property free to be absent. What is absent is not a key
 * of the instance, whatever initial values the other class has; `null` is a value and needs `@IsNullable()`; nested objects
 * are replaced as a whole (R-IV-13).
 *
 * @example
 * class UpdateUserDto extends partialOf(CreateUserDto) {}
 * // 'nickname' in changes: is to be changed, to null perhaps
 */
export function partialOf<T extends object>(dto: Type<T>): Type<Partial<T>> {
  class PartialDto {}
  Object.defineProperty(PartialDto, 'name', { value: `Partial${dto.name}` });
  deriveDto(PartialDto, dto, { optional: true });
  return PartialDto;
}
