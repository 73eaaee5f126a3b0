import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { parseForwarded } from './forwarded.js';
import { canonicalAddress, UNKNOWN_ADDRESS } from './ip-address.js';
import type { ProxyTrust } from './proxy-trust.js';

export { addressKey } from './ip-address.js';

/** Who is at the other end, as far as it can be known. */
export interface ClientConnection {
  /** Canonical address: no zone, IPv4-mapped IPv6 as IPv4; `unknown` if there is none. */
  readonly address: string;
  /** TLS on the socket, or a trusted proxy says so (R-TL-04). */
  readonly secure: boolean;
}

const MAX_ELEMENTS = 20;
const MAX_HEADER = 2_048;

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
  return trust.header === 'forwarded'
    ? byForwarded(request, peer, trust)
    : byXForwarded(request, peer, trust);
}

function peerOf(socket: KnownSocket): ClientConnection {
  return (socket[PEER] ??= Object.freeze({
    address: canonicalAddress(socket.remoteAddress ?? '') ?? UNKNOWN_ADDRESS,
    secure: (socket as Partial<TLSSocket>).encrypted === true,
  }));
}

function byXForwarded(request: IncomingMessage, peer: ClientConnection, trust: ProxyTrust): ClientConnection {
  const nodes = elementsOf(request, 'x-forwarded-for');
  return {
    address: nodes === undefined ? peer.address : walk(nodes, peer, trust),
    secure: peer.secure || (elementsOf(request, 'x-forwarded-proto')?.every(isHttps) ?? false),
  };
}

function byForwarded(request: IncomingMessage, peer: ClientConnection, trust: ProxyTrust): ClientConnection {
  const text = headerText(request, 'forwarded');
  const elements = text === undefined ? undefined : parseForwarded(text, MAX_ELEMENTS);
  if (elements === undefined) return peer;
  return {
    address: walk(
      elements.map((element) => element.for),
      peer,
      trust,
    ),
    secure: peer.secure || elements.every(({ proto }) => isHttps(proto)),
  };
}

/** From the right: each element was written by the hop to its right, so it counts only while that hop is one of ours. */
function walk(nodes: readonly string[], peer: ClientConnection, trust: ProxyTrust): string {
  let nearest = peer.address;
  for (let i = nodes.length - 1, hop = 1; i >= 0; i--, hop++) {
    const address = nodeAddress(nodes[i]!.trim());
    // An obfuscated or broken element hides whatever stands left of it.
    if (address === undefined) return nearest;
    nearest = address;
    if (!trust.trusts(address, hop)) return address;
  }
  return nearest;
}

/** Every hop must have seen https; anything unclear is read as plain (R-TL-05). */
function isHttps(element: string): boolean {
  return element === 'https' || element.trim().toLowerCase() === 'https';
}

/** The elements of a comma-separated header; undefined if it is missing or too long to be honest. */
function elementsOf(request: IncomingMessage, name: string): string[] | undefined {
  const elements = headerText(request, name)?.split(',');
  return elements === undefined || elements.length > MAX_ELEMENTS ? undefined : elements;
}

/** Node joins repeated lines of these headers with commas. */
function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value !== 'string' || value === '' || value.length > MAX_HEADER ? undefined : value;
}

/** The address of a node (RFC 7239 §6): without quotes, brackets and port. */
function nodeAddress(node: string): string | undefined {
  const text = node.length > 1 && node.startsWith('"') && node.endsWith('"') ? node.slice(1, -1) : node;
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    const address = text.slice(1, Math.max(1, end));
    // Brackets are for IPv6 alone.
    return isPortOrNothing(text.slice(end + 1)) && address.includes(':')
      ? canonicalAddress(address)
      : undefined;
  }
  const colon = text.indexOf(':');
  if (colon < 0 || text.includes(':', colon + 1)) return canonicalAddress(text);
  return isPortOrNothing(text.slice(colon)) ? canonicalAddress(text.slice(0, colon)) : undefined;
}

function isPortOrNothing(text: string): boolean {
  return text === '' || /^:\d{1,5}$/.test(text);
}
