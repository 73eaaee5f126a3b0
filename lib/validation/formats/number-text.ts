import { type RuleOptions, textRule } from './format-rule.js';

const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/;
const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const E164 = /^\+[1-9]\d{6,14}$/;
const E164_LENGTH = 16;

/** How many digits a number may have. */
export interface DecimalStringOptions {
  /** Before the point; 15 by default. */
  readonly maxIntegerDigits?: number;
  /** Behind it; 6 by default, 0 for none. */
  readonly maxFractionDigits?: number;
  /** Lets it be below zero; refused by default, because amounts rarely are. */
  readonly negative?: boolean;
}

/**
 * Whether a text is a decimal number that survives being stored: no plus sign, leading zero, exponent, bare point or minus zero,
 * and no more digits than the place it goes to has. For money and other numbers that must not be rounded.
 *
 * @example
 * isDecimalString('19.90', { maxFractionDigits: 2 }); // true
 * isDecimalString('+01.'); // false
 */
export function isDecimalString(
  text: string,
  { maxIntegerDigits = 15, maxFractionDigits = 6, negative = false }: DecimalStringOptions = {},
): boolean {
  if (text.length > maxIntegerDigits + maxFractionDigits + '-.'.length) return false;
  const [, sign, whole, fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === undefined || whole.length > maxIntegerDigits || fraction.length > maxFractionDigits)
    return false;
  return sign === '' || (negative && /[1-9]/.test(text));
}

/** The text is a decimal number: see {@link isDecimalString}. */
export function IsDecimalString(options: DecimalStringOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const { maxFractionDigits: places = 6 } = options;
  const says = `must be a decimal number with at most ${places} decimal places`;
  return textRule('isDecimalString', (text) => isDecimalString(text, options), says, rule);
}

/** Between which numbers an integer written as text lies. */
export interface BigIntStringOptions {
  /** 0 by default. */
  readonly min?: bigint;
  /** 2^63−1 by default, the highest that databases commonly hold. */
  readonly max?: bigint;
}

const MAX_INT64 = 9_223_372_036_854_775_807n;

/**
 * Whether a text is a whole number of any size within bounds: what a JSON number would round (R-IV-07).
 *
 * @example
 * isBigIntString('9007199254740993'); // true
 */
export function isBigIntString(
  text: string,
  { min = 0n, max = MAX_INT64 }: BigIntStringOptions = {},
): boolean {
  const longest = Math.max(String(min).length, String(max).length);
  if (text.length > longest || !INTEGER.test(text) || text === '-0') return false;
  const value = BigInt(text);
  return value >= min && value <= max;
}

/** The text is a whole number within bounds: see {@link isBigIntString}. */
export function IsBigIntString(options: BigIntStringOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const { min = 0n, max = MAX_INT64 } = options;
  const says = `must be a whole number from ${min} to ${max}`;
  return textRule('isBigIntString', (text) => isBigIntString(text, options), says, rule);
}

/**
 * Whether a text is an international telephone number of ITU-T E.164: `+` and 7 to 15 digits, no spaces, brackets or extension.
 * Whether somebody has that number only calling it tells.
 *
 * @example
 * isE164('+493012345678'); // true
 * isE164('+49 30 12345678'); // false
 */
export function isE164(text: string): boolean {
  return text.length <= E164_LENGTH && E164.test(text);
}

/** The text is an international telephone number: see {@link isE164}. */
export function IsE164(rule?: RuleOptions): PropertyDecorator {
  return textRule('isE164', isE164, 'must be a telephone number as +493012345678', rule);
}
