import { finished } from 'node:stream';

import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { RequestState } from '../http/request-state.js';
import type { ApplicationsPage } from './applications/applications-page.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import type { Interactions } from './interactions.js';
import type { PageWriter } from './pages/page-writer.js';
import type { ProviderHost } from './provider/provider-host.js';
import { refuseBadProof } from './provider/dpop-proofs.js';
import { withStepUpNames } from './provider/step-up-parameters.js';
import {
  answerDocument,
  answerJson,
  answerPreflight,
  formOf,
  mediaTypeOf,
  pathOf,
  pinHost,
  refuseMethod,
} from './server-answers.js';
import { errorPage, explain } from './server-errors.js';
import { interactionIn, ROUTES } from './server-address.js';
import { serverMetadata } from './server-metadata.js';
import { retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';

const MAX_REQUEST_BYTES = 65_536;
const FORM = 'application/x-www-form-urlencoded';

/** The endpoints that clients call, with a form. */
const FORM_ENDPOINTS: ReadonlySet<string> = new Set([
  ROUTES.token,
  ROUTES.revocation,
  ROUTES.introspection,
  ROUTES.pushed_authorization_request,
]);
/** What is served by GET alone. */
const DOCUMENTS: ReadonlySet<string> = new Set([ROUTES.metadata, ROUTES.jwks]);

/** What requests are answered with. */
export interface ServerRequestParts {
  readonly settings: AuthorizationServerSettings;
  readonly host: ProviderHost;
  readonly interactions: Interactions;
  readonly applications: ApplicationsPage;
  readonly pages: PageWriter;
  readonly attempts: AttemptLimiter;
  readonly events: SecurityEvents;
}

/** Answers requests for the paths of the authorization server, below the framework. */
export class ServerRequests {
  readonly #metadata: string;

  constructor(private readonly parts: ServerRequestParts) {
    this.#metadata = serverMetadata(parts.settings);
  }

  /** Whether a path is one of the server's own. */
  takes(path: string): boolean {
    return (
      FORM_ENDPOINTS.has(path) ||
      DOCUMENTS.has(path) ||
      path === ROUTES.applications ||
      path === ROUTES.authorization ||
      path.startsWith(`${ROUTES.authorization}/`) ||
      interactionIn(path) !== undefined
    );
  }

  /** Answers a request for one of its paths. Never throws. */
  handle(state: RequestState): void {
    this.#route(state).catch((error: unknown) => this.#fail(state, error));
  }

  async #route(state: RequestState): Promise<void> {
    const { request, response } = state;
    const path = pathOf(request.url);
    if (path === ROUTES.metadata) return answerDocument(state, this.#metadata, 'application/json', 3_600);
    if (path === ROUTES.jwks) {
      const keys = JSON.stringify({ keys: await this.parts.host.publicJwks() });
      return answerDocument(state, keys, 'application/jwk-set+json', 300);
    }
    if (state.expectsContinue) response.writeContinue();
    if (FORM_ENDPOINTS.has(path)) return this.#endpoint(state);
    const { method } = request;
    // No script of another origin reads any of the pages (R-AS-22).
    response.removeHeader('Access-Control-Expose-Headers');
    await this.#chargeVisit(state);
    if (path.startsWith(ROUTES.authorization)) {
      if (method !== 'GET') return refuseMethod(state, 'GET');
      request.url = withStepUpNames(request.url ?? '/');
      return this.#callProvider(state);
    }
    if (method !== 'GET' && method !== 'POST') return refuseMethod(state, 'GET, POST');
    const form = method === 'POST' ? await formOf(state) : undefined;
    if (path === ROUTES.applications)
      return this.parts.applications.handle(request, response, state.address, form);
    const { provider } = await this.parts.host.current();
    pinHost(state, this.parts.settings.issuer);
    const visit = { provider, request, response, address: state.address, form };
    return this.parts.interactions.handle(visit, interactionIn(path)!);
  }

  /** Each visit leaves records behind, so one address gets so many. */
  async #chargeVisit({ addressKey }: RequestState): Promise<void> {
    const { storage, pageLimit } = this.parts.settings;
    const charge = { meter: pageLimit, subject: addressKey, cost: 1 };
    const { allowed, states } = await storage.consume([charge]);
    if (allowed) return;
    const retryAfter = retryAfterSeconds(states[0]!.resetMs);
    throw new SecurityError('RATE_LIMITED', 'There were too many visits. Wait a little.', { retryAfter });
  }

  /** Token, revocation, introspection and pushed requests (R-AS-08). */
  async #endpoint(state: RequestState): Promise<void> {
    const { request, response } = state;
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Pragma', 'no-cache');
    if (request.method === 'OPTIONS') return answerPreflight(state);
    if (request.method !== 'POST') return refuseMethod(state, 'POST, OPTIONS');
    if (mediaTypeOf(request) !== FORM)
      return answerJson(state, 415, { error: 'invalid_request', error_description: 'send a form' });
    if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES)
      return answerJson(state, 413, { error: 'invalid_request', error_description: 'the form is too large' });
    await this.parts.attempts.check(state);
    finished(response, () => {
      if (response.statusCode === 401) this.parts.attempts.record(state);
    });
    refuseBadProof(request, Date.now(), this.parts.settings.nonceSecret !== undefined);
    // Programs are answered as RFC 6749 §5.2 says, whatever they accept.
    request.headers.accept = 'application/json';
    return this.#callProvider(state);
  }

  async #callProvider(state: RequestState): Promise<void> {
    const { callback } = await this.parts.host.current();
    pinHost(state, this.parts.settings.issuer);
    // What scripts of other origins may see is up to the client that they belong to.
    state.response.removeHeader('Access-Control-Expose-Headers');
    await callback(state.request, state.response);
  }

  #fail(state: RequestState, error: unknown): void {
    const { response, request } = state;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const isForProgram = FORM_ENDPOINTS.has(pathOf(request.url)) || DOCUMENTS.has(pathOf(request.url));
    const { status, message, retryAfter } = explain(error, this.parts.events);
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    if (isForProgram) {
      answerJson(state, status, { error: status < 429 ? 'invalid_request' : 'temporarily_unavailable' });
      return;
    }
    this.parts.pages.send(response, status, errorPage(this.parts, message));
  }
}
