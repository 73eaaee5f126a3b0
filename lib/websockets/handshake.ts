import type { IncomingMessage } from 'node:http';

import { SecurityError } from '../errors/security-error.js';

/** Names under which a browser, which cannot set headers, offers a credential among its subprotocols. */
const OFFERED: readonly (readonly [prefix: string, scheme: string])[] = [
  ['bearer.', 'Bearer'],
  ['api-key.', 'Api-Key'],
];

/**
 * Whether a page may connect: browsers send cookies and the user's network position along with any page's handshake, and always say
 * whose page it is (R-TL-14). A client that is no browser sends no origin.
 *
 * @throws SecurityError `FORBIDDEN`
 */
export function checkOrigin({ headers }: IncomingMessage, origins: ReadonlySet<string>): void {
  const { origin, host } = headers;
  if (origin === undefined || origins.has(origin)) return;
  if (URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase()) return;
  throw new SecurityError('FORBIDDEN', 'Pages of this origin may not connect', {
    reason: 'origin.not-allowed',
  });
}

/**
 * Takes a credential out of the offered subprotocols, `bearer.<token>` or `api-key.<key>`, and puts it where every request has it, so that
 * no answer repeats it.
 *
 * @throws SecurityError `INVALID_REQUEST` if nothing else is offered: a server has to choose one that is no secret
 */
export function takeOfferedCredential(request: IncomingMessage): void {
  const offered = request.headers['sec-websocket-protocol'];
  if (offered === undefined) return;
  const names = offered.split(',').map((name) => name.trim());
  const others = names.filter((name) => credentialIn(name) === undefined);
  if (others.length === names.length) return;
  if (others.length === 0) {
    throw new SecurityError('INVALID_REQUEST', 'Offer a subprotocol beside the credential', {
      reason: 'subprotocol.credential-only',
    });
  }
  const rest = others.join(', ');
  request.headers['sec-websocket-protocol'] = rest;
  const lines: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!;
    if (name.toLowerCase() !== 'sec-websocket-protocol') lines.push(name, request.rawHeaders[i + 1]!);
  }
  lines.push('Sec-WebSocket-Protocol', rest);
  for (const name of names) {
    const credential = credentialIn(name);
    if (credential !== undefined) lines.push('Authorization', credential);
  }
  request.rawHeaders = lines;
}

/**
 * The request of a handshake with what socket.io's client sends behind it as `auth`: `{ token }`, or `{ authorization: 'Api-Key …' }`.
 *
 * @throws SecurityError `INVALID_REQUEST` for both
 */
export function withAuthPayload(request: IncomingMessage, auth: unknown): IncomingMessage {
  const { token, authorization } = (typeof auth === 'object' && auth !== null ? auth : {}) as Record<
    string,
    unknown
  >;
  if (token === undefined && authorization === undefined) return request;
  const value = typeof token === 'string' ? `Bearer ${token}` : authorization;
  if ((token !== undefined && authorization !== undefined) || typeof value !== 'string')
    throw new SecurityError('INVALID_REQUEST', 'Send one credential, as text', { reason: 'auth.payload' });
  // What the upgrade has carried stays: two credentials are refused like on any request.
  const rawHeaders = { value: [...request.rawHeaders, 'Authorization', value] };
  return Object.create(request, { rawHeaders }) as IncomingMessage;
}

function credentialIn(name: string): string | undefined {
  for (const [prefix, scheme] of OFFERED)
    if (name.startsWith(prefix)) return `${scheme} ${name.slice(prefix.length)}`;
  return undefined;
}
