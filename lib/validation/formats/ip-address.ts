import { isIPv4, isIPv6 } from 'node:net';

import { canonicalAddress } from '../../http/ip-address.js';
import { type RuleOptions, textRule } from './format-rule.js';

/** `0000:0000:0000:0000:0000:ffff:255.255.255.255`. */
const MAX_LENGTH = 45;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;

/** Which addresses are meant. */
export interface IpAddressOptions {
  /** Both by default. */
  readonly version?: 4 | 6;
  /** Only the spelling of RFC 5952, so that one address has one text; IPv4 in IPv6 then has to be written as IPv4. */
  readonly canonical?: boolean;
}

/**
 * Whether a text is an IPv4 address of four decimal numbers without leading zeros, or an IPv6 address of RFC 4291 §2.2 without a
 * zone (R-IV-15).
 *
 * @example
 * isIpAddress('2001:db8::1', { version: 6 }); // true
 * isIpAddress('fe80::1%eth0'); // false: class-validator's IsIP takes it
 */
export function isIpAddress(text: string, { version, canonical = false }: IpAddressOptions = {}): boolean {
  if (text.length > MAX_LENGTH || text.includes('%')) return false;
  const found = isIPv4(text) ? 4 : isIPv6(text) ? 6 : undefined;
  if (found === undefined || (version !== undefined && found !== version)) return false;
  return !canonical || canonicalAddress(text) === text;
}

/** Which networks are meant. */
export interface CidrOptions {
  /** Both by default. */
  readonly version?: 4 | 6;
  /** Lets bits be set behind the prefix, as in `10.0.0.1/8`; refused by default, for it is not clear what is meant. */
  readonly hostBits?: boolean;
}

/**
 * Whether a text is a network in the notation of RFC 4632 §3.1: an address and how many of its bits count.
 *
 * @example
 * isCidr('10.0.0.0/8'); // true
 * isCidr('10.0.0.1/8'); // false
 */
export function isCidr(text: string, { version, hostBits = false }: CidrOptions = {}): boolean {
  if (text.length > MAX_LENGTH + '/128'.length) return false;
  const slash = text.indexOf('/');
  const address = text.slice(0, Math.max(slash, 0));
  const prefix = text.slice(slash + 1);
  if (!isIpAddress(address, version === undefined ? {} : { version }) || !PREFIX.test(prefix)) return false;
  const bits = isIPv4(address) ? 32 : 128;
  const length = Number(prefix);
  return length <= bits && (hostBits || isNetwork(address, bits, length));
}

/** Whether all bits behind the prefix are zero. */
function isNetwork(address: string, bits: number, length: number): boolean {
  const value = bits === 32 ? numberOfV4(address) : numberOfV6(address);
  return (value & ((1n << BigInt(bits - length)) - 1n)) === 0n;
}

function numberOfV4(address: string): bigint {
  return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function numberOfV6(address: string): bigint {
  const dotted = address.lastIndexOf(':') + 1;
  const tail = address.includes('.') ? numberOfV4(address.slice(dotted)) : undefined;
  const text =
    tail === undefined
      ? address
      : `${address.slice(0, dotted)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = '', rest] = text.split('::');
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groupsOf(head);
  const after = rest === undefined ? [] : groupsOf(rest);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** The text is an IP address: see {@link isIpAddress}. */
export function IsIpAddress(options: IpAddressOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const says = `must be an IP${options.version === undefined ? '' : `v${options.version}`} address`;
  return textRule('isIpAddress', (text) => isIpAddress(text, options), says, rule);
}

/** The text is a network such as `10.0.0.0/8`: see {@link isCidr}. */
export function IsCidr(options: CidrOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('isCidr', (text) => isCidr(text, options), 'must be a network as 10.0.0.0/8', rule);
}
