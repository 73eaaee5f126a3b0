import {
  MemoryTokenStore,
  SecurityEvents,
  SecurityModule,
  type SecurityOptions,
  type TokenPair,
} from 'nestjs-api-security';
import { type SessionRoutesOptions, SessionsModule } from 'nestjs-api-security/sessions';

import type { Adapter } from '../support/app.js';
import { startBare } from '../support/bare-app.js';
import { type ErrorEnvelope, type HttpResponse, send } from '../support/http-client.js';

export const ISSUER = 'https://own.example.test';
export const PASSWORDS: Readonly<Record<string, string>> = {
  'ada@example.com': 'right',
  'bob@example.com': 'right',
};

/** What an answer may hold. */
export type Answer = HttpResponse<TokenPair & ErrorEnvelope>;

export interface Ask {
  readonly json?: unknown;
  /** An access token. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Through the proxy, from this address. */
  readonly from?: string;
}

/** An application with session routes, and a way to ask it. */
export async function startSessions(
  adapter: Adapter,
  routes: Partial<SessionRoutesOptions> = {},
  options: SecurityOptions = {},
) {
  const security = SecurityModule.forRoot({
    jwt: { issuer: ISSUER, audience: ISSUER, signingKey: 'generate' },
    tokens: { store: new MemoryTokenStore() },
    https: 'off',
    logger: false,
    proxy: { trust: ['127.0.0.1'] },
    rateLimit: { address: false },
    ...options,
  });
  const sessions = SessionsModule.forRoot({
    authenticate: ({ email, password }) => (PASSWORDS[email] === password ? email : undefined),
    ...routes,
  });
  const { app, port, close } = await startBare(adapter, { imports: [security, sessions] });
  const ask = (method: string, path: string, { json, as, headers, from }: Ask = {}): Promise<Answer> =>
    send(port, method, path, {
      ...(json !== undefined && { json }),
      headers: {
        ...(headers as Record<string, string>),
        ...(as !== undefined && { authorization: `Bearer ${as}` }),
        ...(from !== undefined && { 'x-forwarded-for': from }),
      },
    });
  const login = (email = 'ada@example.com', password = 'right', more: Ask = {}) =>
    ask('POST', '/auth/token', { json: { email, password }, ...more });
  return { app, port, close, ask, login, events: app.get(SecurityEvents) };
}

export type SessionsApp = Awaited<ReturnType<typeof startSessions>>;
