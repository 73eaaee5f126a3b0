import { SignJWT } from 'jose';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type HttpResponse, send } from '../support/http-client.js';
import { ALICE, OPAQUE_API, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, pkce, Visitor } from './visitor.js';

const ORIGIN = 'https://app.example.test';
const EVIL = 'https://evil.example';
const basic = ({ clientId, clientSecret = '' }: { clientId: string; clientSecret?: string }): string =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;

describe.each(ADAPTERS)('R-AS what the endpoints tell to whom, on %s', (adapter) => {
  let server: ServerApp;
  beforeAll(async () => {
    server = await startServer(adapter);
  });
  afterAll(() => server.close());

  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    send<Record<string, unknown>>(server.port, 'POST', path, {
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(form).toString(),
    });
  const ask = (clientId: string, changes: Record<string, string | undefined>) =>
    new Visitor(server.port, server.issuer).get(
      authorizeUrl(server.issuer, clientId, pkce(), { scope: 'users:read', ...changes }),
    );
  const corsOf = ({ rawHeaders }: HttpResponse) =>
    Object.fromEntries(
      rawHeaders.flatMap(([name, value]) =>
        /^access-control-/i.test(name) ? [[name.toLowerCase(), value]] : [],
      ),
    );

  it('R-AS-18 who is no resource server does not even learn whether there is such a token', async () => {
    const files = await server.register({ scopes: ['files:read'], resources: [OPAQUE_API] });
    const proof = pkce();
    const url = authorizeUrl(server.issuer, files.clientId, proof, { scope: 'files:read' });
    const back = await authorize(new Visitor(server.port, server.issuer), url, ALICE);
    const { json } = await post(
      '/oauth/token',
      {
        grant_type: 'authorization_code',
        code: back.searchParams.get('code')!,
        redirect_uri: REDIRECT,
        code_verifier: proof.verifier,
      },
      { authorization: basic(files) },
    );
    const answers = await Promise.all(
      [json['access_token'] as string, json['refresh_token'] as string, 'made-up', 'a.b.c'].map((token) =>
        post('/oauth/introspect', { token }, { authorization: basic(files) }),
      ),
    );
    for (const one of answers)
      expect([one.status, one.text, one.header('www-authenticate')?.split(' ')[0]]).toEqual([
        401,
        answers[0]!.text,
        'Basic',
      ]);
  });

  it('R-AS-01 R-AS-14 answers come by redirect, in the two modes of the metadata, never in a page that sends itself', async () => {
    const { clientId } = await server.register();
    const { json } = await send<Record<string, unknown>>(
      server.port,
      'GET',
      '/.well-known/oauth-authorization-server',
    );
    expect(json['response_modes_supported']).toEqual(['query', 'fragment']);
    for (const mode of ['form_post', 'jwt', 'web_message', 'x'])
      for (const changes of [{}, { scope: 'made:up' }, { prompt: 'none' }]) {
        const answer = await ask(clientId, { response_mode: mode, ...changes });
        expect([mode, answer.status, answer.text.includes('<script')]).toEqual([mode, 303, false]);
        const { searchParams } = new URL(answer.header('location')!);
        expect(Object.fromEntries(searchParams)).toMatchObject({ state: 'state-1', iss: server.issuer });
        expect(searchParams.get('error')).toMatch(/^(unsupported_response_mode|invalid_scope)$/);
      }
    const proof = pkce();
    const url = authorizeUrl(server.issuer, clientId, proof, { response_mode: 'fragment' });
    const back = await authorize(new Visitor(server.port, server.issuer), url, ALICE);
    expect(back.search).toBe('');
    expect(Object.fromEntries(new URLSearchParams(back.hash.slice(1)))).toEqual({
      code: expect.any(String) as string,
      state: 'state-1',
      iss: server.issuer,
    });
  });

  it('R-AS-03 R-AS-04 a redirect URI that is another in one character is none', async () => {
    const { clientId } = await server.register({ redirectUris: [REDIRECT, 'http://127.0.0.1/callback'] });
    for (const uri of [
      `${REDIRECT}/`,
      REDIRECT.replace('callback', 'c%61llback'),
      REDIRECT.replace('callback', '%2e/callback'),
      REDIRECT.replace('callback', './callback'),
      REDIRECT.replace('https', 'http'),
      REDIRECT.replace('app.', 'APP.'),
      REDIRECT.replace('app.', 'sub.app.'),
      REDIRECT.replace('app.', 'user@app.'),
      REDIRECT.replace('.test', '.test:8443'),
      REDIRECT.replace('.test', '.test.evil.example'),
      'http://localhost/callback',
      'http://[::1]/callback',
      'http://127.0.0.2/callback',
      'https://127.0.0.1/callback',
      'http://127.0.0.1/callback?x=1',
    ]) {
      const answer = await ask(clientId, { redirect_uri: uri });
      expect([uri, answer.status, answer.header('location')]).toEqual([uri, 400, undefined]);
    }
    const otherPort = await ask(clientId, { redirect_uri: 'http://127.0.0.1:51234/callback' });
    expect(otherPort.status).toBe(303);
  });

  it('R-AS-09 a second method beside the first is refused, whatever it says', async () => {
    const client = await server.register({ redirectUris: [], scopes: ['users:read'] });
    const form = { grant_type: 'client_credentials', scope: 'users:read' };
    const authorization = basic(client);
    expect((await post('/oauth/token', form, { authorization })).status).toBe(200);
    const secret = { client_secret: client.clientSecret! };
    for (const second of [secret, { client_secret: 'x' }, { client_assertion: 'a.b.c' }]) {
      const { status, json } = await post('/oauth/token', { ...form, ...second }, { authorization });
      expect([second, status, json['error']]).toEqual([second, 400, 'invalid_request']);
    }
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const robot = await server.register({
      redirectUris: [],
      authentication: 'private-key',
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
    });
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(robot.clientId)
      .setSubject(robot.clientId)
      .setAudience(server.issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(privateKey);
    const signed = {
      ...form,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    const both = await post('/oauth/token', { ...signed, client_secret: 'x' });
    expect([both.status, both.json['error']]).toEqual([400, 'invalid_request']);
  });

  it('R-AS-22 R-CO-02 no script reads what is not answered to a client of its origin', async () => {
    const { clientId } = await server.register({ authentication: 'none', allowedOrigins: [ORIGIN] });
    const form = { grant_type: 'authorization_code', client_id: clientId, code: 'x', code_verifier: 'x' };
    for (const path of ['/oauth/token', '/oauth/revoke']) {
      const good = await post(path, { ...form, token: 'x' }, { origin: ORIGIN });
      expect(corsOf(good)).toMatchObject({ 'access-control-allow-origin': ORIGIN });
      expect(good.header('vary')).toContain('Origin');
      for (const origin of [
        EVIL,
        'null',
        'http://app.example.test',
        `${ORIGIN}:8443`,
        `${ORIGIN}.evil.example`,
      ])
        expect([origin, corsOf(await post(path, { ...form, token: 'x' }, { origin }))]).toEqual([origin, {}]);
      // Nor where nobody knows whose client it is, nor without an origin.
      expect(corsOf(await post(path, { ...form, client_id: 'client_x' }, { origin: EVIL }))).toEqual({});
      expect(corsOf(await post(path, { grant_type: 'x' }, { origin: EVIL }))).toEqual({});
      expect(corsOf(await post(path, form))).toEqual({});
    }
  });

  it('R-AS-22 R-CO-05 a preflight allows what there is, and repeats nothing that it was asked', async () => {
    const preflight = (path: string, method: string) =>
      send(server.port, 'OPTIONS', path, {
        headers: {
          origin: ORIGIN,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,dpop,x-evil',
        },
      });
    const answer = await preflight('/oauth/token', 'POST');
    expect([answer.status, corsOf(answer)]).toEqual([
      204,
      {
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
        'access-control-max-age': '3600',
      },
    ]);
    expect(corsOf(await preflight('/oauth/token', 'DELETE'))).toEqual({});
    for (const path of ['/oauth/authorize', '/oauth/applications'])
      expect([path, corsOf(await preflight(path, 'GET'))]).toEqual([path, {}]);
  });
});
