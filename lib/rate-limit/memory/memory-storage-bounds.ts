import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';

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

function isKeyCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= MIN_KEYS && Number(value) <= MAX_KEYS;
}
