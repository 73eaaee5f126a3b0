import { domainToASCII, domainToUnicode } from 'node:url';

import { type RuleOptions, textRule } from './format-rule.js';

const MAX_LENGTH = 253;
/** A label of RFC 1123 §2.1: letters, digits and inner hyphens, 63 at most. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
/** What the last part of an IPv4 address may look like to a parser (WHATWG URL §3.5, "ends in a number"). */
const NUMBER = /^(?:\d+|0x[\da-f]*)$/i;

/** What a host name may look like. */
export interface HostnameOptions {
  /** Fewest labels; 1 by default, so that `localhost` is a host name. 2 asks for a dot. */
  readonly minLabels?: number;
}

/**
 * Whether a text is a host name of RFC 1123 §2.1: at most 253 characters, no underscore, no dot at the end, a last label that is
 * not a number, because such a name would be an IPv4 address. Labels that begin with `xn--` must be what IDNA (UTS #46) makes of
 * some name; names in other letters have to come in that form (R-IV-15).
 *
 * @example
 * isHostname('xn--mnchen-3ya.example'); // true
 * isHostname('xn--a.example'); // false: class-validator's IsFQDN takes it
 */
export function isHostname(text: string, { minLabels = 1 }: HostnameOptions = {}): boolean {
  if (text.length > MAX_LENGTH) return false;
  const labels = text.split('.');
  if (labels.length < minLabels || NUMBER.test(labels.at(-1)!)) return false;
  return labels.every((label) => LABEL.test(label) && (!/^xn--/i.test(label) || isALabel(label)));
}

/** An A-label of RFC 5890: some name in other letters has it, and no other. */
function isALabel(label: string): boolean {
  const lower = label.toLowerCase();
  const name = domainToUnicode(lower);
  return name !== '' && name !== lower && domainToASCII(name) === lower;
}

/** The text is a host name: see {@link isHostname}. */
export function IsHostname(options: HostnameOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('isHostname', (text) => isHostname(text, options), 'must be a host name', rule);
}
