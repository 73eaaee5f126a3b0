import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { rawRequest } from '../support/raw-http.js';
import { accessToken, handled, type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

describe.each(ADAPTERS)('CONTRACT-1 credentials on %s', (adapter) => {
  let app: ReferenceApp;
  let key: string;
  let token: string;

  beforeAll(async () => {
    app = await startReferenceApp(adapter);
    key = await app.key();
    token = await accessToken();
  });
  afterAll(() => app.close());

  const get = (path: string, headers: Record<string, string> = {}) =>
    send<ErrorEnvelope>(app.port, 'GET', path, { headers });

  it('CONTRACT-1 R-AU-01 a route without a decorator needs a credential, and takes any configured scheme', async () => {
    expect((await get('/me')).status).toBe(401);
    expect((await get('/me', { authorization: `Api-Key ${key}` })).status).toBe(200);
    expect((await get('/me', { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('R-AU-08 each outcome of authentication has its one status', async () => {
    const weak = await app.key([]);
    const outcomes: [string, Record<string, string>, number, string][] = [
      ['no credential', {}, 401, 'UNAUTHENTICATED'],
      ['a malformed one', { authorization: 'Bearer' }, 400, 'INVALID_REQUEST'],
      ['two', { authorization: `Bearer ${token}`, 'x-api-key': key }, 400, 'INVALID_REQUEST'],
      ['an unknown scheme', { authorization: 'Digest abc' }, 401, 'UNAUTHENTICATED'],
      ['a bad key', { 'x-api-key': 'sk_live_x' }, 401, 'UNAUTHENTICATED'],
      ['a bad token', { authorization: 'Bearer a.b.c' }, 401, 'UNAUTHENTICATED'],
      ['not enough', { 'x-api-key': weak }, 403, 'INSUFFICIENT_SCOPE'],
      ['enough', { 'x-api-key': key }, 200, ''],
    ];
    for (const [name, headers, status, code] of outcomes) {
      const answer = await get('/items', headers);
      expect([name, answer.status, answer.json.error?.code ?? '']).toEqual([name, status, code]);
    }
  });

  it.each(['Api-Key', 'api-key', 'API-KEY', 'aPi-kEy'])(
    'R-AU-03 PITFALL-K1 the scheme may be spelled %s',
    async (scheme) => {
      expect((await get('/items', { authorization: `${scheme} ${key}` })).status).toBe(200);
    },
  );

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])(
    'R-AU-03 the scheme may be spelled %s',
    async (scheme) => {
      expect((await get('/items', { authorization: `${scheme} ${token}` })).status).toBe(200);
    },
  );

  it('R-AU-03 the credential itself keeps its letter case', async () => {
    expect((await get('/items', { authorization: `Api-Key ${key.toUpperCase()}` })).status).toBe(401);
    expect((await get('/items', { authorization: `Bearer ${token.toLowerCase()}` })).status).toBe(401);
  });

  it('CONTRACT-1 R-AK-20 X-API-Key carries a key too', async () => {
    expect((await get('/items', { 'x-api-key': key })).status).toBe(200);
  });

  it('CONTRACT-1 R-AU-02 every 401 has one challenge for each scheme that the route accepts', async () => {
    const both = await get('/items');
    expect(both.status).toBe(401);
    expect(both.json.error.code).toBe('UNAUTHENTICATED');
    const challenges = both.rawHeaders
      .filter(([name]) => name.toLowerCase() === 'www-authenticate')
      .map(([, v]) => v);
    expect(challenges).toHaveLength(2);
    expect(challenges.some((one) => one.startsWith('Bearer realm="'))).toBe(true);
    expect(challenges.some((one) => one.startsWith('Api-Key realm="'))).toBe(true);
    expect(challenges.join()).not.toContain('error=');
  });

  it('R-AU-02 a bad token is named in the challenge of its own scheme only', async () => {
    const { rawHeaders } = await get('/items', { authorization: 'Bearer abc.def.ghi' });
    const challenges = rawHeaders
      .filter(([name]) => name.toLowerCase() === 'www-authenticate')
      .map(([, v]) => v);
    expect(challenges.find((one) => one.startsWith('Bearer'))).toContain('error="invalid_token"');
    expect(challenges.find((one) => one.startsWith('Api-Key'))).not.toContain('error=');
  });

  it('CONTRACT-1 R-AU-04 two credentials are refused and neither is looked at', async () => {
    const both = await get('/items', { authorization: `Bearer ${token}`, 'x-api-key': key });
    expect(both.status).toBe(400);
    expect(both.json.error.code).toBe('INVALID_REQUEST');
  });

  it.each([
    ['the same twice', (k: string) => [`Authorization: Api-Key ${k}`, `Authorization: Api-Key ${k}`]],
    [
      'a good and a bad one',
      (k: string) => [`Authorization: Api-Key ${k}`, 'Authorization: Bearer nonsense'],
    ],
    [
      'a bad and a good one',
      (k: string) => ['Authorization: Bearer nonsense', `Authorization: Api-Key ${k}`],
    ],
    ['two X-API-Key lines', (k: string) => [`X-API-Key: ${k}`, `X-API-Key: ${k}`]],
  ])('R-AU-04 R-AK-20 PITFALL-K7 repeated header lines are refused: %s', async (_, lines) => {
    const before = handled.length;
    const text = ['GET /items HTTP/1.1', 'Host: localhost', 'Connection: close', ...lines(key), '', ''].join(
      '\r\n',
    );
    const answer = await rawRequest(app.port, text);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('INVALID_REQUEST');
    expect(handled).toHaveLength(before);
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer\tX',
    'Bearer X Y',
    'Bearer X, Api-Key Y',
    'Bearer "X"',
    'Bearer \u00e9',
  ])('R-AU-05 PITFALL-J5 a value that breaks the grammar is refused: %j', async (value) => {
    const text = `GET /items HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ${value.replace('X', token)}\r\n\r\n`;
    const answer = await rawRequest(app.port, Buffer.from(text, 'latin1'));
    expect([400, 401]).toContain(answer.status);
    if (answer.status === 400) expect(answer.body).toContain('INVALID_REQUEST');
  });

  it.each(['Basic dXNlcjpwYXNz', 'Digest abc', 'Negotiate abc', 'Frobnicate abc'])(
    'R-AU-07 an unknown scheme is 401 with the challenges: %s',
    async (authorization) => {
      const answer = await get('/items', { authorization });
      expect(answer.status).toBe(401);
      expect(answer.header('www-authenticate')).toContain('Bearer');
    },
  );

  it('CONTRACT-1 R-AU-06 a credential in the URL is refused, and works for nobody', async () => {
    for (const query of [`api_key=${key}`, `access_token=${token}`, `key=${key}`, `token=${token}`]) {
      const answer = await get(`/items?${query}`);
      expect(answer.status, query.slice(0, 12)).toBe(400);
      expect(answer.json.error.code).toBe('INVALID_REQUEST');
      expect(answer.text).not.toContain(key);
    }
  });

  it('R-AU-09 every cause of a bad key looks the same', async () => {
    const revoked = await app.key();
    await app.keys.revoke(revoked.split('_')[2]!);
    const expired = await app.key(['items:read'], { expiresAt: Date.now() + 40 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const unknown = await startKeyOfAnotherApp(adapter);
    const bad = [
      revoked,
      expired,
      unknown,
      'not-a-key',
      `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`,
    ];
    const answers = await Promise.all(bad.map((one) => get('/items', { authorization: `Api-Key ${one}` })));
    for (const { status, text, headers } of answers) {
      expect(status).toBe(401);
      expect(text).toBe(answers[0]!.text);
      expect(headers['www-authenticate']).toBe(answers[0]!.headers['www-authenticate']);
    }
  });

  it('R-AU-10 a credential under the wrong scheme name fails, and tries no other verifier', async () => {
    expect((await get('/items', { authorization: `Bearer ${key}` })).status).toBe(401);
    expect((await get('/items', { authorization: `Api-Key ${token}` })).status).toBe(401);
    expect((await get('/items', { authorization: `DPoP ${token}` })).status).toBe(401);
  });

  it('CONTRACT-1 R-AU-12 a bad credential is refused on a public route, a good one is read', async () => {
    expect((await get('/who')).json).toEqual({ id: null });
    expect((await get('/who', { authorization: `Bearer ${token}` })).json).toEqual({ id: 'user-1' });
    expect((await get('/who', { authorization: 'Bearer nonsense' })).status).toBe(401);
    expect((await get('/public', { 'x-api-key': 'nonsense' })).status).toBe(401);
  });

  it('R-AU-16 HEAD is authenticated and authorised as GET is', async () => {
    expect((await send(app.port, 'HEAD', '/items')).status).toBe(401);
    expect((await send(app.port, 'HEAD', '/items', { headers: { 'x-api-key': key } })).status).toBe(200);
  });

  it('R-AU-11 the principal is the frozen one, without the credential', async () => {
    const { json, text } = await get('/me', { authorization: `Bearer ${token}` });
    expect(json).toEqual({ type: 'user', id: 'user-1', scopes: ['items:read', 'items:write'], roles: [] });
    expect(text).not.toContain(token);
    expect((await get('/user', { authorization: `Bearer ${token}` })).json).toEqual({
      id: 'user-1',
      frozen: true,
    });
  });
});

async function startKeyOfAnotherApp(adapter: (typeof ADAPTERS)[number]): Promise<string> {
  const other = await startReferenceApp(adapter);
  const key = await other.key();
  await other.close();
  return key;
}
