import type { DtoClass } from '../transformer-storage.js';

const UNBOUNDED = Symbol('nestjs-api-security.unbounded');

/**
 * Says that a property is meant to take what the check at boot would list: text of any length, any number, any value. What
 * bounds it then is the size and shape of the body alone.
 *
 * @example
 * @Unbounded()
 * @IsObject()
 * metadata!: Record<string, unknown>;
 */
export function Unbounded(): PropertyDecorator {
  return (prototype, name) => Reflect.defineMetadata(UNBOUNDED, true, prototype, name);
}

/** @internal Also for a property that was marked in a parent class. */
export function isUnbounded(dto: DtoClass, name: string): boolean {
  return Reflect.getMetadata(UNBOUNDED, dto.prototype as object, name) === true;
}
