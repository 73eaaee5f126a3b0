import { finished } from 'node:stream';

import { Logger } from '@nestjs/common';
import type * as Oidc from 'oidc-provider';

import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import { KeyRingSeal } from '../authentication/jwt/key-ring-seal.js';
import { SigningKeyRing } from '../authentication/jwt/signing-key-ring.js';
import type { TokenSigner } from '../authentication/jwt/token-issuer.js';
import type { TokenService } from '../authentication/jwt/token.service.js';
import type { StoreCalls } from '../authentication/store-calls.js';
import type { SecurityClock } from '../clock.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { readBody } from '../http/body/read-body.js';
import type { RequestState } from '../http/request-state.js';
import { LoginBackoff } from '../authentication/login-backoff.js';
import { ApplicationsPage } from './applications/applications-page.js';
import type { ApplicationsService } from './applications/applications.service.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import type { Account } from './authorization-server.options.js';
import type { ClientService } from './clients/client.service.js';
import { FormTokens } from './form-tokens.js';
import { interactionIn, InteractionEnded, Interactions } from './interactions.js';
import { LoginCheck, assertAccount } from './login-check.js';
import { PageWriter } from './pages/page-writer.js';
import { ClientAdapter } from './provider/client-adapter.js';
import { createProvider } from './provider/create-provider.js';
import { withStepUpNames } from './provider/step-up-parameters.js';
import { RecordAdapter } from './records/record-adapter.js';
import { RecordKeyRingStore } from './records/record-key-ring-store.js';
import type { RecordSeal } from './records/record-seal.js';
import { ROUTES } from './server-address.js';
import { serverMetadata } from './server-metadata.js';

const DAY_MS = 86_400_000;
const KEYS_EVERY_MS = 15_000;
const PURGE_EVERY_MS = 600_000;
const PURGED_AT_ONCE = 500;
const PURGE_ROUNDS = 100;
const MAX_FORM_BYTES = 16_384;
const MAX_REQUEST_BYTES = 65_536;
/** Clocks, and a key that has just stopped signing on another node. */
const KEY_MARGIN_MS = 120_000;

/** The endpoints that clients call, with a form. */
const FORM_ENDPOINTS: ReadonlySet<string> = new Set([
  ROUTES.token,
  ROUTES.revocation,
  ROUTES.introspection,
  ROUTES.pushed_authorization_request,
]);
/** What is served by GET alone. */
const DOCUMENTS: ReadonlySet<string> = new Set([ROUTES.metadata, ROUTES.jwks]);

/** What the server works with. */
export interface AuthorizationServerParts {
  readonly settings: AuthorizationServerSettings;
  readonly clients: ClientService;
  readonly applications: ApplicationsService;
  readonly seal: RecordSeal;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
  readonly events: SecurityEvents;
  readonly tokens: TokenService;
  readonly attempts: AttemptLimiter;
}

/** The authorization server itself: its paths, its keys, and what it does by itself now and then. */
export class AuthorizationServer {
  readonly #logger = new Logger('AuthorizationServer');
  readonly #ring: SigningKeyRing;
  readonly #pages: PageWriter;
  readonly #interactions: Interactions;
  readonly #applications: ApplicationsPage;
  readonly #metadata: string;
  #provider:
    | { readonly kid: string; readonly provider: Oidc.Provider; readonly callback: Callback }
    | undefined;
  #oidc: typeof Oidc | undefined;
  #timers: NodeJS.Timeout[] = [];

  constructor(private readonly parts: AuthorizationServerParts) {
    const { settings, clock, clients, events, applications } = parts;
    this.#ring = new SigningKeyRing(clock);
    this.#pages = new PageWriter(settings);
    this.#metadata = serverMetadata(settings);
    const pages = this.#pages;
    const tokens = new FormTokens(settings.cookieKeys);
    const logins = new LoginCheck(settings, new LoginBackoff(settings.storage));
    const findAccount = (id: string) => this.#findAccount(id);
    this.#interactions = new Interactions({ settings, clients, pages, tokens, logins, findAccount, events });
    this.#applications = new ApplicationsPage({ settings, applications, pages, tokens, logins, findAccount });
  }

  /** Loads what it runs on, and begins to look after its keys. @throws Error if oidc-provider is not installed */
  async start(): Promise<void> {
    const { settings, calls, events } = this.parts;
    const { issuer, store, encryptionKeys, signing, lifetimes } = settings;
    this.#oidc = await import('oidc-provider').catch(() => {
      throw new Error('AuthorizationServerModule needs oidc-provider: npm install oidc-provider@9');
    });
    const outlive = lifetimes.accessToken + KEY_MARGIN_MS;
    const publishAhead = Math.min(DAY_MS, signing.rotateEvery / 2);
    this.#ring.open({
      issuer,
      store: new RecordKeyRingStore(store),
      seal: new KeyRingSeal(issuer, encryptionKeys),
      schedule: { ...signing, publishAhead, outlive },
      calls,
      events,
    });
    // What fails is reported, and tried again: until then requests are answered with 503.
    await this.#ring.refresh().catch(() => undefined);
    this.#every(KEYS_EVERY_MS, () => this.#ring.refresh());
    this.#every(PURGE_EVERY_MS, () => this.#purge());
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    await this.parts.settings.store.close?.();
  }

  /** Makes a new signing key now; see `TokenService.rotateSigningKey()`. @returns its `kid` */
  rotateSigningKey(): Promise<string> {
    return this.#ring.rotate();
  }

  /** Takes a signing key out at once, for one that has leaked. @returns false if there is no such key */
  removeSigningKey(kid: string): Promise<boolean> {
    return this.#ring.remove(kid);
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
    if (DOCUMENTS.has(path)) return this.#document(state, path);
    if (state.expectsContinue) response.writeContinue();
    if (FORM_ENDPOINTS.has(path)) return this.#endpoint(state);
    const { method } = request;
    await this.#chargeVisit(state);
    if (path.startsWith(ROUTES.authorization)) {
      if (method !== 'GET') return this.#refuseMethod(state, 'GET');
      request.url = withStepUpNames(request.url ?? '/');
      return this.#callProvider(state);
    }
    if (method !== 'GET' && method !== 'POST') return this.#refuseMethod(state, 'GET, POST');
    const form = method === 'POST' ? await formOf(state) : undefined;
    if (path === ROUTES.applications)
      return this.#applications.handle(request, response, state.address, form);
    const { provider } = await this.#current();
    pin(state, this.parts.settings.issuer);
    const visit = { provider, request, response, address: state.address, form };
    return this.#interactions.handle(visit, interactionIn(path)!);
  }

  /** Each visit leaves records behind, so one address gets so many. */
  async #chargeVisit({ addressKey }: RequestState): Promise<void> {
    const { storage, pageLimit } = this.parts.settings;
    const charge = { key: `as-visit:${addressKey}`, ...pageLimit, cost: 1 };
    const { allowed, states } = await storage.consume([charge]);
    if (allowed) return;
    const retryAfter = Math.max(1, Math.ceil(states[0]!.resetMs / 1000));
    throw new SecurityError('RATE_LIMITED', 'There were too many visits. Wait a little.', { retryAfter });
  }

  /** Token, revocation, introspection and pushed requests (R-AS-08). */
  async #endpoint(state: RequestState): Promise<void> {
    const { request, response } = state;
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Pragma', 'no-cache');
    if (request.method === 'OPTIONS') return this.#callProvider(state);
    if (request.method !== 'POST') return this.#refuseMethod(state, 'POST, OPTIONS');
    const type = request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded')
      return json(state, 415, { error: 'invalid_request', error_description: 'send a form' });
    if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES)
      return json(state, 413, { error: 'invalid_request', error_description: 'the form is too large' });
    await this.parts.attempts.check(state);
    finished(response, () => {
      if (response.statusCode === 401) this.parts.attempts.record(state);
    });
    // Programs are answered as RFC 6749 §5.2 says, whatever they accept.
    request.headers.accept = 'application/json';
    return this.#callProvider(state);
  }

  async #document({ request, response }: RequestState, path: string): Promise<void> {
    if (path === ROUTES.jwks) await this.#signer();
    const text =
      path === ROUTES.metadata ? this.#metadata : JSON.stringify({ keys: this.#ring.publicJwks() });
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.statusCode = 405;
      response.setHeader('Allow', 'GET, HEAD');
      response.end();
      return;
    }
    response.setHeader(
      'Content-Type',
      path === ROUTES.jwks ? 'application/jwk-set+json' : 'application/json',
    );
    response.setHeader('Cache-Control', `public, max-age=${path === ROUTES.jwks ? 300 : 3_600}`);
    response.setHeader('Content-Length', Buffer.byteLength(text));
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  async #callProvider(state: RequestState): Promise<void> {
    const { callback } = await this.#current();
    pin(state, this.parts.settings.issuer);
    // What scripts of other origins may see is up to the client that they belong to.
    state.response.removeHeader('Access-Control-Expose-Headers');
    await callback(state.request, state.response);
  }

  /** The provider with the key that signs now; a new one takes its place when the key has changed. */
  async #current(): Promise<{ readonly provider: Oidc.Provider; readonly callback: Callback }> {
    const signer = await this.#signer();
    if (this.#provider?.kid === signer.kid) return this.#provider;
    const { settings, calls, clock, seal, clients, applications, events } = this.parts;
    const oidc = this.#oidc!;
    const provider = createProvider({
      oidc,
      settings,
      signer,
      adapter: (kind) =>
        kind === 'Client'
          ? new ClientAdapter(clients)
          : new RecordAdapter(kind, {
              store: settings.store,
              seal,
              calls,
              clock,
              spent: spentOf(oidc),
              replayed: (clientId) => events.emit('oauth-grant.replayed', { clientId }),
              ended: (grant) => this.#revoke(grant),
            }),
      findAccount: (id) => this.#findAccount(id),
      grantIdOf: (accountId, clientId) => applications.grantIdOf(accountId, clientId),
      renderError: (ctx) => this.#renderError(ctx),
      events,
    });
    const callback = provider.callback() as Callback;
    this.#provider = { kid: signer.kid, provider, callback };
    return this.#provider;
  }

  async #findAccount(id: string): Promise<Account | undefined> {
    const account = await this.parts.settings.findAccount(id);
    if (account) assertAccount(account);
    return account ?? undefined;
  }

  /** JWTs of a grant are told apart by their `sid`. */
  #revoke(grant: string): Promise<void> {
    const { tokens, settings } = this.parts;
    const principal = { issuer: settings.issuer, id: grant, sessionId: grant };
    return tokens.revoke(principal as Parameters<typeof tokens.revoke>[0]);
  }

  /** The key that signs; where the store was down at the start it is asked again. @throws SecurityError `UNAVAILABLE` */
  async #signer(): Promise<TokenSigner> {
    if (this.#ring.publicJwks().length === 0) await this.#ring.refresh();
    return this.#ring.signer();
  }

  #renderError(ctx: Oidc.KoaContextWithOIDC): void {
    const { headers, body } = this.#errorPage('The application asked in a way that cannot be answered.');
    for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
    ctx.body = body;
  }

  #errorPage(message: string, title = 'This did not work') {
    const { pages } = this.parts.settings;
    return this.#pages.write((view) => pages.error({ ...view, title, message }));
  }

  #refuseMethod({ response }: RequestState, allow: string): void {
    response.statusCode = 405;
    response.setHeader('Allow', allow);
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify({ error: 'invalid_request', error_description: 'the method is not allowed' }),
    );
  }

  #fail(state: RequestState, error: unknown): void {
    const { response, request } = state;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const isForProgram = FORM_ENDPOINTS.has(pathOf(request.url)) || DOCUMENTS.has(pathOf(request.url));
    const { status, message, retryAfter } = this.#explain(error);
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    if (isForProgram) {
      json(state, status, { error: status >= 500 ? 'temporarily_unavailable' : 'invalid_request' });
      return;
    }
    this.#pages.send(response, status, this.#errorPage(message));
  }

  /** What people are told of a failure. */
  #explain(error: unknown): { status: number; message: string; retryAfter?: number } {
    if (error instanceof InteractionEnded) return { status: 400, message: error.message };
    if (error instanceof SecurityError) {
      const { retryAfter } = error.extras;
      const status = error.getStatus();
      const message = status === 503 ? 'The service is busy. Try again in a moment.' : error.message;
      return { status, message, ...(retryAfter !== undefined && { retryAfter }) };
    }
    if (error instanceof Error && error.name === 'SessionNotFound')
      return { status: 400, message: 'The request has expired, or belongs to another browser.' };
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    this.parts.events.emit('error.unhandled', { name, message, stack });
    return { status: 500, message: 'Something went wrong here. Try again in a moment.' };
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    const timer = setInterval(() => void work().catch((error: unknown) => this.#logger.debug(error)), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  async #purge(): Promise<void> {
    const { settings, calls, clock } = this.parts;
    for (let round = 0; round < PURGE_ROUNDS; round++) {
      const removed = await calls.ask(() => settings.store.purge(clock.now(), PURGED_AT_ONCE));
      if (removed < PURGED_AT_ONCE) return;
    }
  }
}

type Callback = (request: RequestState['request'], response: RequestState['response']) => Promise<void>;

const pathOf = (url = '/'): string => url.split('?', 1)[0]!;

/** Where the server is, is said by its issuer alone: nothing that a request says about hosts is looked at. */
function pin({ request, address }: RequestState, issuer: string): void {
  const { host, protocol } = new URL(issuer);
  request.headers.host = host;
  request.headers['x-forwarded-host'] = host;
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  request.headers['x-forwarded-for'] = address;
}

async function formOf({ request }: RequestState): Promise<URLSearchParams> {
  const type = request.headers['content-type']?.split(';', 1)[0]!.trim().toLowerCase();
  // A page of another site can send forms, but not these: they come from this site, or from no page at all.
  const site = request.headers['sec-fetch-site'];
  if (type !== 'application/x-www-form-urlencoded' || (site !== undefined && site !== 'same-origin'))
    throw new InteractionEnded('The form is not one that this page has made.');
  const bytes = await readBody(request, MAX_FORM_BYTES, () => undefined);
  return new URLSearchParams(bytes.toString('utf8'));
}

function json({ response }: RequestState, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

const spentOf =
  ({ errors }: typeof Oidc) =>
  (kind: string): Error =>
    kind === 'ReplayDetection'
      ? new errors.InvalidRequest('it was used before')
      : new errors.InvalidGrant('it was used before');
