import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';

/** The shape that a JSON body may have (R-IV-04). */
export interface JsonLimitOptions {
  /** Nested arrays and objects; 20 by default, 1–100. */
  readonly maxDepth?: number;
  /** Members of all objects together; 1 000 by default, 1–100 000. */
  readonly maxKeys?: number;
  /** Items of one array; 1 000 by default, 1–100 000. */
  readonly maxItems?: number;
  /** Characters of a member name; 128 by default, 1–1 024. */
  readonly maxKeyLength?: number;
  /** Characters of a string; 102 400 by default, 1–10 485 760. */
  readonly maxStringLength?: number;
}

/** The same, complete. */
export type JsonLimits = Readonly<Required<JsonLimitOptions>>;

const BOUNDS: Readonly<Record<keyof JsonLimitOptions, readonly [byDefault: number, highest: number]>> = {
  maxDepth: [20, 100],
  maxKeys: [1_000, 100_000],
  maxItems: [1_000, 100_000],
  maxKeyLength: [128, 1_024],
  maxStringLength: [102_400, 10_485_760],
};

/** Fills in the defaults; what is out of bounds is reported. */
export function compileJsonLimits(
  options: JsonLimitOptions | undefined,
  problems: ConfigurationProblems,
): JsonLimits {
  const limits: Record<string, number> = {};
  for (const [name, [byDefault, highest]] of Object.entries(BOUNDS)) {
    const value = options?.[name as keyof JsonLimitOptions] ?? byDefault;
    if (!Number.isInteger(value) || value < 1 || value > highest) {
      problems.add(
        `body.json.${name}`,
        `body.json.${name}`,
        `is not a whole number from 1 to ${highest}`,
        `leave it out for ${byDefault}`,
      );
    }
    limits[name] = value;
  }
  return Object.freeze(limits) as unknown as JsonLimits;
}
