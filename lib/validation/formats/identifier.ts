import { countCodePoints } from '../sanitize/code-points.js';
import { type RuleOptions, textRule } from './format-rule.js';

/** Scripts in everyday use (UAX #31, table 5), the one that most identifiers are in first; others are refused. */
const SCRIPTS = (
  'Latin Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew ' +
  'Hiragana Kannada Katakana Khmer Lao Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan'
).split(' ');
/** How Latin letters stand among others in Japan, on Taiwan and in Korea (UTS #39 §5.2, Highly Restrictive). */
const TOGETHER = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];
/** Digits, separators and marks that belong to every script. */
const NEUTRAL = String.raw`\p{scx=Common}\p{scx=Inherited}`;
const ASCII = /^[ -~]*$/;
/** Letters and marks of identifiers (UAX #31); of digits the ASCII ones only, so that no two systems can mix. */
const PART = /^[\p{XID_Start}0-9][\p{XID_Start}\p{Mn}\p{Mc}0-9]*$/u;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Deprecated}]/u;
/** More marks on a letter than any language needs, or the same twice (UTS #39 §5.4). */
const PILED_MARKS = /\p{Mn}{5}|(\p{Mn})\1/u;

/** What an identifier may look like. */
export interface IdentifierOptions {
  /** Code points; 1 by default. */
  readonly minLength?: number;
  /** Code points; 64 by default. */
  readonly maxLength?: number;
  /** Signs that may stand between letters and digits, one at a time; `-_.` by default. */
  readonly separators?: string;
  /**
   * Scripts by their Unicode names, each of which may be used alone. By default those in everyday use, alone or as Japanese,
   * Chinese and Korean mix them with Latin letters; `['Latin']` leaves no look-alikes but those within Latin.
   */
  readonly scripts?: readonly string[];
  /** Nothing but ASCII. */
  readonly ascii?: boolean;
}

type Check = (text: string) => boolean;

const ANY: IdentifierOptions = {};
const checks = new WeakMap<IdentifierOptions, Check>();

/**
 * Whether a text can name something without passing for something else: letters and digits of one script, composed and without
 * compatibility forms (NFKC leaves it as it is), nothing invisible, no bidirectional control (R-IV-09; UTS #39, level Highly
 * Restrictive). Two identifiers that look alike, one all Latin and one all Cyrillic, can both pass: compare `identifierKey()`.
 *
 * @param options best an object that is made once: what it means is worked out at its first use
 * @throws SyntaxError for a script that Unicode does not know
 * @example
 * isIdentifier('ada-99'); // true
 * isIdentifier('аdmin'); // false: the first letter is Cyrillic
 */
export function isIdentifier(text: string, options: IdentifierOptions = ANY): boolean {
  let check = checks.get(options);
  if (!check) checks.set(options, (check = checkFor(options)));
  return check(text);
}

function checkFor(options: IdentifierOptions): Check {
  const { minLength = 1, maxLength = 64, separators = '-_.', ascii = false } = options;
  const isOneScript = scriptCheck(options.scripts);
  return (text) => {
    if (text.length > 2 * maxLength) return false;
    const length = countCodePoints(text);
    if (length < minLength || length > maxLength) return false;
    // Marks first: what is piled up cannot be normalised in good time.
    if (INVISIBLE.test(text) || PILED_MARKS.test(text)) return false;
    if (!ASCII.test(text) && (ascii || text.normalize('NFKC') !== text)) return false;
    return partsOf(text, separators).every((part) => PART.test(part)) && isOneScript(text);
  };
}

/** What stands between separators; an empty part where two meet, or one stands at an end. */
function partsOf(text: string, separators: string): string[] {
  const parts = [''];
  for (const character of text) {
    if (separators.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function scriptCheck(scripts: readonly string[] | undefined): Check {
  const groups = scripts ? scripts.map((script) => [script]) : [...SCRIPTS.map((one) => [one]), ...TOGETHER];
  const patterns = groups.map((group) => {
    const letters = group.map((script) => String.raw`\p{scx=${script}}`).join('');
    return new RegExp(`^[${letters}${NEUTRAL}]*$`, 'u');
  });
  return (text) => patterns.some((pattern) => pattern.test(text));
}

/**
 * The text is an identifier: see {@link isIdentifier}.
 *
 * @throws SyntaxError for a script that Unicode does not know
 * @example
 * @Identifier({ maxLength: 32, scripts: ['Latin'] })
 * userName!: string;
 */
export function Identifier(options: IdentifierOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const check = checkFor(options);
  return textRule('identifier', check, 'must be a name of letters and digits of one script', rule);
}
