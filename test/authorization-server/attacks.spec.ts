import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { exportJWK, SignJWT } from 'jose';
import { SecurityEvents } from 'nestjs-api-security';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { proofMaker } from '../authentication/oauth2/proofs.js';
import { ADAPTERS } from '../support/app.js';
import { type HttpResponse, send } from '../support/http-client.js';
import { ALICE, API, BOB, OPAQUE_API, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, csrfIn, type Pkce, pkce, scopesIn, Visitor } from './visitor.js';

type Tokens = Readonly<Record<string, string>>;
interface Credentials {
  readonly clientId: string;
  readonly clientSecret?: string;
}

const basic = ({ clientId, clientSecret = '' }: Credentials): string =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;

describe.each(ADAPTERS)('R-AS attacks on the authorization server on %s', (adapter) => {
  let server: ServerApp;
  let client: Credentials;
  let resource: Credentials;
  let visitor: Visitor;
  let proof: Pkce;
  const events: string[] = [];

  beforeAll(async () => {
    server = await startServer(adapter);
    server.app.get(SecurityEvents).stream.subscribe(({ type }) => events.push(type));
    client = await server.register();
    resource = await server.register({ name: 'API', redirectUris: [], scopes: [], resourceServer: API });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    visitor = new Visitor(server.port, server.issuer);
    proof = pkce();
    events.length = 0;
  });

  const post = (
    path: string,
    form: Record<string, string> | string,
    headers: Record<string, string> = {},
  ): Promise<HttpResponse<Tokens>> =>
    send<Tokens>(server.port, 'POST', path, {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    });
  const token = (form: Record<string, string>, as = client, headers: Record<string, string> = {}) =>
    post('/oauth/token', form, { authorization: basic(as), ...headers });
  const exchange = (code: string, changes: Record<string, string> = {}, as = client) =>
    token(
      {
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT,
        code_verifier: proof.verifier,
        ...changes,
      },
      as,
    );
  const code = async (changes: Record<string, string | undefined> = {}, as = client): Promise<string> => {
    const url = authorizeUrl(server.issuer, as.clientId, proof, changes);
    return (await authorize(visitor, url, ALICE)).searchParams.get('code')!;
  };
  const refresh = (refreshToken: string, form: Record<string, string> = {}, as = client) =>
    token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...form }, as);
  const introspect = (accessToken: string, as = resource) =>
    post('/oauth/introspect', { token: accessToken }, { authorization: basic(as) });
  /** Where an authorization request is answered at once, without asking anybody. */
  const answer = async (changes: Record<string, string | undefined>, as = client) =>
    visitor.get(authorizeUrl(server.issuer, as.clientId, proof, changes));
  const errorIn = (response: HttpResponse) => {
    const url = new URL((response.header('location') ?? 'about:blank').replace('#', '?'));
    return { target: url.href.split('?')[0], ...Object.fromEntries(url.searchParams) };
  };

  it('R-AS-01 R-PM-01 the metadata name what there is', async () => {
    const { json, headers } = await send<Record<string, unknown>>(
      server.port,
      'GET',
      '/.well-known/oauth-authorization-server',
      { headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } },
    );
    expect(json).toMatchObject({
      issuer: server.issuer,
      token_endpoint: `${server.issuer}/oauth/token`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
    expect(json).not.toHaveProperty('registration_endpoint');
    expect(json).not.toHaveProperty('device_authorization_endpoint');
    expect(headers['access-control-allow-origin']).toBe('*');
    expect((await send(server.port, 'GET', '/.well-known/openid-configuration')).status).toBe(404);
  });

  it('R-AS-04 unknown clients and bad redirect URIs end on a page of ours, never in a redirect', async () => {
    const bad: [string, Record<string, string | undefined>][] = [
      ['unknown client', { client_id: 'client_unknown' }],
      ['no client', { client_id: undefined }],
      ['another host', { redirect_uri: 'https://evil.example/callback' }],
      ['a longer path', { redirect_uri: `${REDIRECT}/more` }],
      ['a query', { redirect_uri: `${REDIRECT}?next=https://evil.example` }],
      ['capitals', { redirect_uri: REDIRECT.toUpperCase() }],
      ['no redirect URI', { redirect_uri: undefined }],
      ['a fragment', { redirect_uri: `${REDIRECT}#x` }],
      ['markup', { client_id: '<script>alert(1)</script>', state: '"><script>alert(2)</script>' }],
    ];
    for (const [name, changes] of bad) {
      const response = await answer(changes);
      expect([name, response.status, response.header('location')]).toEqual([name, 400, undefined]);
      expect(response.header('content-type')).toContain('text/html');
      expect(response.header('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(response.text).not.toContain('evil.example');
      expect(response.text).not.toContain('<script');
    }
  });

  it('R-AS-02 R-AS-05 R-AS-07 R-AS-11 R-AS-12 R-AS-20 other errors go back to the client, with state and iss', async () => {
    const cases: [Record<string, string | undefined>, string][] = [
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ response_type: 'id_token token' }, 'unsupported_response_type'],
      [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge_method: undefined }, 'invalid_request'],
      [{ code_challenge: 'short' }, 'invalid_request'],
      [{ scope: 'users:read made:up' }, 'invalid_scope'],
      [{ scope: 'files:read' }, 'invalid_scope'],
      [{ resource: 'https://other.example.test' }, 'invalid_target'],
      [{ resource: OPAQUE_API }, 'invalid_target'],
      [{ request: 'a.b.c' }, 'request_not_supported'],
      [{ request_uri: 'https://evil.example/request' }, 'request_uri_not_supported'],
      [{ prompt: 'none' }, 'login_required'],
    ];
    for (const [changes, error] of cases) {
      const response = await answer(changes);
      expect([changes, response.status, errorIn(response)]).toEqual([
        changes,
        303,
        expect.objectContaining({ target: REDIRECT, error, state: 'state-1', iss: server.issuer }),
      ]);
    }
  });

  it('R-AS-08 a parameter that comes twice is refused', async () => {
    const url = `${authorizeUrl(server.issuer, client.clientId, proof)}&scope=users:read`;
    expect(errorIn(await visitor.get(url))).toMatchObject({ error: 'invalid_request' });
    const twice = await visitor.get(`${authorizeUrl(server.issuer, client.clientId, proof)}&client_id=x`);
    expect([twice.status, twice.header('location')]).toEqual([400, undefined]);
    const body = 'grant_type=client_credentials&grant_type=client_credentials';
    expect((await post('/oauth/token', body, { authorization: basic(client) })).json['error']).toBe(
      'invalid_request',
    );
  });

  it('R-AS-08 R-AS-15 the token endpoint takes forms by POST, and says errors as RFC 6749 does', async () => {
    const get = await send<Tokens>(server.port, 'GET', '/oauth/token');
    expect([get.status, get.header('allow')]).toEqual([405, 'POST, OPTIONS']);
    const json = await send<Tokens>(server.port, 'POST', '/oauth/token', { json: { grant_type: 'x' } });
    expect(json.status).toBe(415);
    const html = await token({ grant_type: 'x' }, client, { accept: 'text/html' });
    expect([html.status, html.header('content-type')]).toEqual([400, 'application/json; charset=utf-8']);
    expect(html.header('cache-control')).toBe('no-store');
    const large = await token({ grant_type: 'x'.repeat(70_000) });
    expect(large.status).toBe(413);
    for (const grantType of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:device_code', 'x'])
      expect((await token({ grant_type: grantType })).json['error']).toBe('unsupported_grant_type');
    expect((await token({ grant_type: '' })).json['error']).toBe('invalid_request');
    expect((await token({})).json['error']).toBe('invalid_request');
  });

  it('R-AS-09 a client must be itself; an unknown one and a wrong secret look alike', async () => {
    const other = await server.register();
    const form = { grant_type: 'client_credentials' };
    const wrong = await token(form, { ...client, clientSecret: other.clientSecret! });
    const unknown = await token(form, { clientId: 'client_nobody', clientSecret: 'x' });
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(wrong.json).toEqual(unknown.json);
    expect(wrong.json['error']).toBe('invalid_client');
    expect(wrong.header('www-authenticate')).toMatch(/^Basic /);
    const none = await post('/oauth/token', { ...form, client_id: client.clientId });
    expect([none.status, none.json['error']]).toEqual([401, 'invalid_client']);
    const inBody = { client_id: client.clientId, client_secret: client.clientSecret! };
    expect((await post('/oauth/token', { ...form, ...inBody })).status).toBe(401);
    const two = await token({ ...form, client_assertion: 'a.b.c', client_assertion_type: 'x' });
    expect([two.status, two.json['error']]).toEqual([400, 'invalid_request']);
    // What is stored is a digest, and a digest is no secret.
    const stored = await server.clients.find(client.clientId);
    expect(stored?.secretDigest).toMatch(/^[\w-]{43}$/);
    expect(stored?.secretDigest).not.toBe(client.clientSecret);
    expect((await token(form, { ...client, clientSecret: stored!.secretDigest! })).status).toBe(401);
  });

  it('R-AS-09 an assertion is for this server alone, lives shortly, and works once', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1' };
    const { clientId } = await server.register({
      authentication: 'private-key',
      jwks: { keys: [jwk] },
      redirectUris: [],
    });
    const now = Math.floor(Date.now() / 1000);
    const assertion = (claims: Record<string, unknown> = {}) =>
      new SignJWT({
        iss: clientId,
        sub: clientId,
        aud: server.issuer,
        iat: now,
        exp: now + 60,
        jti: randomBytes(8).toString('hex'),
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(pair.privateKey);
    const use = async (text: string) => {
      const { status, json } = await post('/oauth/token', {
        grant_type: 'client_credentials',
        scope: 'users:read',
        client_id: clientId,
        client_assertion: text,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      return status === 200 ? 'good' : `${status} ${json['error']}`;
    };
    const once = await assertion();
    expect(await use(once)).toBe('good');
    expect(await use(once)).toBe('401 invalid_client');
    const bad = [
      { aud: 'https://other.example' },
      { aud: [server.issuer, 'https://other.example'] },
      { exp: now + 400 },
      { exp: now - 60 },
      { exp: undefined },
      { jti: undefined },
      { iss: 'client_other' },
    ];
    for (const claims of bad)
      expect([claims, await use(await assertion(claims))]).toEqual([claims, '401 invalid_client']);
  });

  it('R-AS-05 R-AS-06 a code is for its client, redirect URI and challenge', async () => {
    const other = await server.register();
    const refused = async (changes: Record<string, string>, as = client) => {
      const { status, json } = await exchange(await code(), changes, as);
      return `${status} ${json['error']}`;
    };
    expect(await refused({ code_verifier: pkce().verifier })).toBe('400 invalid_grant');
    expect(await refused({ code_verifier: 'short' })).toMatch(/^400 invalid_(?:grant|request)$/);
    expect(await refused({ code_verifier: '' })).toMatch(/^400 invalid_(?:grant|request)$/);
    expect(await refused({ redirect_uri: `${REDIRECT}x` })).toBe('400 invalid_grant');
    expect(await refused({}, other)).toBe('400 invalid_grant');
    expect(await refused({ code: 'made-up' })).toBe('400 invalid_grant');
  });

  it('R-AS-06 a code that comes twice is refused, and ends what the first time gave', async () => {
    const value = await code();
    const first = await exchange(value);
    expect(first.status).toBe(200);
    expect((await refresh(first.json['refresh_token']!)).status).toBe(200);
    expect((await exchange(value)).json['error']).toBe('invalid_grant');
    expect(events).toContain('oauth-grant.replayed');
    expect((await refresh(first.json['refresh_token']!)).json['error']).toBe('invalid_grant');
  });

  it('R-AS-06 of one code sent twenty times at once one is taken, and then nothing is left', async () => {
    const value = await code();
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(value)));
    const taken = answers.filter(({ status }) => status === 200);
    expect(taken.length).toBeLessThanOrEqual(1);
    expect(answers.every(({ status }) => status === 200 || status === 400)).toBe(true);
    for (const { json } of taken)
      expect((await refresh(json['refresh_token']!)).json['error']).toBe('invalid_grant');
  });

  it('R-AS-02 R-RT-07 refresh tokens rotate; one that comes again ends the family, and scope only shrinks', async () => {
    const { json } = await exchange(await code());
    const second = await refresh(json['refresh_token']!);
    expect(second.json['refresh_token']).not.toBe(json['refresh_token']);
    expect(
      (await refresh(second.json['refresh_token']!, { scope: 'users:read files:read' })).json['error'],
    ).toBe('invalid_scope');
    const less = await refresh(second.json['refresh_token']!, { scope: 'users:read' });
    expect(less.json['scope']).toBe('users:read');
    const other = await server.register();
    expect((await refresh(less.json['refresh_token']!, {}, other)).json['error']).toBe('invalid_grant');
    expect(events).toContain('oauth-grant.refused');
    expect((await refresh(json['refresh_token']!)).json['error']).toBe('invalid_grant');
    expect((await refresh(less.json['refresh_token']!)).json['error']).toBe('invalid_grant');
    expect(events).toContain('token.revoked');
  });

  it('R-AS-13 R-AS-14 R-SH-07 the pages are strict, and their forms are theirs alone', async () => {
    const url = authorizeUrl(server.issuer, client.clientId, proof);
    const login = await visitor.follow(await visitor.get(url));
    for (const [name, value] of [
      ['x-frame-options', 'DENY'],
      ['referrer-policy', 'no-referrer'],
      ['cache-control', 'no-store'],
      ['cross-origin-opener-policy', 'same-origin'],
    ] as const)
      expect(login.answer.header(name)).toBe(value);
    const policy = login.answer.header('content-security-policy')!;
    expect(policy).toMatch(
      /default-src 'none'; style-src 'nonce-[\w-]{22}'; form-action 'self' https:; frame-ancestors 'none'; base-uri 'none'/,
    );
    expect(login.answer.text).toContain(/nonce-([\w-]+)/.exec(policy)![1]!);
    expect(login.answer.text).not.toContain('<script');
    expect(login.answer.text).toContain('<label for="password">');

    const submit = (fields: Record<string, string | string[]>) => visitor.submit(login.url, fields);
    const credentials = { login: ALICE.login, password: ALICE.password, action: 'login' };
    expect((await submit({ ...credentials, csrf: 'x' })).status).toBe(403);
    expect((await submit(credentials)).status).toBe(403);
    const stranger = new Visitor(server.port, server.issuer);
    expect(
      (await stranger.submit(login.url, { ...credentials, csrf: csrfIn(login.answer.text) })).status,
    ).toBe(400);
    const other = await new Visitor(server.port, server.issuer).follow(
      await new Visitor(server.port, server.issuer).get(url),
    );
    expect((await submit({ ...credentials, csrf: csrfIn(other.answer.text) })).status).toBe(403);
    expect(/nonce-([\w-]+)/.exec(other.answer.header('content-security-policy')!)![1]).not.toBe(
      /nonce-([\w-]+)/.exec(policy)![1],
    );
    // The cookie of one request opens no page of another.
    for (const [name, { value }] of visitor.cookies) stranger.cookies.set(name, { value, path: '/' });
    expect((await stranger.get(other.url)).status).toBe(400);
    const foreign = await send(server.port, 'POST', new URL(login.url).pathname, {
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: '',
    });
    expect(foreign.status).toBe(403);

    const csrf = csrfIn(login.answer.text);
    const wrong = await submit({ ...credentials, csrf, password: '"><b>wrong' });
    expect([wrong.status, wrong.text.includes('<b>wrong')]).toEqual([401, false]);
    const consent = await visitor.follow(await submit({ ...credentials, csrf }));
    expect(consent.answer.text).toContain('Allow Printer to access your account?');
    expect(consent.answer.text).toContain('See the list of users');
    expect(consent.answer.text).toContain('is not verified');
    expect(consent.answer.text).toContain('Signed in as <strong>Alice</strong>');
    // The form of the login does nothing here, and a consent is never implied.
    const allow = { scope: scopesIn(consent.answer.text), action: 'allow' };
    expect((await visitor.submit(consent.url, { ...allow, csrf })).status).toBe(403);
    const nothing = await visitor.submit(consent.url, { csrf: csrfIn(consent.answer.text), action: 'allow' });
    expect([nothing.status, nothing.text.includes('Choose at least one')]).toEqual([400, true]);
    const denied = await visitor.follow(
      await visitor.submit(consent.url, { csrf: csrfIn(consent.answer.text), action: 'deny' }),
    );
    expect(errorIn(denied.answer)).toMatchObject({ error: 'access_denied', iss: server.issuer });
    // Once answered, the page is gone.
    const again = await visitor.submit(consent.url, { ...allow, csrf: csrfIn(consent.answer.text) });
    expect(again.status).toBe(400);
  });

  it('R-AS-14 names of clients are text, and nothing else', async () => {
    const named = await server.register({ name: '<img src=x onerror=alert(1)> & "Co"' });
    const { answer: page } = await visitor.follow(await answer({}, named));
    expect(page.text).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Co&quot;');
    await expect(server.register({ name: 'two\nlines' })).rejects.toThrow('cannot be registered');
    await expect(server.register({ name: 'turned \u202Earound' })).rejects.toThrow('cannot be registered');
  });

  it('R-AS-13 consent is asked once, again for what was denied, and never gives more than was allowed', async () => {
    const url = authorizeUrl(server.issuer, client.clientId, proof);
    const fresh = await server.register();
    const own = url.replace(client.clientId, fresh.clientId);
    const first = await authorize(visitor, own, ALICE, ([one]) => [one!]);
    const { json } = await exchange(first.searchParams.get('code')!, {}, fresh);
    expect(json['scope']).toBe('users:read');
    // Asked for the same again, nobody is asked; asked for the rest, they are.
    const silent = await visitor.follow(
      await visitor.get(own.replace('users%3Aread+users%3Awrite', 'users%3Aread')),
    );
    expect(new URL(silent.url).searchParams.get('code')).toBeTruthy();
    const page = await visitor.follow(await visitor.get(own));
    expect(scopesIn(page.answer.text)).toHaveLength(2);
    // A browser of somebody else, with the same account: the consent is the account's.
    const elsewhere = new Visitor(server.port, server.issuer);
    const again = await authorize(
      elsewhere,
      own.replace('users%3Aread+users%3Awrite', 'users%3Aread'),
      ALICE,
      () => {
        throw new Error('asked again');
      },
    );
    expect(again.searchParams.get('code')).toBeTruthy();
  });

  it('R-AS-11 nobody gives away what they do not have', async () => {
    const url = authorizeUrl(server.issuer, client.clientId, proof);
    let offered: readonly string[] = [];
    const back = await authorize(visitor, url, BOB, (scopes) => {
      offered = scopes;
      return scopes;
    });
    expect(offered).toEqual([`users:read ${API}`]);
    const { json } = await exchange(back.searchParams.get('code')!);
    expect(json['scope']).toBe('users:read');
  });

  it('R-AS-10 a public client needs no secret, gets none, and an installed one is asked about each time', async () => {
    const native = await server.register({
      authentication: 'none',
      redirectUris: ['http://127.0.0.1/callback', 'com.example.app:/callback'],
    });
    expect(native.clientSecret).toBeUndefined();
    for (let i = 0; i < 2; i++) {
      let asked = false;
      const url = authorizeUrl(server.issuer, native.clientId, proof, {
        redirect_uri: 'http://127.0.0.1:49152/callback',
      });
      const back = await authorize(visitor, url, ALICE, (scopes) => {
        asked = true;
        return scopes;
      });
      expect([asked, back.origin]).toEqual([true, 'http://127.0.0.1:49152']);
      const { status } = await post('/oauth/token', {
        grant_type: 'authorization_code',
        client_id: native.clientId,
        code: back.searchParams.get('code')!,
        redirect_uri: 'http://127.0.0.1:49152/callback',
        code_verifier: proof.verifier,
      });
      expect(status).toBe(200);
    }
    // Only the port may differ.
    const bad = await answer({ redirect_uri: 'http://127.0.0.1:1/other' }, native);
    expect(bad.status).toBe(400);
    const localhost = await answer({ redirect_uri: 'http://localhost:49152/callback' }, native);
    expect(localhost.status).toBe(400);
  });

  it('R-AS-16 a client for itself gets no refresh token, and is never taken for a user', async () => {
    const robot = await server.register({ redirectUris: [], scopes: ['users:read'] });
    const { json } = await token(
      { grant_type: 'client_credentials', scope: 'users:read', resource: API },
      robot,
    );
    expect(json).not.toHaveProperty('refresh_token');
    const claims = JSON.parse(
      Buffer.from(json['access_token']!.split('.')[1]!, 'base64url').toString(),
    ) as object;
    expect(claims).toMatchObject({ sub: robot.clientId, client_id: robot.clientId, aud: API });
    expect(
      (await token({ grant_type: 'client_credentials', scope: 'users:write' }, robot)).json['error'],
    ).toBe('invalid_scope');
    await expect(server.register({ clientId: ALICE.id })).rejects.toThrow('cannot be registered');
    await expect(server.register({ clientId: robot.clientId })).rejects.toThrow('clientId');
  });

  it('R-AS-17 revocation: own tokens alone, and with a refresh token all that came with it', async () => {
    const files = await server.register({ scopes: ['files:read'], resources: [OPAQUE_API] });
    const reader = await server.register({ redirectUris: [], scopes: [], resourceServer: OPAQUE_API });
    const { json } = await exchange(await code({ scope: 'files:read' }, files), {}, files);
    const revoke = (value: string, as: Credentials) =>
      post('/oauth/revoke', { token: value }, { authorization: basic(as) });
    expect((await introspect(json['access_token']!, reader)).json).toMatchObject({ active: true });
    expect((await revoke(json['refresh_token']!, client)).status).toBe(200);
    expect((await introspect(json['access_token']!, reader)).json).toMatchObject({ active: true });
    expect((await revoke('made-up', files)).status).toBe(200);
    expect((await post('/oauth/revoke', { token: json['refresh_token']! })).status).toBe(401);
    expect((await revoke(json['refresh_token']!, files)).status).toBe(200);
    expect((await introspect(json['access_token']!, reader)).json).toEqual({ active: false });
    expect((await refresh(json['refresh_token']!, {}, files)).json['error']).toBe('invalid_grant');
  });

  it('R-AS-18 introspection: for resource servers, about their own tokens', async () => {
    const files = await server.register({ scopes: ['files:read'], resources: [OPAQUE_API] });
    const reader = await server.register({ redirectUris: [], scopes: [], resourceServer: OPAQUE_API });
    const { json } = await exchange(await code({ scope: 'files:read' }, files), {}, files);
    const own = await introspect(json['access_token']!, reader);
    expect(own.json).toMatchObject({
      active: true,
      iss: server.issuer,
      aud: OPAQUE_API,
      sub: ALICE.id,
      client_id: files.clientId,
      scope: 'files:read',
      token_type: 'Bearer',
    });
    expect((await introspect(json['access_token']!, resource)).json).toEqual({ active: false });
    expect((await introspect(json['refresh_token']!, reader)).json).toEqual({ active: false });
    expect((await introspect('made-up', reader)).json).toEqual({ active: false });
    expect((await introspect(json['access_token']!, files)).status).toBe(401);
    expect((await post('/oauth/introspect', { token: json['access_token']! })).status).toBe(401);
  });

  it('R-AS-21 pushed requests are for one use and their client', async () => {
    const push = (as: Credentials, changes: Record<string, string> = {}) =>
      post(
        '/oauth/par',
        {
          client_id: as.clientId,
          response_type: 'code',
          redirect_uri: REDIRECT,
          scope: 'users:read',
          code_challenge: proof.challenge,
          code_challenge_method: 'S256',
          ...changes,
        },
        { authorization: basic(as) },
      );
    const { status, json } = await push(client);
    expect([status, Number(json['expires_in']) <= 60]).toEqual([201, true]);
    const other = await server.register();
    const url = (as: Credentials) =>
      `${server.issuer}/oauth/authorize?${new URLSearchParams({ client_id: as.clientId, request_uri: json['request_uri']! }).toString()}`;
    expect((await visitor.get(url(other))).status).toBe(400);
    const back = await authorize(visitor, url(client), ALICE);
    expect(back.searchParams.get('code')).toBeTruthy();
    expect((await visitor.get(url(client))).status).toBe(400);
    expect((await push(client, { redirect_uri: 'https://evil.example' })).status).toBe(400);
    const strict = await server.register({ pushedRequests: true });
    expect(errorIn(await answer({}, strict))).toMatchObject({ error: 'invalid_request' });
  });

  it('R-AS-22 scripts of registered origins may ask for tokens; the pages they may not read', async () => {
    const browser = await server.register({
      authentication: 'none',
      allowedOrigins: ['https://app.example.test'],
    });
    const form = {
      grant_type: 'authorization_code',
      client_id: browser.clientId,
      code: 'x',
      code_verifier: proof.verifier,
      redirect_uri: REDIRECT,
    };
    const good = await post('/oauth/token', form, { origin: 'https://app.example.test' });
    expect(good.header('access-control-allow-origin')).toBe('https://app.example.test');
    expect(good.header('access-control-allow-credentials')).toBeUndefined();
    const bad = await post('/oauth/token', form, { origin: 'https://evil.example' });
    expect(bad.header('access-control-allow-origin')).toBeUndefined();
    const page = await send(server.port, 'GET', authorizeUrl('', browser.clientId, proof), {
      headers: { origin: 'https://app.example.test' },
    });
    expect(page.header('access-control-allow-origin')).toBeUndefined();
  });

  it('R-AS-23 R-RT-07 tokens are bound to the key of a DPoP proof, refresh tokens of public clients too', async () => {
    const app = await server.register({ authentication: 'none' });
    const key = await proofMaker();
    const uri = `${server.issuer}/oauth/token`;
    const ask = async (form: Record<string, string>, maker = key) =>
      post(
        '/oauth/token',
        { client_id: app.clientId, ...form },
        { dpop: await maker.proof('POST', uri, '', { ath: undefined }) },
      );
    const value = await code({ dpop_jkt: key.jkt }, app);
    const form = {
      grant_type: 'authorization_code',
      code: value,
      redirect_uri: REDIRECT,
      code_verifier: proof.verifier,
    };
    const stolen = await ask(form, await proofMaker());
    expect([stolen.status, stolen.json['error']]).toEqual([400, 'invalid_grant']);
    const { json } = await ask({ ...form, code: await code({ dpop_jkt: key.jkt }, app) });
    expect(json['token_type']).toBe('DPoP');
    const claims = JSON.parse(
      Buffer.from(json['access_token']!.split('.')[1]!, 'base64url').toString(),
    ) as object;
    expect(claims).toMatchObject({ cnf: { jkt: key.jkt } });
    const fresh = { grant_type: 'refresh_token', refresh_token: json['refresh_token']! };
    expect((await ask(fresh, await proofMaker())).json['error']).toBe('invalid_grant');
    expect((await post('/oauth/token', { client_id: app.clientId, ...fresh })).json['error']).toBe(
      'invalid_grant',
    );
    expect((await ask(fresh)).status).toBe(200);
  });

  it('R-AS-19 the key set has public members only', async () => {
    const { json } = await send<{ keys: object[] }>(server.port, 'GET', '/oauth/jwks');
    expect(json.keys.map((key) => Object.keys(key).toSorted())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ]);
  });

  it('R-AS-08 whatever else is asked under its paths is the application’s', async () => {
    for (const path of [
      '/oauth',
      '/oauth/other',
      '/oauth/interaction',
      '/oauth/interaction/short',
      '/oauth/token/x',
    ])
      expect([path, (await send(server.port, 'GET', path)).status]).toEqual([path, 404]);
    expect((await send(server.port, 'POST', '/oauth/authorize')).status).toBe(405);
    expect((await send(server.port, 'GET', '/oauth/authorize/made-up-resume')).status).toBe(400);
  });
});
