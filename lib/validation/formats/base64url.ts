import { type RuleOptions, textRule } from './format-rule.js';

const ALPHABET = /^[\w-]*$/;
/** Of the last character only so many bits count; the others must be zero. */
const LAST_OF_TWO = /[AQgw]$/;
const LAST_OF_THREE = /[AEIMQUYcgkosw048]$/;

/** How many bytes the text stands for. */
export interface Base64UrlOptions {
  /** 1 by default. */
  readonly minBytes?: number;
  /** 65 536 by default. */
  readonly maxBytes?: number;
}

/**
 * Whether a text is base64url of RFC 4648 §5 in its one canonical form: no padding, and no bits set that no byte uses (§3.5), so
 * that the same bytes never come as two texts (R-IV-15).
 *
 * @example
 * isBase64Url('AQ'); // true
 * isBase64Url('AR'); // false: the same byte, written differently
 */
export function isBase64Url(
  text: string,
  { minBytes = 1, maxBytes = 65_536 }: Base64UrlOptions = {},
): boolean {
  const bytes = Math.floor((text.length * 3) / 4);
  if (bytes > maxBytes || bytes < minBytes || !ALPHABET.test(text)) return false;
  const rest = text.length % 4;
  if (rest === 1) return false;
  return rest === 0 || (rest === 2 ? LAST_OF_TWO : LAST_OF_THREE).test(text);
}

/** The text is base64url: see {@link isBase64Url}. */
export function IsBase64Url(options: Base64UrlOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('isBase64Url', (text) => isBase64Url(text, options), 'must be base64url', rule);
}
