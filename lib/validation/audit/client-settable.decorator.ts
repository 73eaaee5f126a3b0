import { createMarker } from './marker.js';

const marker = createMarker('client-settable');

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
  return marker.decorator();
}

/** @internal */
export const isClientSettable = marker.isOn;
