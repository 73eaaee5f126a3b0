import type { IncomingMessage } from 'node:http';

import { readBody } from '../http/body/read-body.js';
import { escapeJson } from '../http/json/escape-json.js';
import type { RequestState } from '../http/request-state.js';
import { foreignForm } from './interactions.js';

const MAX_FORM_BYTES = 16_384;
const FORM = 'application/x-www-form-urlencoded';

/** Without the query. */
export const pathOf = (url = '/'): string => url.split('?', 1)[0]!;

export const mediaTypeOf = ({ headers }: IncomingMessage): string | undefined =>
  headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();

/** Where the server is, is said by its issuer alone: nothing that a request says about hosts is looked at. */
export function pinHost({ request, address }: RequestState, issuer: string): void {
  const { host, protocol } = new URL(issuer);
  request.headers.host = host;
  request.headers['x-forwarded-host'] = host;
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  request.headers['x-forwarded-for'] = address;
}

/** The form that one of our pages sends back. @throws InteractionEnded for what comes from elsewhere */
export async function formOf({ request }: RequestState): Promise<URLSearchParams> {
  // A page of another site can send forms, but not these: they come from this site, or from no page at all.
  const site = request.headers['sec-fetch-site'];
  if (mediaTypeOf(request) !== FORM || (site !== undefined && site !== 'same-origin')) throw foreignForm();
  return readBody(
    request,
    MAX_FORM_BYTES,
    () => undefined,
    (bytes) => new URLSearchParams(bytes.toString('utf8')),
  );
}

export function answerJson({ response }: RequestState, status: number, body: object): void {
  const text = escapeJson(JSON.stringify(body));
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

export function refuseMethod(state: RequestState, allow: string): void {
  state.response.setHeader('Allow', allow);
  answerJson(state, 405, { error: 'invalid_request', error_description: 'the method is not allowed' });
}

/**
 * What a browser asks before a script of another origin may call an endpoint. It names no client, so the answer is the same for
 * every origin; whether this one may is said when the client is known (R-AS-22).
 */
export function answerPreflight({ request, response }: RequestState): void {
  const { origin } = request.headers;
  response.removeHeader('Access-Control-Expose-Headers');
  response.setHeader('Vary', 'Origin');
  if (origin !== undefined && request.headers['access-control-request-method'] === 'POST') {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Methods', 'POST');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP');
    response.setHeader('Access-Control-Max-Age', '3600');
  } else response.setHeader('Allow', 'POST, OPTIONS');
  response.statusCode = 204;
  response.end();
}

/** A document for everybody, scripts of other origins included. @param maxAge seconds */
export function answerDocument(state: RequestState, text: string, contentType: string, maxAge: number): void {
  const { request, response } = state;
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuseMethod(state, 'GET, HEAD');
  response.setHeader('Content-Type', contentType);
  response.setHeader('Cache-Control', `public, max-age=${maxAge}`);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(request.method === 'HEAD' ? undefined : text);
}
