import { isPublicAddress } from '../../outbound/public-address.js';
import { type RuleOptions, textRule } from '../formats/format-rule.js';
import { isIpAddress } from '../formats/ip-address.js';
import { readUrl, type UrlParts } from '../formats/strict-url.js';

/** Names that lead nowhere, to this machine or into its network (RFC 6761, 6762, 8375, ICANN's `internal`, and what is in use). */
const LOCAL_DOMAINS = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'home.arpa',
  'onion',
  'test',
  'invalid',
];
const DEFAULT_PORTS: Readonly<Record<string, number>> = { https: 443, http: 80 };

/** Where a URL may lead that your server is going to fetch. */
export interface SafeUrlOptions {
  /** `['https']` by default; `http` can be added. */
  readonly schemes?: readonly ('https' | 'http')[];
  /** Ports, written or implied; by default those that the schemes imply. */
  readonly ports?: readonly number[];
  /** Hosts in small letters, or `*.example.org` for all below one; any public one by default. An allow-list is the best protection. */
  readonly hosts?: readonly string[];
  /** Lets the host be a public IP address; refused by default. */
  readonly ipAddress?: boolean;
  /** Characters at most; 2 048 by default. */
  readonly maxLength?: number;
}

/** Why a URL must not be fetched; the last word of the reason in events and errors. */
export type UnsafeUrl = 'form' | 'scheme' | 'port' | 'host' | 'private';

/** @internal What is wrong with a URL as far as its text tells; its parts if nothing is. */
export function judgeUrl(text: string, options: SafeUrlOptions): (UrlParts & { port: number }) | UnsafeUrl {
  const { schemes = ['https'], maxLength = 2_048, hosts, ipAddress = false } = options;
  const parts = readUrl(text, maxLength);
  if (!parts) return 'form';
  const { scheme, host } = parts;
  if (!(schemes as readonly string[]).includes(scheme)) return 'scheme';
  const port = parts.port ?? DEFAULT_PORTS[scheme]!;
  if (!(options.ports ?? schemes.map((one) => DEFAULT_PORTS[one]!)).includes(port)) return 'port';
  if (hosts && !hosts.some((pattern) => isMatch(host, pattern))) return 'host';
  if (isIpAddress(host)) {
    if (!isPublicAddress(host)) return 'private';
    return ipAddress ? { scheme, host, port } : 'host';
  }
  const isLocal = !host.includes('.') || LOCAL_DOMAINS.some((domain) => `.${host}`.endsWith(`.${domain}`));
  return isLocal ? 'private' : { scheme, host, port };
}

function isMatch(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
}

/**
 * Whether a URL may be fetched as far as its text tells: https, no credentials, the usual port, a name that is not local. What the
 * name leads to only asking tells, and right before connecting: do that with `assertPublicUrl()` or `fetchPublicUrl()` (R-IV-27).
 *
 * @example
 * isSafeUrl('https://hooks.example.org/a'); // true
 * isSafeUrl('https://169.254.169.254/latest/meta-data'); // false
 */
export function isSafeUrl(text: string, options: SafeUrlOptions = {}): boolean {
  return typeof judgeUrl(text, options) === 'object';
}

/** The text is a URL that may be fetched as far as its text tells: see {@link isSafeUrl}. */
export function SafeUrl(options: SafeUrlOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('safeUrl', (text) => isSafeUrl(text, options), 'must be the URL of a public server', rule);
}
