import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { ProxyTrust } from './proxy-trust.js';

/** Who is at the other end, as far as it can be known. */
export interface ClientConnection {
  /** Canonical address: no zone, IPv4-mapped IPv6 as IPv4; `unknown` if there is none. */
  readonly address: string;
  /** TLS on the socket, or a trusted proxy says so (R-TL-04). */
  readonly secure: boolean;
}

const MAX_ELEMENTS = 20;
const MAX_HEADER = 2_048;
const UNKNOWN = 'unknown';

/** The peer of a socket never changes, so what is known of it hangs on the socket. */
const PEER = Symbol('nestjs-api-security.peer');
type KnownSocket = Socket & { [PEER]?: ClientConnection };

/**
 * Finds the client behind trusted proxies: from the right of the configured header to the first address that is not one of
 * ours (R-TL-06). Without trust, or with an untrusted peer, headers change nothing (R-RL-09).
 */
export function resolveClient(request: IncomingMessage, trust: ProxyTrust): ClientConnection {
  const peer = peerOf(request.socket);
  if (!trust.any || !trust.trusts(peer.address, 0)) return peer;
  const address =
    trust.header === 'forwarded'
      ? fromForwarded(request, peer, trust)
      : fromXForwardedFor(request, peer, trust);
  return { address, secure: peer.secure || saysHttps(request, trust) };
}

function peerOf(socket: KnownSocket): ClientConnection {
  return (socket[PEER] ??= {
    address: canonicalAddress(socket.remoteAddress ?? '') ?? UNKNOWN,
    secure: (socket as TLSSocket).encrypted,
  });
}

function fromXForwardedFor(request: IncomingMessage, peer: ClientConnection, trust: ProxyTrust): string {
  return walk(headerText(request, 'x-forwarded-for'), peer, trust, (element) => element);
}

function fromForwarded(request: IncomingMessage, peer: ClientConnection, trust: ProxyTrust): string {
  return walk(
    headerText(request, 'forwarded'),
    peer,
    trust,
    (element) => forwardedParameter(element, 'for') ?? '',
  );
}

/** From the right: each element was written by the hop to its right, so it counts only while that hop is one of ours. */
function walk(
  text: string,
  peer: ClientConnection,
  trust: ProxyTrust,
  addressOf: (element: string) => string,
): string {
  if (text === '' || text.length > MAX_HEADER) return peer.address;
  const elements = text.split(',');
  if (elements.length > MAX_ELEMENTS) return peer.address;
  let nearest = peer.address;
  for (let i = elements.length - 1, hop = 1; i >= 0; i--, hop++) {
    const address = nodeAddress(addressOf(elements[i]!.trim()));
    // An obfuscated or broken element hides whatever stands left of it.
    if (address === undefined) return nearest;
    nearest = address;
    if (!trust.trusts(address, hop)) return address;
  }
  return nearest;
}

/** Every hop must have seen https; anything unclear is read as plain (R-TL-05). */
function saysHttps(request: IncomingMessage, trust: ProxyTrust): boolean {
  if (trust.header === 'forwarded') {
    const text = headerText(request, 'forwarded');
    if (text === '' || text.length > MAX_HEADER) return false;
    return text
      .split(',')
      .every((element) => forwardedParameter(element.trim(), 'proto')?.toLowerCase() === 'https');
  }
  const text = headerText(request, 'x-forwarded-proto');
  if (text === 'https') return true;
  if (text === '' || text.length > MAX_HEADER) return false;
  return text.split(',').every((element) => element.trim().toLowerCase() === 'https');
}

function headerText(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

/** One parameter of a `Forwarded` element (RFC 7239 §4), unquoted. */
function forwardedParameter(element: string, name: string): string | undefined {
  for (const pair of element.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim().toLowerCase() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
  }
  return undefined;
}

/** The address of a node: without quotes, brackets and port. */
function nodeAddress(node: string): string | undefined {
  const text = node.startsWith('"') && node.endsWith('"') && node.length > 1 ? node.slice(1, -1) : node;
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    const rest = end < 0 ? 'x' : text.slice(end + 1);
    return rest === '' || /^:\d{1,5}$/.test(rest) ? canonicalAddress(text.slice(1, end)) : undefined;
  }
  const colon = text.indexOf(':');
  const isIpv4WithPort = colon > 0 && text.indexOf(':', colon + 1) < 0;
  if (!isIpv4WithPort) return canonicalAddress(text);
  return /^\d{1,5}$/.test(text.slice(colon + 1)) ? canonicalAddress(text.slice(0, colon)) : undefined;
}

/** One spelling for each address: lower case, no zone, IPv4-mapped IPv6 as IPv4; `undefined` if it is none. */
export function canonicalAddress(text: string): string | undefined {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  switch (isIP(address)) {
    case 4:
      return address;
    case 6: {
      const groups = expandIpv6(address);
      const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
      if (mapped) return `${groups[6]! >> 8}.${groups[6]! & 255}.${groups[7]! >> 8}.${groups[7]! & 255}`;
      return groups.map((group) => group.toString(16)).join(':');
    }
    default:
      return undefined;
  }
}

/** The eight groups of an IPv6 address that `isIP()` has accepted. */
function expandIpv6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = groupsOf(head);
  if (tail === undefined) return left;
  const right = groupsOf(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/**
 * How limits count a canonical address: IPv4 whole, IPv6 by prefix, because one customer has a whole network of them
 * (R-RL-08).
 *
 * @param ipv6Prefix 48, 56 or 64 bits
 */
export function addressKey(address: string, ipv6Prefix: number): string {
  if (!address.includes(':')) return address;
  const groups = address.split(':').slice(0, 4);
  if (ipv6Prefix === 64) return `${groups.join(':')}::/64`;
  if (ipv6Prefix === 48) return `${groups.slice(0, 3).join(':')}::/48`;
  const last = Number.parseInt(groups[3]!, 16) & 0xff00;
  return `${groups.slice(0, 3).join(':')}:${last.toString(16)}::/56`;
}
