import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { ALICE, API, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, pkce, Visitor } from './visitor.js';

describe.each(ADAPTERS)('R-AS the authorization server on %s', (adapter) => {
  let server: ServerApp;
  beforeAll(async () => {
    server = await startServer(adapter);
  });
  afterAll(() => server.close());

  it('R-AS-01 R-AS-02 R-AS-05 R-AS-07 R-AS-12 R-AS-15 code with PKCE, from the question to a token', async () => {
    const { clientId, clientSecret } = await server.register();
    const proof = pkce();
    const visitor = new Visitor(server.port, server.issuer);
    const back = await authorize(visitor, authorizeUrl(server.issuer, clientId, proof), ALICE, ([first]) => [
      first!,
    ]);
    expect(back.href.split('?')[0]).toBe(REDIRECT);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      code: expect.any(String) as string,
      state: 'state-1',
      iss: server.issuer,
    });
    const form = new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: proof.verifier,
    });
    const answer = await send<Record<string, unknown>>(server.port, 'POST', '/oauth/token', {
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: form.toString(),
    });
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    expect([answer.header('cache-control'), answer.header('pragma')]).toEqual(['no-store', 'no-cache']);
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'users:read' });
    const token = answer.json['access_token'] as string;
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(decodeJwt(token)).toMatchObject({
      iss: server.issuer,
      sub: ALICE.id,
      aud: API,
      client_id: clientId,
      scope: 'users:read',
    });
  });
});
