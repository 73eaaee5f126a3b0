import { MAX_LIMIT, MAX_WINDOW_MS } from '../policy/limit-spec.js';
import type { LimitCharge } from './rate-limit-storage.js';

/** @throws RangeError for what 32 bits could not count: anything else would be cut off, and the limit with it */
export function assertCountable({ meter: { limit, burst, windowMs }, cost }: LimitCharge): void {
  if (cost >>> 0 !== cost) throw new RangeError(`a cost must be a whole number, not ${cost}`);
  if (limit >>> 0 !== limit || limit > MAX_LIMIT || burst >>> 0 !== burst || burst > MAX_LIMIT)
    throw new RangeError(`a limit must be whole, 0 to ${MAX_LIMIT}, not ${limit}`);
  if (windowMs >>> 0 !== windowMs || windowMs < 1 || windowMs > MAX_WINDOW_MS)
    throw new RangeError(`a window must be whole milliseconds up to 31 days, not ${windowMs}`);
}
