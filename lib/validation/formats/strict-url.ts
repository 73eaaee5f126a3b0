import { isIpAddress } from './ip-address.js';
import { type RuleOptions, textRule } from './format-rule.js';
import { isHostname } from './hostname.js';

/** The characters of RFC 3986 §2, and nothing else: no space, quote, backslash, angle bracket, control or foreign letter. */
const CHARACTERS = /^[\w!#$%&'()*+,\-./:;=?@[\]~]*$/;
const BROKEN_PERCENT = /%(?![\da-f]{2})/i;
/** Square brackets belong to IPv6 hosts alone. */
const PARTS = /^([a-z][a-z\d+.-]{0,30}):\/\/([^/?#]*)(?:\/[^?#[\]]*)?(?:\?[^#[\]]*)?(?:#[^#[\]]*)?$/i;
const AUTHORITY = /^(\[[\da-f:.]{2,45}\]|[^[\]:]{1,253})(?::([1-9]\d{0,4}))?$/i;

/** Which URLs are meant. */
export interface StrictUrlOptions {
  /** Schemes in small letters; `['https']` by default. Only those with an authority (`//host`) can match. */
  readonly schemes?: readonly string[];
  /** Characters at most; 2 048 by default. */
  readonly maxLength?: number;
  /** Hosts that are taken, whole and in small letters; any by default. */
  readonly hosts?: readonly string[];
  /** Ports that may be written; any by default. */
  readonly ports?: readonly number[];
  /** Lets the host be an IP address; refused by default. */
  readonly ipAddress?: boolean;
  /** Lets the host be a name without a dot, such as `localhost`; refused by default. */
  readonly singleLabel?: boolean;
}

/** What a URL consists of, as it is written. */
export interface UrlParts {
  readonly scheme: string;
  /** In small letters; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * The parts of a URL that all parsers read alike, or `undefined`: the characters of RFC 3986 only, no credentials, a host that is
 * a host name or an address in its usual form, a port from 1 to 65 535, and the WHATWG parser, which `fetch()` uses, sees the same host.
 */
export function readUrl(text: string, maxLength: number): UrlParts | undefined {
  if (text.length > maxLength || !CHARACTERS.test(text) || BROKEN_PERCENT.test(text)) return undefined;
  const [, scheme, authority = ''] = PARTS.exec(text) ?? [];
  const [, written, portText] = AUTHORITY.exec(authority) ?? [];
  if (scheme === undefined || written === undefined) return undefined;
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && port > 65_535) return undefined;
  const host = written.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  const isAddress = isIpAddress(host, { version: written.startsWith('[') ? 6 : 4 });
  if (!isAddress && !isHostname(host)) return undefined;
  return isReadAlike(text, host) ? { scheme: scheme.toLowerCase(), host, port } : undefined;
}

/** The WHATWG parser turns `0x7f.1` into an address; what it would change has no place here. */
function isReadAlike(text: string, host: string): boolean {
  try {
    const seen = new URL(text).hostname.toLowerCase();
    return seen === host || (host.includes(':') && seen === new URL(`http://[${host}]`).hostname);
  } catch {
    return false;
  }
}

/**
 * Whether a text is a URL as {@link StrictUrlOptions} ask for: an absolute one of an allowed scheme, without user name or password,
 * in the characters of RFC 3986 (R-IV-15). Where it leads is not looked at: for URLs that your server fetches there is `SafeUrl`.
 *
 * @example
 * isStrictUrl('https://example.org/a?b=c#d'); // true
 * isStrictUrl('http://example.com\\@evil.com', { schemes: ['http'] }); // false: class-validator's IsUrl takes it
 */
export function isStrictUrl(text: string, options: StrictUrlOptions = {}): boolean {
  const { schemes = ['https'], maxLength = 2_048, hosts, ports } = options;
  const parts = readUrl(text, maxLength);
  if (!parts || !schemes.includes(parts.scheme)) return false;
  const { host, port } = parts;
  if (hosts && !hosts.includes(host)) return false;
  if (ports && port !== undefined && !ports.includes(port)) return false;
  if (isIpAddress(host)) return options.ipAddress === true;
  return options.singleLabel === true || host.includes('.');
}

/** The text is a URL: see {@link isStrictUrl}. */
export function IsStrictUrl(options: StrictUrlOptions = {}, rule?: RuleOptions): PropertyDecorator {
  const says = `must be a URL that begins with ${(options.schemes ?? ['https']).map((scheme) => `${scheme}://`).join(' or ')}`;
  return textRule('isStrictUrl', (text) => isStrictUrl(text, options), says, rule);
}
