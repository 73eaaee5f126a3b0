import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SecurityEvents } from 'nestjs-api-security';
import {
  AuthorizationServer,
  type AuthorizationStore,
  html,
  MemoryAuthorizationStore,
} from 'nestjs-api-security/authorization-server';
import { openSqlDatabase, SqlAuthorizationStore } from 'nestjs-api-security/sql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { proofMaker } from '../authentication/oauth2/proofs.js';
import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { accessToken, AUDIENCE, ISSUER } from '../support/reference-app.js';
import {
  ALICE,
  API,
  BOB,
  freePort,
  OPAQUE_API,
  REDIRECT,
  type ServerApp,
  type ServerOptions,
  startServer,
} from './server-app.js';
import { authorize, authorizeUrl, csrfIn, pkce, Visitor } from './visitor.js';

const USERS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwt = { issuer: ISSUER, audience: AUDIENCE, publicKey: USERS.publicKey };
const folder = mkdtempSync(join(tmpdir(), 'authorization-server-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A code for a client, by a visitor who allows everything. */
async function codeFor(server: ServerApp, clientId: string, visitor: Visitor, proof = pkce()) {
  const back = await authorize(visitor, authorizeUrl(server.issuer, clientId, proof), ALICE);
  const form = {
    grant_type: 'authorization_code',
    code: back.searchParams.get('code')!,
    redirect_uri: REDIRECT,
    code_verifier: proof.verifier,
  };
  return form;
}

const tokenRequest = (
  server: ServerApp,
  { clientId, clientSecret = '' }: { clientId: string; clientSecret?: string },
  form: Record<string, string>,
) =>
  send<Record<string, string>>(server.port, 'POST', '/oauth/token', {
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(form).toString(),
  });

describe.each(ADAPTERS)('R-AS what users and administrators do, on %s', (adapter) => {
  let server: ServerApp;
  beforeAll(async () => {
    server = await startServer(adapter, { applicationsApi: {}, clientsApi: {} }, { jwt });
  });
  afterAll(() => server.close());

  const call = async (method: string, path: string, claims: Record<string, unknown>, json?: object) =>
    send<Record<string, unknown>>(server.port, method, path, {
      headers: { authorization: `Bearer ${await accessToken(claims, {}, USERS.privateKey)}` },
      ...(json && { json }),
    });

  it('R-AS-13 a user sees who has access, and withdraws it, by API', async () => {
    const client = await server.register();
    const visitor = new Visitor(server.port, server.issuer);
    const { json } = await tokenRequest(server, client, await codeFor(server, client.clientId, visitor));
    const path = '/oauth/authorized-applications';
    const mine = await call('GET', path, { sub: ALICE.id });
    const [one] = (mine.json as { applications: { id: string }[] }).applications;
    expect(one).toMatchObject({
      clientId: client.clientId,
      clientName: 'Printer',
      verified: false,
      access: [{ resource: API, scopes: ['users:read', 'users:write'] }],
    });
    expect((await call('GET', path, { sub: BOB.id })).json).toEqual({ applications: [] });
    expect((await call('DELETE', `${path}/${one!.id}`, { sub: BOB.id })).status).toBe(404);
    expect((await call('DELETE', `${path}/${one!.id}`, { sub: ALICE.id })).status).toBe(204);
    const refresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token']! };
    expect((await tokenRequest(server, client, refresh)).json['error']).toBe('invalid_grant');
    expect((await send(server.port, 'GET', path)).status).toBe(401);
    expect((await call('GET', path, { sub: 'app', client_id: 'app' })).status).toBe(403);
  });

  it('R-AS-13 R-AS-14 the page of applications: a short login of its own, and forms that are its own', async () => {
    const client = await server.register({ name: 'Page <Printer>', verified: true });
    await codeFor(server, client.clientId, new Visitor(server.port, server.issuer));
    const visitor = new Visitor(server.port, server.issuer);
    const login = await visitor.get('/oauth/applications');
    expect(login.text).toContain('Sign in');
    expect(login.header('content-security-policy')).toContain("form-action 'self';");
    const credentials = { login: ALICE.login, password: ALICE.password };
    expect((await visitor.submit('/oauth/applications', credentials)).text).toContain('Sign in');
    const stranger = new Visitor(server.port, server.issuer);
    await stranger.get('/oauth/applications');
    const foreign = { ...credentials, csrf: csrfIn(login.text) };
    expect((await stranger.submit('/oauth/applications', foreign)).text).toContain('Sign in');
    const wrong = await visitor.submit('/oauth/applications', {
      ...credentials,
      password: 'x',
      csrf: csrfIn(login.text),
    });
    expect(wrong.status).toBe(401);
    const { answer: page } = await visitor.follow(
      await visitor.submit('/oauth/applications', { ...credentials, csrf: csrfIn(login.text) }),
    );
    expect(page.text).toContain('Page &lt;Printer&gt;');
    const id = /name="withdraw" value="([^"]+)"/.exec(page.text)![1]!;
    const forged = await visitor.submit('/oauth/applications', { withdraw: id, csrf: csrfIn(login.text) });
    expect([forged.status, forged.text.includes('Nothing has changed')]).toEqual([403, true]);
    const unsigned = await visitor.submit('/oauth/applications', { withdraw: id });
    expect([unsigned.status, unsigned.text.includes('Page &lt;Printer&gt;')]).toEqual([403, true]);
    const done = await visitor.submit('/oauth/applications', { withdraw: id, csrf: csrfIn(page.text) });
    expect(done.text).toContain('Page &lt;Printer&gt; has no access any more.');
    expect(
      (await visitor.submit('/oauth/applications', { action: 'logout', csrf: csrfIn(page.text) })).status,
    ).toBe(303);
    expect((await visitor.get('/oauth/applications')).text).toContain('Sign in');
    visitor.cookies.set('as-applications', {
      value: `${Buffer.from('{"id":"user-alice"}').toString('base64url')}.x`,
      path: '/',
    });
    expect((await visitor.get('/oauth/applications')).text).toContain('Sign in');
  });

  it('R-AS-09 R-AS-20 administrators register clients by API, and nobody else', async () => {
    const admin = { sub: 'boss', roles: ['admin'] };
    const input = { name: 'Scanner', redirectUris: ['https://scan.example/cb'], scopes: ['users:read'] };
    const made = await call('POST', '/oauth/clients', admin, input);
    expect(made.status).toBe(201);
    const { clientId, clientSecret } = made.json as { clientId: string; clientSecret: string };
    expect(clientSecret).toMatch(/^[\w-]{43}$/);
    const one = await call('GET', `/oauth/clients/${clientId}`, admin);
    expect(one.json).not.toHaveProperty('clientSecret');
    expect(one.json).not.toHaveProperty('secretDigest');
    const list = (await call('GET', '/oauth/clients', admin)).text;
    expect(list).toContain(clientId);
    expect(list).not.toContain('secretDigest');
    const rotated = await call('POST', `/oauth/clients/${clientId}/rotate-secret`, admin);
    expect(rotated.json['clientSecret']).not.toBe(clientSecret);
    expect((await tokenRequest(server, { clientId, clientSecret }, { grant_type: 'x' })).status).toBe(401);
    const change = (body: object, by: object = admin) =>
      call('PATCH', `/oauth/clients/${clientId}`, by as typeof admin, body);
    const changed = await change({ name: 'Scanner 2', redirectUris: ['https://scan.example/new'] });
    expect([changed.status, changed.json]).toMatchObject([
      200,
      { clientId, name: 'Scanner 2', redirectUris: ['https://scan.example/new'], scopes: ['users:read'] },
    ]);
    expect(changed.text).not.toContain('secretDigest');
    const secret = rotated.json['clientSecret'] as string;
    const known = await tokenRequest(server, { clientId, clientSecret: secret }, { grant_type: 'x' });
    expect(known.json['error']).toBe('unsupported_grant_type');
    for (const wrong of [{ clientId: 'client_y' }, { authentication: 'none' }, { redirectUris: ['x'] }])
      expect([wrong, (await change(wrong)).status]).toEqual([wrong, 400]);
    expect((await change({ name: 'x' }, { sub: ALICE.id })).status).toBe(403);
    expect((await call('PATCH', '/oauth/clients/client_y', admin, { name: 'x' })).status).toBe(404);
    expect((await call('POST', '/oauth/clients', { sub: ALICE.id }, input)).status).toBe(403);
    expect((await call('POST', '/oauth/clients', admin, { ...input, evil: 1 })).status).toBe(400);
    const bad = await call('POST', '/oauth/clients', admin, {
      ...input,
      redirectUris: ['http://scan.example/cb', 'https://ok.example/cb'],
      scopes: ['made:up'],
    });
    expect(bad.json).toMatchObject({
      error: { code: 'VALIDATION_FAILED', details: [{ path: 'redirectUris[0]' }, { path: 'scopes[0]' }] },
    });
    expect((await call('POST', '/oauth/clients', admin, { ...input, clientId })).status).toBe(409);
    expect((await call('DELETE', `/oauth/clients/${clientId}`, admin)).status).toBe(204);
    expect((await call('DELETE', `/oauth/clients/${clientId}`, admin)).status).toBe(404);
    expect((await send(server.port, 'POST', '/oauth/register', { json: input })).status).toBe(404);
  });
});

describe('R-AS limits, keys and outages', () => {
  async function withServer(
    options: ServerOptions,
    work: (server: ServerApp) => Promise<void>,
    security = {},
  ): Promise<void> {
    const server = await startServer('fastify', options, security);
    try {
      await work(server);
    } finally {
      await server.close();
    }
  }

  it('R-AS-13 R-AK-12 guessing a password is slowed down by account and address', () =>
    withServer({ loginLimit: '3/minute' }, async (server) => {
      const visitor = new Visitor(server.port, server.issuer);
      const attempt = async (password: string, login = ALICE.login) => {
        const { text } = await visitor.get('/oauth/applications');
        return visitor.submit('/oauth/applications', { login, password, csrf: csrfIn(text) });
      };
      for (let i = 0; i < 3; i++) expect((await attempt('wrong')).text).toContain('is not right');
      const held = await attempt(ALICE.password);
      expect(held.text).toContain('too many tries');
      expect([held.status, Number(held.header('retry-after')) > 0]).toEqual([429, true]);
      expect((await attempt('x'.repeat(2_000), BOB.login)).text).toContain('is not right');
      expect((await attempt(BOB.password, BOB.login)).status).toBe(303);
    }));

  it('R-AS-09 R-AS-18 clients that fail to authenticate are held up by address', () =>
    withServer(
      {},
      async (server) => {
        const bad = () =>
          tokenRequest(
            server,
            { clientId: 'client_x', clientSecret: 'x' },
            { grant_type: 'client_credentials' },
          );
        for (let i = 0; i < 3; i++) expect((await bad()).status).toBe(401);
        const limited = await bad();
        expect([limited.status, Number(limited.header('retry-after')) > 0]).toEqual([429, true]);
      },
      { rateLimit: { failedAuthentication: '3/minute' } },
    ));

  it('R-AS-08 one address opens so many pages, and is told when to come back', () =>
    withServer({ pageLimit: '3/minute' }, async (server) => {
      for (let i = 0; i < 3; i++)
        expect((await send(server.port, 'GET', '/oauth/applications')).status).toBe(200);
      const limited = await send(server.port, 'GET', '/oauth/authorize?client_id=x');
      expect([limited.status, Number(limited.header('retry-after')) > 0]).toEqual([429, true]);
      expect(limited.header('content-type')).toContain('text/html');
      expect((await send(server.port, 'GET', '/oauth/jwks')).status).toBe(200);
    }));

  it('R-AS-09 R-AS-18 a client that is removed has nothing any more', () =>
    withServer({}, async (server) => {
      const reader = await server.register({ redirectUris: [], scopes: [], resourceServer: OPAQUE_API });
      const robot = await server.register({
        redirectUris: [],
        scopes: ['files:read'],
        resources: [OPAQUE_API],
      });
      const form = { grant_type: 'client_credentials', scope: 'files:read' };
      const { json } = await tokenRequest(server, robot, form);
      const introspect = () =>
        send(server.port, 'POST', '/oauth/introspect', {
          headers: {
            authorization: `Basic ${Buffer.from(`${reader.clientId}:${reader.clientSecret}`).toString('base64')}`,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: `token=${json['access_token']}`,
        });
      expect((await introspect()).json).toMatchObject({ active: true });
      expect(await server.clients.remove(robot.clientId)).toBe(true);
      const after = await introspect();
      expect([after.status, after.json]).toEqual([200, { active: false }]);
      expect((await tokenRequest(server, robot, form)).status).toBe(401);
    }));

  it('R-AS-14 R-TL-04 behind a proxy that speaks TLS: cookies for https alone, and addresses of the issuer', () =>
    withServer(
      { issuer: 'https://id.example.test' },
      async (server) => {
        const client = await server.register();
        const url = authorizeUrl('', client.clientId, pkce());
        expect((await send(server.port, 'GET', url)).status).toBe(403);
        const headers = {
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'evil.example',
          host: 'evil.example',
        };
        const answer = await send(server.port, 'GET', url, { headers });
        expect(answer.header('location')).toMatch(/^\/oauth\/interaction\//);
        const lines = answer.rawHeaders.filter(([name]) => name.toLowerCase() === 'set-cookie');
        const cookies = lines.map(([, value]) => value);
        const names = cookies.map((cookie) => cookie.split('=')[0]!.replace(/\.sig$/, ''));
        expect(names).toEqual(expect.arrayContaining(['__Secure-as-request', '__Secure-as-resume']));
        for (const cookie of cookies) {
          expect(cookie).toMatch(/; secure/i);
          expect(cookie).toMatch(/; httponly/i);
          expect(cookie).toMatch(/; samesite=lax/i);
          expect(cookie).not.toMatch(/domain=/i);
        }
        const path = '/.well-known/oauth-authorization-server';
        const { json } = await send<Record<string, string>>(server.port, 'GET', path, { headers });
        expect(json['authorization_endpoint']).toBe('https://id.example.test/oauth/authorize');
      },
      { https: 'reject', proxy: { trust: 'loopback' } },
    ));

  it('R-AS-11 what is taken from a user is taken from their applications with the next token', async () => {
    let scopes: string[] | undefined;
    const findAccount = (id: string) => (id === ALICE.id ? { id, ...(scopes && { scopes }) } : undefined);
    await withServer({ findAccount }, async (server) => {
      const client = await server.register();
      const visitor = new Visitor(server.port, server.issuer);
      const first = await tokenRequest(server, client, await codeFor(server, client.clientId, visitor));
      expect(first.json['scope']).toBe('users:read users:write');
      const refresh = (token: string) =>
        tokenRequest(server, client, { grant_type: 'refresh_token', refresh_token: token });
      scopes = ['users:read'];
      const second = await refresh(first.json['refresh_token']!);
      expect(second.json['scope']).toBe('users:read');
      scopes = [];
      const third = await refresh(second.json['refresh_token']!);
      expect(third.json['scope'] ?? '').toBe('');
    });
  });

  it('R-AS-19 keys rotate: published before they sign, kept after, and taken out at once when they leak', () =>
    withServer({ signing: { algorithm: 'EdDSA' } }, async (server) => {
      const keys = server.app.get(AuthorizationServer, { strict: false });
      const kids = async () =>
        (
          await send<{ keys: { kid: string; alg: string }[] }>(server.port, 'GET', '/oauth/jwks')
        ).json.keys.map(({ kid }) => kid);
      const robot = await server.register({ redirectUris: [], scopes: ['users:read'] });
      const signedBy = async () => {
        const { json } = await tokenRequest(server, robot, {
          grant_type: 'client_credentials',
          scope: 'users:read',
        });
        const header = Buffer.from(json['access_token']!.split('.')[0]!, 'base64url').toString();
        return (JSON.parse(header) as { kid: string }).kid;
      };
      const [first] = await kids();
      expect(await signedBy()).toBe(first);
      const second = await keys.rotateSigningKey();
      expect(new Set(await kids())).toEqual(new Set([first, second]));
      expect(await signedBy()).toBe(first);
      expect(await keys.removeSigningKey(first!)).toBe(true);
      expect(await kids()).not.toContain(first);
      expect(await signedBy()).not.toBe(first);
    }));

  it('R-AS-23 R-DP-08 with nonces on, a proof needs one, and gets it', () =>
    withServer({ dpopNonces: true }, async (server) => {
      const app = await server.register({ authentication: 'none' });
      const key = await proofMaker();
      const ask = async (nonce?: string) =>
        send<Record<string, string>>(server.port, 'POST', '/oauth/token', {
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            dpop: await key.proof('POST', `${server.issuer}/oauth/token`, '', { ath: undefined, nonce }),
          },
          body: new URLSearchParams({
            client_id: app.clientId,
            grant_type: 'authorization_code',
            code: 'x',
            redirect_uri: REDIRECT,
            code_verifier: pkce().verifier,
          }).toString(),
        });
      const first = await ask();
      expect([first.status, first.json['error']]).toEqual([400, 'use_dpop_nonce']);
      expect((await ask(first.header('dpop-nonce'))).json['error']).toBe('invalid_grant');
    }));

  it('R-AS-17 R-AS-08 a store that is down is 503, and reported; nobody gets anything', async () => {
    const memory = new MemoryAuthorizationStore();
    let down = false;
    const store = new Proxy(memory, {
      get: (target, name) => {
        const member = Reflect.get(target, name) as unknown;
        if (typeof member !== 'function') return member;
        const method = member.bind(target) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => (down ? Promise.reject(new Error('gone')) : method(...args));
      },
    }) as AuthorizationStore;
    const own = {
      clientId: 'client_own',
      grantTypes: ['authorization_code'] as const,
      name: 'Own',
      secret: randomBytes(32).toString('base64url'),
      redirectUris: [REDIRECT],
      scopes: ['users:read'],
      resources: [API],
      resourceServer: API,
    };
    await withServer({ store, encryptionKey: randomBytes(32), clients: [own] }, async (server) => {
      const client = await server.register();
      const visitor = new Visitor(server.port, server.issuer);
      const form = await codeFor(server, client.clientId, visitor);
      const reported: string[] = [];
      server.app.get(SecurityEvents).stream.subscribe((event) => {
        if (event.type === 'store.failed') reported.push(event.store);
      });
      down = true;
      const refused = await tokenRequest(server, client, form);
      expect([refused.status, refused.header('retry-after')]).toEqual([503, '5']);
      expect(refused.text).not.toContain('gone');
      const page = await visitor.get(authorizeUrl(server.issuer, client.clientId, pkce()));
      expect([page.status, page.text.includes('gone')]).toEqual([503, false]);
      expect(page.text).toContain('The service is busy');
      expect(reported).toContain('authorization-server');
      // Also where the client itself is known without the store.
      const { challenge } = pkce();
      const question = { redirect_uri: REDIRECT, scope: 'users:read', code_challenge: challenge };
      const push = {
        client_id: own.clientId,
        response_type: 'code',
        code_challenge_method: 'S256',
        ...question,
      };
      for (const [path, body] of [
        ['/oauth/revoke', { token: 'x' }],
        ['/oauth/introspect', { token: 'x' }],
        ['/oauth/par', push],
      ] as const) {
        const answer = await send(server.port, 'POST', path, {
          headers: {
            authorization: `Basic ${Buffer.from(`${own.clientId}:${own.secret}`).toString('base64')}`,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams(body).toString(),
        });
        expect([path, answer.status, answer.header('retry-after')]).toEqual([path, 503, '5']);
      }
      down = false;
      expect((await tokenRequest(server, client, form)).status).toBe(200);
    });
  });

  it('R-AS-06 R-AS-09 what is stored holds no secret, and is good for nothing without the key', async () => {
    const file = join(folder, 'sealed.db');
    const database = await openSqlDatabase(`file:${file}`);
    const store = new SqlAuthorizationStore(database);
    const encryptionKey = randomBytes(32);
    await withServer({ store, encryptionKey }, async (server) => {
      const client = await server.register();
      const visitor = new Visitor(server.port, server.issuer);
      const { code, ...form } = await codeFor(server, client.clientId, visitor);
      const { json } = await tokenRequest(server, client, { code, ...form });
      const bytes = [file, `${file}-wal`].map((path) => readFileSync(path).toString('latin1')).join('');
      const secrets = [client.clientSecret!, code, json['refresh_token']!, ALICE.id];
      for (const cookie of visitor.cookies.values()) secrets.push(cookie.value);
      for (const secret of secrets) expect(bytes.includes(secret)).toBe(false);
      expect(bytes).toContain('RefreshToken');
    });
  });

  it('R-AS-19 R-AS-13 a restart loses no grant, no session, no code and no key', async () => {
    const [port, encryptionKey] = [await freePort(), randomBytes(32)];
    const open = async () =>
      new SqlAuthorizationStore(await openSqlDatabase(`file:${join(folder, 'restart.db')}`));
    const start = async () => startServer('express', { store: await open(), encryptionKey }, {}, { port });
    let server = await start();
    const client = await server.register();
    const visitor = new Visitor(server.port, server.issuer);
    const { json } = await tokenRequest(server, client, await codeFor(server, client.clientId, visitor));
    const pending = await codeFor(server, client.clientId, visitor);
    const keysBefore = (await send(server.port, 'GET', '/oauth/jwks')).text;
    await server.close();
    server = await start();
    try {
      expect((await send(server.port, 'GET', '/oauth/jwks')).text).toBe(keysBefore);
      expect((await tokenRequest(server, client, pending)).status).toBe(200);
      const refresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token']! };
      expect((await tokenRequest(server, client, refresh)).status).toBe(200);
      const back = await visitor.get(authorizeUrl(server.issuer, client.clientId, pkce()));
      expect(back.header('location')).toContain('code=');
    } finally {
      await server.close();
    }
  });

  it('R-AS-06 R-CF-03 the key can be changed; what was sealed with one that is gone is gone, and reported', async () => {
    const [port, old, next] = [await freePort(), randomBytes(32), randomBytes(32)];
    const store = new MemoryAuthorizationStore();
    const start = (encryptionKey: Uint8Array | Uint8Array[]) =>
      startServer('express', { store, encryptionKey }, {}, { port });
    let server = await start(old);
    const client = await server.register();
    const visitor = new Visitor(server.port, server.issuer);
    const first = await tokenRequest(server, client, await codeFor(server, client.clientId, visitor));
    await server.close();
    server = await start([next, old]);
    const refresh = (token: string) =>
      tokenRequest(server, client, { grant_type: 'refresh_token', refresh_token: token });
    const second = await refresh(first.json['refresh_token']!);
    expect(second.status).toBe(200);
    await server.close();
    // The ring of signing keys is still sealed with the old key, so the server does not go on without it.
    server = await start(randomBytes(32));
    const reported: string[] = [];
    server.app.get(SecurityEvents).stream.subscribe((event) => {
      if (event.type === 'store.failed') reported.push(event.message);
    });
    expect((await refresh(second.json['refresh_token']!)).status).toBe(503);
    expect(reported.join()).toContain('cannot be opened');
    await server.close();
  });

  it('R-AS-13 counters that cannot be asked let nobody try', () =>
    withServer(
      { storage: { consume: () => Promise.reject(new Error('gone')), reset: () => undefined } },
      async (server) => {
        const page = await send(server.port, 'GET', '/oauth/applications');
        expect([page.status, page.header('retry-after')]).toEqual([503, '5']);
      },
    ));

  it('R-AS-14 the pages can be themed and replaced, and keep their headers', () =>
    withServer(
      {
        theme: { name: 'Example <Inc>', accent: '#123456', language: 'de' },
        pages: { error: ({ title, nonce }) => html`<p data-own="yes">${title} ${nonce}</p>` },
      },
      async (server) => {
        const login = await send(server.port, 'GET', '/oauth/applications');
        expect(login.text).toContain('<html lang="de">');
        expect(login.text).toContain('Example &lt;Inc&gt;');
        expect(login.text).toContain('#123456');
        const error = await send(server.port, 'GET', '/oauth/authorize?client_id=x');
        expect(error.text).toContain('data-own="yes"');
        expect(error.header('content-security-policy')).toContain("default-src 'none'");
      },
    ));

  it('R-CF-01 what is wrong in the options stops the boot, everything at once', async () => {
    const bad = {
      issuer: 'https://id.example.com/path',
      scopes: { openid: 'no', 'two words': 'x', empty: '' },
      resources: [{ identifier: 'x', name: '' }],
      encryptionKey: 'short',
      authenticate: undefined,
      findAccount: undefined,
      clients: [
        { clientId: 'me', name: 'x', secret: 'short' },
        { clientId: 'client_a', name: 'x' },
      ],
      lifetimes: { accessToken: '1d', code: '1h', more: 1 },
      signing: { algorithm: 'HS256' },
      pushedRequests: 'maybe',
      theme: { accent: 'url(x)' },
      odd: 1,
    } as never;
    await expect(startServer('express', bad)).rejects.toThrow(
      /option\.unknown[^]*issuer\.path[^]*authenticate\.missing[^]*findAccount\.missing[^]*scopes\.name[^]*scopes\.words[^]*resources\.identifier[^]*encryptionKey\.refused[^]*pushedRequests\.unknown[^]*theme\.accent[^]*client\.invalid[^]*lifetimes\.option\.unknown[^]*lifetimes\.accessToken\.bounds[^]*lifetimes\.code\.bounds[^]*signing\.algorithm\.unknown/,
    );
    const store = new MemoryAuthorizationStore();
    await expect(startServer('express', { store, encryptionKey: undefined as never })).rejects.toThrow(
      'encryptionKey.missing',
    );
    await expect(startServer('express', { issuer: 'http://127.0.0.1:1', production: true })).rejects.toThrow(
      'issuer.insecure',
    );
  });
});
