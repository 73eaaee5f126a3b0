import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { ALICE, API, OPAQUE_API, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, pkce, Visitor } from './visitor.js';

type Tokens = Readonly<Record<string, string>>;

describe.each(ADAPTERS)('R-AS-12 tokens for several resources, on %s', (adapter) => {
  let server: ServerApp;
  let authorization: string;
  let clientId: string;
  beforeAll(async () => {
    server = await startServer(adapter);
    const scopes = ['users:read', 'users:write', 'files:read'];
    const client = await server.register({ scopes, resources: [] });
    ({ clientId } = client);
    authorization = `Basic ${Buffer.from(`${clientId}:${client.clientSecret}`).toString('base64')}`;
  });
  afterAll(() => server.close());

  const post = (path: string, body: string, as = authorization) =>
    send<Tokens>(server.port, 'POST', path, {
      headers: { authorization: as, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
  const token = (form: Record<string, string>) => post('/oauth/token', new URLSearchParams(form).toString());
  const connect = async (allow: (scopes: readonly string[]) => readonly string[]) => {
    const proof = pkce();
    const both = new URLSearchParams([
      ['resource', API],
      ['resource', OPAQUE_API],
    ]).toString();
    const scope = 'users:read users:write files:read';
    const url = `${authorizeUrl(server.issuer, clientId, proof, { scope, prompt: 'consent' })}&${both}`;
    const back = await authorize(new Visitor(server.port, server.issuer), url, ALICE, allow);
    return (resource?: string) =>
      token({
        grant_type: 'authorization_code',
        code: back.searchParams.get('code') ?? '',
        redirect_uri: REDIRECT,
        code_verifier: proof.verifier,
        ...(resource && { resource }),
      });
  };

  it('R-AS-11 R-AS-12 R-AS-13 each token is for one resource, with the scopes that were allowed there', async () => {
    let offered: readonly string[] = [];
    const exchange = await connect((scopes) => {
      offered = scopes;
      return scopes.filter((one) => !one.startsWith('users:write'));
    });
    expect(offered).toEqual([`users:read ${API}`, `users:write ${API}`, `files:read ${OPAQUE_API}`]);
    const first = await exchange(API);
    expect([first.status, first.json['scope']]).toEqual([200, 'users:read']);
    expect(decodeJwt(first.json['access_token']!)).toMatchObject({ aud: API, scope: 'users:read' });
    const refresh = (more: Record<string, string>, from = first) =>
      token({ grant_type: 'refresh_token', refresh_token: from.json['refresh_token']!, ...more });
    const second = await refresh({ resource: OPAQUE_API });
    expect([second.status, second.json['scope']]).toEqual([200, 'files:read']);
    const reader = await server.register({ redirectUris: [], scopes: [], resourceServer: OPAQUE_API });
    const asReader = `Basic ${Buffer.from(`${reader.clientId}:${reader.clientSecret}`).toString('base64')}`;
    const known = await post('/oauth/introspect', `token=${second.json['access_token']}`, asReader);
    expect(known.json).toMatchObject({ active: true, aud: OPAQUE_API, scope: 'files:read' });
    const third = await refresh({ resource: API, scope: 'users:read' }, second);
    expect(decodeJwt(third.json['access_token']!)).toMatchObject({ aud: API, scope: 'users:read' });
    expect((await refresh({ resource: API, scope: 'users:write' }, third)).json['error']).toBe(
      'invalid_scope',
    );
    expect((await refresh({ resource: `${API}/` }, third)).json['error']).toBe('invalid_target');
    const foreign = await connect((scopes) => scopes);
    expect((await foreign('https://other.example.test')).json['error']).toBe('invalid_target');
  });

  it('R-AS-11 R-AS-12 who asks for tokens for itself names one resource', async () => {
    const robot = await server.register({
      redirectUris: [],
      scopes: ['users:read', 'files:read'],
      resources: [],
    });
    const as = `Basic ${Buffer.from(`${robot.clientId}:${robot.clientSecret}`).toString('base64')}`;
    const ask = (more: string) => post('/oauth/token', `grant_type=client_credentials${more}`, as);
    const at = (resource: string) => `&resource=${encodeURIComponent(resource)}`;
    expect((await ask('&scope=users:read')).json['error']).toBe('invalid_target');
    expect((await ask(at(API) + at(OPAQUE_API))).json['error']).toBe('invalid_target');
    const good = await ask(`&scope=users:read${at(API)}`);
    expect(decodeJwt(good.json['access_token']!)).toMatchObject({ aud: API, scope: 'users:read' });
    // Nothing is given that was not asked for.
    expect((await ask(at(API))).json['scope']).toBeUndefined();
    for (const scope of ['files:read', 'users:read files:read'])
      expect((await ask(`&scope=${scope}${at(API)}`)).json['error']).toBe('invalid_scope');
  });
});
