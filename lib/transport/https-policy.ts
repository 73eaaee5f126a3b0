import type { IncomingMessage } from 'node:http';

import { credentialInUrl } from '../http/query/credential-in-url.js';

/** What to do with plain HTTP; compiled at boot. */
export interface TransportPolicy {
  readonly mode: 'reject' | 'redirect' | 'off';
  readonly host: string | undefined;
}

/** `pass`, or a refusal, with the place to redirect to if there is one. */
export type TransportDecision = 'pass' | { readonly redirect: string | undefined };

const REJECT: TransportDecision = Object.freeze({ redirect: undefined });
const CREDENTIAL_FIELDS = ['authorization', 'cookie', 'x-api-key', 'dpop', 'proxy-authorization'] as const;
const MAX_TARGET = 2_048;

/** What a redirect is decided by. */
export type PlainRequest = Pick<IncomingMessage, 'method' | 'headers' | 'url'>;

/**
 * Decides about a request that came over plain HTTP (R-TL-01, R-TL-02). A redirect would teach clients to go on sending
 * secrets in clear, so it is only for reads that carry none.
 *
 * @returns `pass`, or a refusal: a 308 to `redirect` if that is set, 403 otherwise
 */
export function decideTransport(request: PlainRequest, policy: TransportPolicy): TransportDecision {
  if (policy.mode === 'off') return 'pass';
  const { method, headers, url = '/' } = request;
  if (policy.mode === 'reject' || policy.host === undefined) return REJECT;
  if (method !== 'GET' && method !== 'HEAD') return REJECT;
  if (CREDENTIAL_FIELDS.some((name) => headers[name] !== undefined)) return REJECT;
  if (!isPlainTarget(url) || credentialInUrl(url) !== undefined) return REJECT;
  return { redirect: `https://${policy.host}${url}` };
}

/** Origin-form, and nothing in it that a client could read as another host or a second header. */
function isPlainTarget(url: string): boolean {
  if (url.length > MAX_TARGET || url.charCodeAt(0) !== 0x2f) return false;
  if (url.charCodeAt(1) === 0x2f) return false;
  for (let i = 0; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x5c) return false;
  }
  return true;
}
