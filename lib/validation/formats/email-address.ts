import { type RuleOptions, textRule } from './format-rule.js';
import { isHostname } from './hostname.js';

/** RFC 5321 §4.5.3.1, and erratum 1690 of RFC 3696 for the whole. */
const MAX_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;
/** A `Dot-string` of RFC 5321 §4.1.2. */
const DOT_STRING = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

/**
 * Whether a text is an e-mail address as people have them: a `Dot-string` of at most 64 ASCII characters, and a host name with a
 * dot. What RFC 5321 §4.1.2 allows beyond that is refused: quoted local parts, which can hold spaces and markup, addresses of
 * machines in brackets, and names without a dot (R-IV-15).
 *
 * @example
 * isEmailAddress('ada+news@example.org'); // true
 * isEmailAddress('"<script>"@example.org'); // false: class-validator's IsEmail takes it
 */
export function isEmailAddress(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const at = text.indexOf('@');
  if (at < 1 || at > MAX_LOCAL_LENGTH) return false;
  return DOT_STRING.test(text.slice(0, at)) && isHostname(text.slice(at + 1), { minLabels: 2 });
}

/** The text is an e-mail address: see {@link isEmailAddress}. */
export function IsEmailAddress(rule?: RuleOptions): PropertyDecorator {
  return textRule('isEmailAddress', isEmailAddress, 'must be an e-mail address', rule);
}
