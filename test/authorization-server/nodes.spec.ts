import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Get, Module } from '@nestjs/common';
import { OAuth2Auth, SecurityModule, type SecurityOptions } from 'nestjs-api-security';
import { ApplicationsService, type AuthorizationStore } from 'nestjs-api-security/authorization-server';
import { openRedis, RedisAuthorizationStore, RedisTokenStore } from 'nestjs-api-security/redis';
import { openSqlDatabase, SqlAuthorizationStore, SqlTokenStore } from 'nestjs-api-security/sql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startPostgres } from '../support/servers/postgres.js';
import { startRedis } from '../support/servers/redis.js';
import { ALICE, API, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, pkce, Visitor } from './visitor.js';

type TokenStore = NonNullable<NonNullable<SecurityOptions['tokens']>['store']>;
interface Stores {
  readonly store: AuthorizationStore;
  readonly tokens: TokenStore;
}

const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function sqlStores(url: string): Promise<Stores> {
  const database = await openSqlDatabase(url, { poolSize: 4 });
  return { store: new SqlAuthorizationStore(database), tokens: new SqlTokenStore(database) };
}

const SERVERS: readonly [string, () => Promise<{ url: string; close: () => Promise<void> }>][] = [
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariadb],
  [
    'SQLite',
    () => Promise.resolve({ url: `file:${join(folder, 'nodes.db')}`, close: () => Promise.resolve() }),
  ],
  ['Redis', startRedis],
];

@Controller()
class UsersController {
  @OAuth2Auth('users:read') @Get('users') list() {
    return { ok: true };
  }
}

describe.each(SERVERS)('two nodes of the authorization server and an API, over %s', (name, open) => {
  let database: { url: string; close: () => Promise<void> };
  let nodes: readonly [ServerApp, ServerApp];
  let api: RunningApp;

  const stores = async (): Promise<Stores> => {
    const { url } = database;
    if (name !== 'Redis') return sqlStores(url);
    return {
      store: new RedisAuthorizationStore(await openRedis(url)),
      tokens: await RedisTokenStore.open(url),
    };
  };

  beforeAll(async () => {
    database = await open();
    const encryptionKey = randomBytes(32);
    const start = async (issuer?: string) => {
      const { store, tokens } = await stores();
      return startServer(
        'fastify',
        { store, encryptionKey, ...(issuer && { issuer }) },
        { tokens: { store: tokens } },
      );
    };
    const first = await start();
    nodes = [first, await start(first.issuer)];
    const { tokens } = await stores();
    @Module({
      imports: [
        SecurityModule.forRoot({
          https: 'off',
          logger: false,
          tokens: { store: tokens, revokedWithin: '1s' },
          oauth2: { resource: API, issuers: [{ issuer: first.issuer }] },
        }),
      ],
      controllers: [UsersController],
    })
    class ApiModule {}
    api = await startApp('express', ApiModule);
  });
  afterAll(async () => {
    await Promise.all([api, ...(nodes ?? [])].map((one) => one?.close()));
    await database?.close();
  });

  const post = (node: ServerApp, { clientId, clientSecret = '' }: Client, form: Record<string, string>) =>
    send<Record<string, string>>(node.port, 'POST', '/oauth/token', {
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(form).toString(),
    });
  const codeFor = async (node: ServerApp, { clientId }: Client) => {
    const proof = pkce();
    const url = authorizeUrl(node.issuer, clientId, proof);
    const back = await authorize(new Visitor(node.port, node.issuer), url, ALICE);
    return {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: proof.verifier,
    };
  };

  it('R-AS-06 R-AS-19 what one node gives the other takes, and both have the same keys', async () => {
    const client = await nodes[0].register();
    const { status, json } = await post(nodes[1], client, await codeFor(nodes[0], client));
    expect(status).toBe(200);
    const refresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token']! };
    expect((await post(nodes[0], client, refresh)).status).toBe(200);
    const keys = await Promise.all(nodes.map((node) => send(node.port, 'GET', '/oauth/jwks')));
    expect(keys[0]!.text).toBe(keys[1]!.text);
  });

  it('R-AS-06 of one code, and of one refresh token, sent to both at once, one is taken', async () => {
    const client = await nodes[0].register();
    for (let round = 0; round < 3; round++) {
      const form = await codeFor(nodes[0], client);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => post(nodes[i % 2]!, client, form)),
      );
      expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
      expect(answers.every(({ status }) => status === 200 || status === 400)).toBe(true);
      const { json } = await post(nodes[0], client, await codeFor(nodes[1], client));
      const refresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token']! };
      const refreshed = await Promise.all(
        Array.from({ length: 20 }, (_, i) => post(nodes[i % 2]!, client, refresh)),
      );
      const won = refreshed.filter(({ status }) => status === 200);
      expect(won.length).toBeLessThanOrEqual(1);
      for (const one of won) {
        const successor = { grant_type: 'refresh_token', refresh_token: one.json['refresh_token']! };
        expect((await post(nodes[1], client, successor)).json['error']).toBe('invalid_grant');
      }
    }
  });

  it('R-AS-13 R-JW-22 access that is withdrawn on one node ends on the other, and JWTs end at the API', async () => {
    const client = await nodes[0].register();
    const { json } = await post(nodes[0], client, await codeFor(nodes[0], client));
    const headers = { authorization: `Bearer ${json['access_token']}` };
    const call = async () => (await send(api.port, 'GET', '/users', { headers })).status;
    expect(await call()).toBe(200);
    const [applications, others] = nodes.map((node) => node.app.get(ApplicationsService, { strict: false }));
    const own = (await others!.list(ALICE.id)).find(({ clientId }) => clientId === client.clientId)!;
    expect(await applications!.withdraw(ALICE.id, own.id)).toBe(true);
    const refresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token']! };
    expect((await post(nodes[1], client, refresh)).json['error']).toBe('invalid_grant');
    const began = performance.now();
    while ((await call()) === 200 && performance.now() - began < 5_000)
      await new Promise((done) => setTimeout(done, 20));
    expect(await call()).toBe(401);
    expect(performance.now() - began).toBeLessThan(4_000);
  });
});

interface Client {
  readonly clientId: string;
  readonly clientSecret?: string;
}
