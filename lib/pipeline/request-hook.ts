import type { IncomingMessage, ServerResponse } from 'node:http';

import { answerByStatus, answerTo, type ErrorAnswer } from '../errors/error-answer.js';
import type { ErrorWriter } from '../errors/error-writer.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { PreparedHeaders } from '../headers/header-set.js';
import { addressKey, resolveClient } from '../http/client-address.js';
import { checkFraming } from '../http/framing.js';
import { putHeaders } from '../http/header-writer.js';
import type { ProxyTrust } from '../http/proxy-trust.js';
import { credentialInUrl } from '../http/query/credential-in-url.js';
import { eventContextOf } from '../http/request-context.js';
import { attachRequestState, RequestState, requestStateOf } from '../http/request-state.js';
import { checkRequestTarget } from '../http/request-target.js';
import { expectsContinue } from '../http/server-hardening.js';
import type { MountedPaths } from '../http/mounted-paths.js';
import type { PublishedDocument } from '../http/published-document.js';
import type { RouteIndex } from '../policy/route-index.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import type { LoadShedder } from '../load/load-shedder.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import { decideTransport, type TransportPolicy } from '../transport/https-policy.js';
import type { ExposedCredentials } from './exposed-credentials.js';
import type { ExpressCors } from './express-cors.js';

/** Tells the framework that the response has been written below it. */
export const REFUSED = new Error('The request was refused before routing');

const EXPOSED = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'DPoP-Nonce',
].join(', ');

/** What the hook works with; all of it made at boot. */
export interface RequestHookSetup {
  readonly trust: () => ProxyTrust;
  readonly ipv6Prefix: number;
  readonly headers: PreparedHeaders;
  readonly transport: TransportPolicy;
  readonly load: LoadShedder | undefined;
  readonly limiter: RateLimiter;
  readonly addressRules: readonly RateLimitRule[];
  readonly writer: ErrorWriter;
  readonly events: SecurityEvents;
  readonly exposed: ExposedCredentials;
  readonly routes: () => RouteIndex;
  /** Documents that the module serves by itself, by path. */
  readonly documents: () => ReadonlyMap<string, PublishedDocument>;
  /** Paths that other modules of this package answer. */
  readonly mounts: MountedPaths;
}

/**
 * The first thing that happens to a request, below routing, body parsing and every guard: its state, the headers of every
 * response, transport, the limit by address, framing and the request target. What is refused here is answered here.
 */
export class RequestHook {
  constructor(private readonly setup: RequestHookSetup) {}

  /**
   * @param cors puts its headers on a refusal first, where it would not be asked otherwise
   * @returns `REFUSED` if the response has been written, or will be
   */
  handle(request: IncomingMessage, response: ServerResponse, cors?: ExpressCors): Error | undefined {
    const { setup } = this;
    const { address, secure } = resolveClient(request, setup.trust());
    const state = new RequestState(request, response, address, addressKey(address, setup.ipv6Prefix), secure);
    attachRequestState(request, state);
    state.expectsContinue = expectsContinue(request);
    putHeaders(response, secure ? setup.headers.secure : setup.headers.plain);
    // Without this a browser's script cannot see them, whichever origins CORS lets in (R-RL-22).
    if (request.headers.origin !== undefined) response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    const answer = this.#refusal(state);
    if (answer === undefined) return this.#mounted(state);
    state.refused = true;
    const write = () => setup.writer.send(answer, request, response);
    if (cors === undefined) write();
    else cors.decorate(request, response, write);
    return REFUSED;
  }

  #mounted(state: RequestState): Error | undefined {
    const mount = this.setup.mounts.find(state.request.url ?? '/');
    if (mount === undefined) return undefined;
    state.refused = true;
    mount.handle(state);
    return REFUSED;
  }

  /** Puts the set back after another hook has written headers of its own; HSTS means nothing over plain HTTP (PITFALL NC5). */
  restoreHeaders(request: IncomingMessage, response: ServerResponse): void {
    const state = requestStateOf(request);
    if (!state) return;
    const { headers } = this.setup;
    for (const [name, value] of state.secure ? headers.secure : headers.plain)
      response.setHeader(name, value);
    if (!state.secure) response.removeHeader('Strict-Transport-Security');
  }

  #refusal(state: RequestState): ErrorAnswer | undefined {
    const { setup } = this;
    const { request } = state;
    if (!state.secure && setup.transport.mode !== 'off') return this.#plain(state);
    try {
      setup.load?.admit(request.url ?? '/');
      // The limiter in front of routing decides in this process's memory, so never later.
      void setup.limiter.charge(state, setup.addressRules, undefined, 'address');
    } catch (error) {
      return answerTo(error, false);
    }
    const framing = checkFraming(request);
    if (framing) return this.#malformed(state, framing.status, framing.reason);
    const url = request.url ?? '/';
    const target = checkRequestTarget(url);
    if (target) return this.#malformed(state, target === 'too-long' ? 414 : 400, target);
    const inUrl = credentialInUrl(url);
    if (inUrl !== undefined) {
      setup.exposed.inUrl(state, inUrl);
      setup.events.emit(
        'request.malformed',
        { code: 'INVALID_REQUEST', reason: 'credential.in-url' },
        eventContextOf(state),
      );
      return answerTo(new SecurityError('INVALID_REQUEST', 'Credentials must not be sent in the URL'), false);
    }
    if (request.method === 'OPTIONS') return this.#options(request, url);
    const document = setup.documents().get(url);
    return document === undefined ? undefined : documentAnswer(request.method, document);
  }

  /**
   * Routers answer OPTIONS each in their own way, without asking anybody: here it says which methods a path has (R-AU-16).
   * Handlers for it, and requests of browsers that CORS may answer, go on.
   */
  #options(request: IncomingMessage, url: string): ErrorAnswer | undefined {
    if (request.headers.origin !== undefined) return undefined;
    const allowed = this.setup.routes().methodsOf(url);
    if (allowed.length === 0 || allowed.includes('OPTIONS') || allowed.includes('ALL')) return undefined;
    return {
      status: 204,
      code: '',
      message: '',
      extras: { headers: { Allow: [...allowed, 'OPTIONS'].join(', ') } },
    };
  }

  #plain(state: RequestState): ErrorAnswer | undefined {
    const { setup } = this;
    const decision = decideTransport(state.request, setup.transport);
    if (decision === 'pass') return undefined;
    setup.exposed.inClear(state);
    if (decision.redirect !== undefined) {
      setup.events.emit('transport.redirected', { host: setup.transport.host ?? '' }, eventContextOf(state));
      return { status: 308, code: '', message: '', extras: { headers: { Location: decision.redirect } } };
    }
    setup.events.emit('transport.rejected', { reason: 'plain-http' }, eventContextOf(state));
    return answerTo(
      new SecurityError('HTTPS_REQUIRED', 'HTTPS is required', { headers: { Connection: 'close' } }),
      false,
    );
  }

  #malformed(state: RequestState, status: number, reason: string): ErrorAnswer {
    this.setup.events.emit('request.malformed', { code: String(status), reason }, eventContextOf(state));
    return { ...answerByStatus(status), extras: { headers: { Connection: 'close' } } };
  }
}

/** A public document that says the same to everybody, scripts of other origins included (R-PM-01, R-PM-04). */
function documentAnswer(
  method: string | undefined,
  { contentType, maxAge, text }: PublishedDocument,
): ErrorAnswer {
  if (method !== 'GET' && method !== 'HEAD')
    return { ...answerByStatus(405), extras: { headers: { Allow: 'GET, HEAD' } } };
  const headers = {
    'Content-Type': contentType,
    'Cache-Control': `public, max-age=${maxAge}`,
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
  try {
    return { status: 200, code: '', message: text(), extras: { headers } };
  } catch (error) {
    return answerTo(error, false);
  }
}
