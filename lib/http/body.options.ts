import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type ByteSize, parseByteSize } from '../configuration/units.js';
import type { JsonLimitOptions } from './json/json-limits.js';

/** How much content a request may carry, and of what shape. */
export interface BodyOptions {
  /** Largest body of a route without `@BodyLimit()`: `'100kb'` by default, 1 byte … 100 MiB (R-IV-03). */
  readonly maxSize?: ByteSize;
  /** Shape limits of JSON bodies (R-IV-04). */
  readonly json?: JsonLimitOptions;
  /**
   * Codings in which JSON and form bodies may come, one at a time; none by default (R-IV-02). What is unpacked counts against
   * the same limit, and may be at most a hundred times as long as what was sent.
   */
  readonly encodings?: readonly BodyEncoding[];
}

/** A content coding that can be unpacked. */
export type BodyEncoding = 'gzip' | 'br';

const ENCODINGS: ReadonlySet<string> = new Set(['gzip', 'br'] satisfies BodyEncoding[]);

const DEFAULT_BYTES = 102_400;
/** No route reads more than this into memory. */
export const MAX_BODY_BYTES = 104_857_600;

/** The default limit in bytes; problems are reported, never thrown. */
export function compileMaxBody(options: BodyOptions | undefined, problems: ConfigurationProblems): number {
  if (options?.maxSize === undefined) return DEFAULT_BYTES;
  const bytes = parseByteSize(options.maxSize);
  if (bytes !== undefined && bytes >= 1 && bytes <= MAX_BODY_BYTES) return bytes;
  problems.add(
    'body.max-size',
    'body.maxSize',
    'is not a size of 1 byte to 100 MiB',
    "write bytes, or text such as '100kb' or '1mb'",
  );
  return DEFAULT_BYTES;
}

/** The codings to accept; problems are reported, never thrown. */
export function compileEncodings(
  options: BodyOptions | undefined,
  problems: ConfigurationProblems,
): readonly BodyEncoding[] {
  const encodings: readonly string[] = options?.encodings ?? [];
  if (!encodings.every((one) => ENCODINGS.has(one))) {
    problems.add(
      'body.encodings',
      'body.encodings',
      'names a coding that cannot be unpacked',
      "write 'gzip' or 'br', or leave it out for none",
    );
  }
  return Object.freeze([...(options?.encodings ?? [])]);
}
