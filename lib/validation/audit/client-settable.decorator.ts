import type { DtoClass } from '../transformer-storage.js';

const SETTABLE = Symbol('nestjs-api-security.client-settable');

/**
 * Says that clients are meant to set a property whose name is usually the server's, such as `role` or `ownerId` (R-IV-13).
 * The check at boot lists such properties of bodies that do not say so.
 *
 * @example
 * @ClientSettable()
 * @IsIn(['reader', 'writer'])
 * role!: string;
 */
export function ClientSettable(): PropertyDecorator {
  return (prototype, name) => Reflect.defineMetadata(SETTABLE, true, prototype, name);
}

/** @internal Also for a property that was marked in a parent class. */
export function isClientSettable(dto: DtoClass, name: string): boolean {
  return Reflect.getMetadata(SETTABLE, dto.prototype as object, name) === true;
}
