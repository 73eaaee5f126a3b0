import { hasRefusedText } from '../../http/json/text-rules.js';
import { type RuleOptions, textRule } from '../formats/format-rule.js';
import { countCodePoints } from './code-points.js';

/** Characters that turn the direction of what is around them, and others that no text needs: they make a text look like another. */
const DECEIVING = /[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/;
/** Tags draw nothing; in flags of regions they follow a black flag and end with a cancel tag. */
const FLAG = /\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f}/gu;
const TAG = /[\u{e0000}-\u{e007f}]/u;
const LINE_END = /[\r\n\u2028\u2029]/;

/** What a text may look like. */
export interface PlainTextOptions {
  /** Characters as Unicode counts them; 0 by default. */
  readonly minLength?: number;
  /** Characters as Unicode counts them; 1 000 by default. */
  readonly maxLength?: number;
  /** Lets it have tabs and line ends; refused by default. */
  readonly multiline?: boolean;
}

/**
 * Whether a text is text for people: no control characters, no broken surrogates, nothing that hides or turns what is written. Every
 * other text passes, `O'Brien`, `<3` and `'; DROP TABLE` included, and is kept as it is: it becomes dangerous only where it is written
 * into HTML, SQL or a header, and there it has to be escaped or passed as a parameter (R-IV-22).
 *
 * @example
 * isPlainText('1 < 2 && "quoted"'); // true
 * isPlainText('invoice\u202efdp.exe'); // false
 */
export function isPlainText(text: string, options: PlainTextOptions = {}): boolean {
  const { minLength = 0, maxLength = 1_000, multiline = false } = options;
  if (text.length > 2 * maxLength) return false;
  const length = countCodePoints(text);
  if (length < minLength || length > maxLength || hasRefusedText(text)) return false;
  if (!multiline && (LINE_END.test(text) || text.includes('\t'))) return false;
  if (DECEIVING.test(text)) return false;
  return !TAG.test(text) || !TAG.test(text.replaceAll(FLAG, ''));
}

/**
 * The text is text and no markup: see {@link isPlainText}. It is not changed. For HTML that you want to keep as such there is
 * `@SanitizeHtml()` of `nestjs-api-security/sanitize-html`.
 *
 * @example
 * @PlainText({ maxLength: 500, multiline: true })
 * comment!: string;
 */
export function PlainText(options: PlainTextOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const { minLength = 0, maxLength = 1_000, multiline = false } = options;
  const says = `must be ${multiline ? 'text' : 'one line of text'} of ${minLength} to ${maxLength} characters`;
  return textRule('plainText', (text) => isPlainText(text, options), says, rule);
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * A text as it has to be written between HTML tags, or into an attribute's value in quotes. Not for scripts, styles, URLs or
 * attributes without quotes, which no escaping makes safe.
 *
 * @example
 * `<td title="${escapeHtml(name)}">${escapeHtml(name)}</td>`
 */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => HTML_ESCAPES[character]!);
}
