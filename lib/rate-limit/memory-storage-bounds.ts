import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { MAX_LIMIT, MAX_WINDOW_MS } from '../policy/limit-spec.js';
import type { LimitCharge } from './rate-limit-storage.js';

export const DEFAULT_MAX_KEYS = 100_000;
const MIN_KEYS = 1_000;
const MAX_KEYS = 10_000_000;

/** Reports options that are no options or out of bounds. */
export function checkMemoryRateLimitStorageOptions(
  options: { readonly maxKeys?: number },
  where: string,
  problems: ConfigurationProblems,
): void {
  if (options.maxKeys !== undefined && !isKeyCount(options.maxKeys)) {
    problems.add(
      'rate-limit.max-keys',
      `${where}.maxKeys`,
      `is no whole number from ${MIN_KEYS} to ${MAX_KEYS}`,
      `leave it out for ${DEFAULT_MAX_KEYS}, or give as many counters as there are clients at once`,
    );
  }
}

/** @throws RangeError */
export function assertKeyCount(maxKeys: number): void {
  if (!isKeyCount(maxKeys)) throw new RangeError(`maxKeys must be whole, ${MIN_KEYS} to ${MAX_KEYS}`);
}

/** @throws RangeError for what 32 bits could not count: anything else would be cut off, and the limit with it */
export function assertCountable({ meter: { limit, burst, windowMs }, cost }: LimitCharge): void {
  if (cost >>> 0 !== cost) throw new RangeError(`a cost must be a whole number, not ${cost}`);
  if (limit >>> 0 !== limit || limit > MAX_LIMIT || burst >>> 0 !== burst || burst > MAX_LIMIT)
    throw new RangeError(`a limit must be whole, 0 to ${MAX_LIMIT}, not ${limit}`);
  if (windowMs >>> 0 !== windowMs || windowMs < 1 || windowMs > MAX_WINDOW_MS)
    throw new RangeError(`a window must be whole milliseconds up to 31 days, not ${windowMs}`);
}

function isKeyCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= MIN_KEYS && Number(value) <= MAX_KEYS;
}
