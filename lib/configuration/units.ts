/** A duration: milliseconds, or a number with a unit such as `'30s'`, `'15m'`, `'1h'`, `'14d'`, `'250ms'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A size: bytes, or a number with a unit such as `'100kb'` or `'1mb'` (1 kb is 1024 bytes). */
export type ByteSize = number | `${number}${'b' | 'kb' | 'mb'}`;

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { b: 1, kb: 1_024, mb: 1_048_576 } as const;

/** Milliseconds of a duration, or `undefined` if it is none. */
export function parseDuration(value: unknown): number | undefined {
  return parseQuantity(value, MILLISECONDS);
}

/** Bytes of a size, or `undefined` if it is none. */
export function parseByteSize(value: unknown): number | undefined {
  return parseQuantity(value, BYTES);
}

function parseQuantity(value: unknown, units: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{1,12})([a-z]{1,2})$/.exec(value);
  const factor = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined;
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}
