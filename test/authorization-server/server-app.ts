import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import { type DynamicModule, Module } from '@nestjs/common';
import { SecurityEvents, SecurityModule, type SecurityOptions } from 'nestjs-api-security';
import {
  AuthorizationServerModule,
  type AuthorizationServerOptions,
  type AuthorizationServerRoutes,
  ClientService,
  type ClientRegistration,
  type IssuedClient,
} from 'nestjs-api-security/authorization-server';

import { type Adapter, type RunningApp, startApp, type StartOptions } from '../support/app.js';

export const API = 'https://api.example.test';
export const OPAQUE_API = 'https://files.example.test';
export const REDIRECT = 'https://app.example.test/callback';
export const SCOPES = {
  'users:read': 'See the list of users',
  'users:write': 'Add and change users',
  'files:read': 'Read your files',
};
export const ALICE = {
  id: 'user-alice',
  name: 'Alice',
  login: 'alice@example.test',
  password: 'correct horse',
};
export const BOB = { id: 'user-bob', name: 'Bob', login: 'bob@example.test', password: 'battery staple' };
const ACCOUNTS = [ALICE, { ...BOB, scopes: ['users:read'] }];

export type ServerOptions = Partial<AuthorizationServerOptions> & AuthorizationServerRoutes;

export interface ServerApp extends RunningApp {
  readonly issuer: string;
  readonly clients: ClientService;
  register(input?: Partial<ClientRegistration>): Promise<IssuedClient>;
}

/** A port that nobody listens on at this moment: the issuer has to be known before the server runs. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => {
    server.close(done);
  });
  return port;
}

export function serverModule(issuer: string, options: ServerOptions = {}): DynamicModule {
  return AuthorizationServerModule.forRoot({
    issuer,
    scopes: SCOPES,
    resources: [
      { identifier: API, name: 'Example', scopes: ['users:read', 'users:write'] },
      { identifier: OPAQUE_API, name: 'Files', scopes: ['files:read'], tokenFormat: 'opaque' },
    ],
    encryptionKey: KEY,
    loginLimit: '1000/minute',
    pageLimit: '100000/minute',
    authenticate: ({ login, password }) =>
      ACCOUNTS.find((one) => one.login === login && one.password === password),
    findAccount: (id) => ACCOUNTS.find((one) => one.id === id),
    ...options,
  });
}

const KEY = randomBytes(32);

export async function startServer(
  adapter: Adapter,
  options: ServerOptions = {},
  security: SecurityOptions = {},
  start: StartOptions & {
    readonly port?: number;
    readonly controllers?: readonly (new (...a: never[]) => unknown)[];
  } = {},
): Promise<ServerApp> {
  const { port = await freePort(), controllers = [], ...rest } = start;
  const issuer = options.issuer ?? `http://127.0.0.1:${port}`;
  @Module({
    imports: [
      SecurityModule.forRoot({
        https: 'off',
        logger: false,
        rateLimit: { failedAuthentication: false, address: '100000/minute' },
        ...security,
      }),
      serverModule(issuer, options),
    ],
    controllers: [...controllers],
  })
  class ServerModule {}
  const running = await startApp(adapter, ServerModule, { ...rest, port });
  running.app.get(SecurityEvents).stream.subscribe((event) => {
    if (event.type === 'error.unhandled') console.error(event.stack);
  });
  const clients = running.app.get(ClientService, { strict: false });
  return {
    ...running,
    issuer,
    clients,
    register: (input = {}) =>
      clients.register({
        name: 'Printer',
        redirectUris: [REDIRECT],
        scopes: ['users:read', 'users:write'],
        resources: [API],
        ...input,
      }),
  };
}
