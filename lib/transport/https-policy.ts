import type { IncomingMessage } from 'node:http';

/** What to do with plain HTTP; compiled at boot. */
export interface TransportPolicy {
  readonly mode: 'reject' | 'redirect' | 'off';
  readonly host: string | undefined;
}

/** `pass`, or a refusal, with the place to redirect to if there is one. */
export type TransportDecision = 'pass' | { readonly redirect: string | undefined };

const REJECT: TransportDecision = Object.freeze({ redirect: undefined });
const MAX_TARGET = 2_048;

/**
 * Decides about a request that came over plain HTTP (R-TL-01, R-TL-02). A redirect would teach clients to go on sending
 * secrets in clear, so it is only for reads that carry none.
 */
export function decideTransport(request: IncomingMessage, policy: TransportPolicy): TransportDecision {
  if (policy.mode === 'off') return 'pass';
  const { method, headers, url = '/' } = request;
  if (policy.mode === 'reject' || policy.host === undefined) return REJECT;
  if (method !== 'GET' && method !== 'HEAD') return REJECT;
  if (
    headers.authorization !== undefined ||
    headers.cookie !== undefined ||
    headers['x-api-key'] !== undefined
  ) {
    return REJECT;
  }
  return isPlainTarget(url) ? { redirect: `https://${policy.host}${url}` } : REJECT;
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
