import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { rawRequest } from '../support/raw-http.js';
import { type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

const SET: Readonly<Record<string, string | RegExp>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': /camera=\(\)/,
  'x-permitted-cross-domain-policies': 'none',
  'x-dns-prefetch-control': 'off',
};

function expectSet(headers: Readonly<Record<string, string>>, label: string): void {
  for (const [name, value] of Object.entries(SET)) {
    expect(headers[name], `${label}: ${name}`).toEqual(
      typeof value === 'string' ? value : expect.stringMatching(value),
    );
  }
  expect(headers['x-powered-by'], label).toBeUndefined();
  expect(headers['server'], label).toBeUndefined();
  expect(headers['strict-transport-security'], label).toBeUndefined();
}

describe.each(ADAPTERS)('CONTRACT-4 headers on %s', (adapter) => {
  let app: ReferenceApp;
  let key: string;
  beforeAll(async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '1000/minute' } });
    key = await app.key();
  });
  afterAll(() => app.close());

  const json = { 'content-type': 'application/json' };
  it.each<[string, string, string, { headers?: Record<string, string>; body?: string }, number]>([
    ['200', 'GET', '/public', {}, 200],
    ['HEAD', 'HEAD', '/public', {}, 200],
    ['401', 'GET', '/items', {}, 401],
    ['404', 'GET', '/nope', {}, 404],
    ['405', 'PUT', '/public', {}, 405],
    ['500', 'GET', '/boom', {}, 500],
    ['anonymous malformed JSON', 'POST', '/public', { headers: json, body: '{' }, 400],
    ['415', 'POST', '/public', { headers: { 'content-type': 'text/xml' }, body: '<a/>' }, 415],
    ['413', 'POST', '/public', { headers: json, body: `"${'x'.repeat(110_000)}"` }, 413],
    ['418', 'GET', '/teapot', {}, 418],
    ['OPTIONS', 'OPTIONS', '/public', {}, 204],
  ])(
    'CONTRACT-4 R-SH-01 R-SH-02 PITFALL-NC2 the set is on %s',
    async (label, method, path, options, status) => {
      const answer = await send(app.port, method, path, options);
      expect(answer.status, answer.text).toBe(status);
      expectSet(answer.headers, label);
    },
  );

  it.each([
    ['a bad percent sequence', 'GET /%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['garbage', 'garbage\r\n\r\n', 400],
    ['a header line without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n', 400],
    ['headers that are too long', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'an unknown expectation',
      'GET /public HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nConnection: close\r\n\r\n',
      417,
    ],
    ['two hosts', 'GET /public HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', 400],
    [
      'gzip, chunked',
      'POST /public HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['TRACE', 'TRACE /public HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 405],
  ])('CONTRACT-4 R-SH-02 R-HP-12 the set is on answers to %s', async (label, text, status) => {
    const answer = await rawRequest(app.port, text);
    expect(answer.status).toBe(status);
    const headers = Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expectSet(headers, label);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(answer.body)).toHaveProperty('error.code');
  });

  it('CONTRACT-4 R-SH-04 nothing that was asked with a credential may be stored, nor 401 and 403', async () => {
    const answers = await Promise.all([
      send(app.port, 'GET', '/items', { headers: { 'x-api-key': key } }),
      send(app.port, 'GET', '/items'),
      send(app.port, 'GET', '/items', { headers: { 'x-api-key': await app.key([]) } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 403]);
    for (const { headers } of answers) expect(headers['cache-control']).toBe('no-store');
  });

  it('R-SH-04 a public route may be cached, but not what was asked with a credential', async () => {
    expect((await send(app.port, 'GET', '/cached')).header('cache-control')).toBe('public, max-age=60');
    const known = await send(app.port, 'GET', '/cached', { headers: { 'x-api-key': key } });
    expect(known.header('cache-control')).toBe('no-store');
  });

  it('CONTRACT-4 R-SH-05 PITFALL-NC1 text is text, never HTML', async () => {
    const answer = await send(app.port, 'GET', '/text');
    expect(answer.header('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.text).toBe('Hello <b>you</b>');
    expect((await send(app.port, 'GET', '/public')).header('content-type')).toBe(
      'application/json; charset=utf-8',
    );
  });

  it('CONTRACT-4 R-SH-03 each header stands once', async () => {
    const { rawHeaders } = await send(app.port, 'GET', '/public');
    const names = rawHeaders.map(([name]) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  it('CONTRACT-4 @SecurityHeaders() changes them for one route', async () => {
    const page = await send(app.port, 'GET', '/page');
    expect(page.header('content-security-policy')).toBe("default-src 'self'");
    expect(page.header('x-frame-options')).toBe('DENY');
  });
});

describe.each(ADAPTERS)("CONTRACT-4 beside the application's own security features on %s", (adapter) => {
  it('PITFALL-NC3 R-CF-07 app.useSecurityHeaders() does not switch ours off', async () => {
    const app = await startReferenceApp(
      adapter,
      { https: 'reject' },
      {
        configure: (nest) => {
          (nest as unknown as { useSecurityHeaders(): void }).useSecurityHeaders();
        },
      },
    );
    const answer = await send(app.port, 'GET', '/public');
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('HTTPS_REQUIRED');
    await app.close();
  });

  it('PITFALL-NC5 R-SH-03 nor loosen or double what ours has set', async () => {
    const app = await startReferenceApp(
      adapter,
      { https: 'off' },
      {
        configure: (nest) => {
          (nest as unknown as { useSecurityHeaders(): void }).useSecurityHeaders();
        },
      },
    );
    for (const path of ['/public', '/nope', '/items']) {
      const answer = await send(app.port, 'GET', path);
      expectSet(answer.headers, path);
      expect(
        answer.rawHeaders.filter(([name]) => name.toLowerCase() === 'content-security-policy'),
      ).toHaveLength(1);
    }
    await app.close();
  });
});
