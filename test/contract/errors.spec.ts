import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { rawRequest } from '../support/raw-http.js';
import { accessToken, handled, type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

const GOOD = { name: 'Bolt', contact: 'a@example.com', lines: [{ sku: 'b1', count: 2 }] };

describe.each(ADAPTERS)('CONTRACT-2 errors on %s', (adapter) => {
  let app: ReferenceApp;
  let key: string;

  beforeAll(async () => {
    app = await startReferenceApp(adapter);
    key = await app.key();
  });
  afterAll(() => app.close());

  const post = (json: unknown, headers: Record<string, string> = {}) =>
    send<ErrorEnvelope>(app.port, 'POST', '/items', { json, headers: { 'x-api-key': key, ...headers } });
  const postRaw = (body: string | Buffer, type = 'application/json') =>
    send<ErrorEnvelope>(app.port, 'POST', '/items', {
      body,
      headers: { 'x-api-key': key, 'content-type': type },
    });

  it('CONTRACT-2 a good body reaches the handler', async () => {
    const answer = await post(GOOD);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toEqual(GOOD);
  });

  it('CONTRACT-2 VALIDATION_FAILED with path, rule and message, and never the value', async () => {
    const before = handled.length;
    const answer = await post({
      ...GOOD,
      contact: 'CANARY-77',
      lines: [
        { sku: 'ok', count: 1 },
        { sku: '', count: 1 },
      ],
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe('VALIDATION_FAILED');
    expect(answer.json.error.details!.map(({ path, rule }) => [path, rule])).toEqual([
      ['contact', 'isEmail'],
      ['lines[1].sku', 'isLength'],
    ]);
    expect(answer.text).not.toContain('CANARY-77');
    expect(handled).toHaveLength(before);
  });

  it.each([
    ['at the top', { ...GOOD, evil: 1 }, 'evil'],
    ['in a nested object of a list', { ...GOOD, lines: [{ sku: 'a', count: 1, evil: 1 }] }, 'lines[0].evil'],
    ['named as a method of every object', { ...GOOD, hasOwnProperty: 1 }, 'hasOwnProperty'],
    ['named as another', { ...GOOD, toString: 1 }, 'toString'],
  ])('CONTRACT-2 R-IV-11 PITFALL-V1 UNEXPECTED_FIELDS %s', async (_, body, path) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({
      code: 'UNEXPECTED_FIELDS',
      message: 'Unexpected fields in request',
    });
    expect(answer.json.error.details).toEqual([expect.objectContaining({ path, rule: 'whitelist' })]);
  });

  it.each([
    ['broken JSON', '{"a":'],
    ['no JSON at all', 'hello'],
    ['trailing data', `${JSON.stringify(GOOD)} x`],
    ['a byte-order mark', `\uFEFF${JSON.stringify(GOOD)}`],
    ['a duplicate name', '{"name":"a","name":"b"}'],
    ['a duplicate name in disguise', '{"name":"a","n\\u0061me":"b"}'],
    ['__proto__', '{"__proto__":{"polluted":1}}'],
    ['constructor, escaped, deep down', '{"a":{"b":[{"constr\\u0075ctor":1}]}}'],
    ['prototype', '{"prototype":1}'],
    ['a NUL', '{"name":"a\\u0000b"}'],
    ['a lone surrogate', '{"name":"\\ud800"}'],
    ['an overflowing number', '{"name":1e400}'],
    ['an integer beyond 2^53', '{"name":9007199254740993}'],
  ])('CONTRACT-2 R-IV-05 R-IV-06 R-IV-07 R-IV-08 MALFORMED_REQUEST for %s', async (_, body) => {
    const answer = await postRaw(body);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.json.error.code).toBe('MALFORMED_REQUEST');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('R-IV-05 MALFORMED_REQUEST for bytes that are not UTF-8', async () => {
    const answer = await postRaw(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]));
    expect(answer.status).toBe(400);
    expect(answer.json.error.code).toBe('MALFORMED_REQUEST');
  });

  it.each([
    ['21 levels', '['.repeat(21) + ']'.repeat(21)],
    ['20 000 levels', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['1 001 items', JSON.stringify({ lines: Array.from({ length: 1_001 }, () => 1) })],
    [
      '1 001 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_v, i) => [`k${i}`, 1]))),
    ],
    ['a key of 129 characters', JSON.stringify({ ['k'.repeat(129)]: 1 })],
  ])('CONTRACT-2 R-IV-04 PITFALL-V5 PAYLOAD_TOO_COMPLEX for %s', async (_, body) => {
    const answer = await postRaw(body);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.json.error.code).toBe('PAYLOAD_TOO_COMPLEX');
  });

  it('CONTRACT-2 R-IV-03 PAYLOAD_TOO_LARGE by declared size, exact at the limit, and while streaming', async () => {
    const padded = (size: number) => JSON.stringify(GOOD).padEnd(size, ' ');
    expect((await postRaw(padded(102_400))).status).toBe(201);
    const over = await postRaw(padded(102_401));
    expect(over.status).toBe(413);
    expect(over.json.error.code).toBe('PAYLOAD_TOO_LARGE');
    const small = await send<ErrorEnvelope>(app.port, 'POST', '/items/small', {
      body: padded(1_025),
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
    });
    expect(small.status).toBe(413);
    const chunked = await send<ErrorEnvelope>(app.port, 'POST', '/items/small', {
      body: padded(2_000),
      headers: { 'x-api-key': key, 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    });
    expect(chunked.status).toBe(413);
  });

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    'json',
    '',
  ])('CONTRACT-2 R-IV-01 PITFALL-V8 UNSUPPORTED_MEDIA_TYPE for %j', async (type) => {
    const answer = await postRaw(JSON.stringify(GOOD), type);
    expect(answer.status, answer.text).toBe(415);
    expect(answer.json.error.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(answer.header('accept')).toContain('application/json');
  });

  it.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
  ])('R-IV-01 accepts %s', async (type) => {
    expect((await postRaw(JSON.stringify(GOOD), type)).status).toBe(201);
  });

  it('R-IV-02 refuses encoded bodies', async () => {
    const answer = await post(GOOD, { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(415);
    expect(answer.header('accept-encoding')).toBe('identity');
  });

  it('R-IV-21 refuses a body on GET', async () => {
    const answer = await send<ErrorEnvelope>(app.port, 'GET', '/items', {
      json: { a: 1 },
      headers: { 'x-api-key': key },
    });
    expect(answer.status).toBe(400);
  });

  it('R-AZ-02 asks who is calling before it looks at the body', async () => {
    const anonymous = await send<ErrorEnvelope>(app.port, 'POST', '/items', {
      body: '{broken',
      headers: { 'content-type': 'application/json' },
    });
    expect(anonymous.status).toBe(401);
    const reader = await app.key(['items:read']);
    const forbidden = await post('{broken', { 'x-api-key': reader });
    expect(forbidden.status).toBe(403);
  });

  it('CONTRACT-2 R-AZ-03 INSUFFICIENT_SCOPE names the scopes that the route needs', async () => {
    const reader = await app.key(['items:read']);
    const answer = await post(GOOD, { 'x-api-key': reader });
    expect(answer.status).toBe(403);
    expect(answer.json.error.code).toBe('INSUFFICIENT_SCOPE');
    expect(answer.json.error.requiredScopes!.toSorted()).toEqual(['items:read', 'items:write']);
    const token = await accessToken({ scope: 'items:read' });
    const bearer = await send<ErrorEnvelope>(app.port, 'POST', '/items', {
      json: GOOD,
      headers: { authorization: `Bearer ${token}` },
    });
    expect(bearer.status).toBe(403);
    expect(bearer.header('www-authenticate')).toMatch(/^Bearer .*error="insufficient_scope".*scope="/);
  });

  it('CONTRACT-2 FORBIDDEN when a role or an address says no', async () => {
    const id = '7b0f1f0e-8f7c-4c1e-9d0a-0d6a3f1b2c3d';
    const body = { sku: 'a', count: 1 };
    const member = await send<ErrorEnvelope>(app.port, 'PATCH', `/items/${id}`, {
      json: body,
      headers: { authorization: `Bearer ${await accessToken()}` },
    });
    expect(member.status).toBe(403);
    expect(member.json.error.code).toBe('FORBIDDEN');
    const admin = await send(app.port, 'PATCH', `/items/${id}`, {
      json: body,
      headers: { authorization: `Bearer ${await accessToken({ roles: ['admin'] })}` },
    });
    expect(admin.status, admin.text).toBe(200);
    const elsewhere = await app.key(['items:read'], { allowedAddresses: ['192.0.2.0/24'] });
    const refused = await send<ErrorEnvelope>(app.port, 'GET', '/items', {
      headers: { 'x-api-key': elsewhere },
    });
    expect(refused.status).toBe(403);
    expect(refused.json.error.code).toBe('FORBIDDEN');
  });

  it('R-AZ-01 a scheme on a method replaces those of its controller, whose scopes still hold', async () => {
    const id = '7b0f1f0e-8f7c-4c1e-9d0a-0d6a3f1b2c3d';
    const path = `/items/${id}`;
    const asJwt = await send(app.port, 'DELETE', path, {
      headers: { authorization: `Bearer ${await accessToken()}` },
    });
    expect(asJwt.status).toBe(401);
    const scopeless = await app.key([]);
    expect((await send(app.port, 'DELETE', path, { headers: { 'x-api-key': scopeless } })).status).toBe(403);
    expect((await send(app.port, 'DELETE', path, { headers: { 'x-api-key': key } })).status).toBe(200);
  });

  it('CONTRACT-2 R-ER-04 NOT_FOUND quotes nothing of the request', async () => {
    const answer = await send<ErrorEnvelope>(app.port, 'GET', '/nope-CANARY?x=CANARY');
    expect(answer.status).toBe(404);
    expect(answer.json).toEqual({ error: { code: 'NOT_FOUND', message: 'Not Found' } });
  });

  it('R-HP-05 a known path with another method is 405 with Allow', async () => {
    const answer = await send<ErrorEnvelope>(app.port, 'PUT', '/public');
    expect(answer.status).toBe(405);
    expect(answer.json.error.code).toBe('METHOD_NOT_ALLOWED');
    expect(answer.header('allow')).toBe('GET, HEAD, POST');
  });

  it('R-HP-05 a path with a slash too many is the route or no route, but never a wrong method', async () => {
    expect([200, 404]).toContain((await send(app.port, 'GET', '/public/')).status);
  });

  it("CONTRACT-2 R-ER-03 an application's own exceptions keep their status, message and code, and nothing else", async () => {
    const teapot = await send<ErrorEnvelope>(app.port, 'GET', '/teapot');
    expect(teapot.status).toBe(418);
    expect(teapot.json.error).toEqual({ code: 'I_M_A_TEAPOT', message: 'short and stout' });
    const own = await send<ErrorEnvelope>(app.port, 'GET', '/own-code');
    expect(own.json).toEqual({ error: { code: 'OUT_OF_STOCK', message: 'Nothing left' } });
    const missing = await send<ErrorEnvelope>(app.port, 'GET', '/own-404');
    expect(missing.json).toEqual({ error: { code: 'NOT_FOUND', message: 'No such item' } });
  });

  it('CONTRACT-2 R-ER-02 INTERNAL_ERROR says nothing of the exception', async () => {
    const answer = await send<ErrorEnvelope>(app.port, 'GET', '/boom');
    expect(answer.status).toBe(500);
    expect(answer.json).toEqual({ error: { code: 'INTERNAL_ERROR', message: 'Internal Server Error' } });
  });

  it('CONTRACT-2 problem details for clients that ask for them', async () => {
    const answer = await send<Record<string, unknown>>(app.port, 'GET', '/items', {
      headers: { accept: 'application/problem+json' },
    });
    expect(answer.header('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.json).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', title: 'Unauthorized' });
  });

  it('R-IV-12 R-IV-18 query parameters convert exactly, once, and are all known', async () => {
    const list = (query: string) =>
      send<ErrorEnvelope & { limit: number; kind: string }>(app.port, 'GET', `/items${query}`, {
        headers: { 'x-api-key': key },
      });
    expect((await list('?limit=5')).json).toEqual({ limit: 5, kind: 'number' });
    for (const value of ['1e1', '0x10', '%201', '+1', '%EF%BC%91', '', '101', '0', '1.5']) {
      const answer = await list(`?limit=${value}`);
      expect(answer.status, value).toBe(400);
      expect(answer.json.error.code, value).toBe('VALIDATION_FAILED');
    }
    expect((await list('?limit=1&limit=2')).status).toBe(400);
    expect((await list('?evil=1')).json.error.code).toBe('UNEXPECTED_FIELDS');
    expect((await list('?__proto__=1')).json.error.code).toBe('MALFORMED_REQUEST');
    expect((await list('?limit=%ff')).status).toBe(400);
  });

  it.each([
    '/items/%00',
    '/items/a%2fb',
    '/items/%5c',
    '/items/%2e%2e/x',
    '//items',
    '/items/../items',
    '/items;a=1',
    '/it%zzems',
  ])('R-HP-04 R-IV-19 refuses the target %s before routing', async (target) => {
    const answer = await rawRequest(
      app.port,
      `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('MALFORMED_REQUEST');
  });

  it('R-HP-13 announces nothing to a client whose body would be refused', async () => {
    const answer = await rawRequest(
      app.port,
      `POST /items HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(answer.status).toBe(413);
  });
});
