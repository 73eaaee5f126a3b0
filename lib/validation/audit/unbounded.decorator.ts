import { createMarker } from './marker.js';

const marker = createMarker('unbounded');

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
  return marker.decorator();
}

/** @internal */
export const isUnbounded = marker.isOn;
