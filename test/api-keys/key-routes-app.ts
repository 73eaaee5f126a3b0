import { generateKeyPairSync } from 'node:crypto';

import type { INestApplication } from '@nestjs/common';
import { SignJWT } from 'jose';
import { ApiKeyService, SecurityEvents, SecurityModule, type SecurityOptions } from 'nestjs-api-security';
import { ApiKeysModule, type ApiKeyRoutesOptions } from 'nestjs-api-security/api-keys';

import type { Adapter } from '../support/app.js';
import { startBare } from '../support/bare-app.js';
import { type ErrorEnvelope, type HttpResponse, send, type SendOptions } from '../support/http-client.js';

/** What the routes answer with, as far as tests look into it. */
export interface KeyView {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: string;
  readonly revokedAt?: string;
  readonly exposedAt?: string;
  readonly overlapEndsAt?: string;
  readonly successor?: string;
}

export type Answer<Json = KeyView> = HttpResponse<Json & ErrorEnvelope>;

export interface KeyRoutesApp {
  readonly port: number;
  readonly app: INestApplication;
  readonly keys: ApiKeyService;
  readonly events: SecurityEvents;
  /** One request; `as` is an API key or a token, told apart by their form. */
  readonly call: <Json = KeyView>(
    method: string,
    path: string,
    as?: string,
    json?: unknown,
  ) => Promise<Answer<Json>>;
  readonly send: <Json = KeyView>(
    method: string,
    path: string,
    options: SendOptions,
  ) => Promise<Answer<Json>>;
  readonly close: () => Promise<void>;
}

export const PLANS = { free: '60/minute', pro: '600/minute' } as const;
const ISSUER = 'https://id.example.test';
const AUDIENCE = 'https://api.example.test';
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const UNLIMITED = { read: '100000/minute', write: '100000/minute' } as const;

/** An application that has nothing but the ready-made routes. */
export async function startKeyRoutes(
  adapter: Adapter,
  routes: ApiKeyRoutesOptions = {},
  options: SecurityOptions = {},
): Promise<KeyRoutesApp> {
  const security = SecurityModule.forRoot({
    apiKeys: { plans: PLANS },
    jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey, algorithms: ['ES256'], tenantClaim: 'tenant' },
    https: 'off',
    logger: false,
    rateLimit: UNLIMITED,
    ...options,
  });
  const { app, port, close } = await startBare(adapter, {
    imports: [security, ApiKeysModule.forRoot(routes)],
  });
  const call = <Json>(method: string, path: string, as?: string, json?: unknown) => {
    const scheme = as?.startsWith('sk_') ? 'Api-Key' : 'Bearer';
    const headers = as === undefined ? {} : { authorization: `${scheme} ${as}` };
    return send<Json & ErrorEnvelope>(port, method, path, { headers, json });
  };
  return {
    app,
    port,
    keys: app.get(ApiKeyService),
    events: app.get(SecurityEvents),
    call,
    send: (method, path, sending) => send(port, method, path, sending),
    close,
  };
}

/** An access token of a person with these scopes. */
export function tokenOf(subject: string, scopes: readonly string[], claims: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ client_id: 'app', scope: scopes.join(' '), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + 600)
    .setJti(`t${Math.random()}`)
    .sign(privateKey);
}
