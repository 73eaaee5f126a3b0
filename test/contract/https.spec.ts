import { describe, expect, it, onTestFinished } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { rawConnection } from '../support/raw-http.js';
import { handled, startReferenceApp } from '../support/reference-app.js';

describe.each(ADAPTERS)('CONTRACT-5 HTTPS on %s', (adapter) => {
  async function start(
    ...args: Parameters<typeof startReferenceApp> extends [unknown, ...infer R] ? R : never
  ) {
    const app = await startReferenceApp(adapter, ...args);
    onTestFinished(() => app.close());
    return app;
  }

  it('CONTRACT-5 R-TL-01 rejects plain HTTP in the same words whatever was sent, and closes', async () => {
    const app = await start({ https: 'reject' });
    const key = await app.key();
    const before = handled.length;
    const answers = await Promise.all([
      send<ErrorEnvelope>(app.port, 'GET', '/public'),
      send<ErrorEnvelope>(app.port, 'GET', '/public', { headers: { 'x-api-key': key } }),
      send<ErrorEnvelope>(app.port, 'GET', '/nope', { headers: { 'x-api-key': 'nonsense' } }),
      send<ErrorEnvelope>(app.port, 'POST', '/public', { json: { sku: 'a', count: 1 } }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(403);
      expect(answer.json.error.code).toBe('HTTPS_REQUIRED');
      expect(answer.text).toBe(answers[0].text);
      expect(answer.header('connection')).toBe('close');
      expect(answer.header('location')).toBeUndefined();
      expect(answer.header('strict-transport-security')).toBeUndefined();
      expect(answer.header('x-content-type-options')).toBe('nosniff');
    }
    expect(handled).toHaveLength(before);
  });

  it('CONTRACT-5 R-TL-01 answers before the body is read', async () => {
    const app = await start({ https: 'reject' });
    const head =
      'POST /public HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50000000\r\n\r\n';
    const { responses, closedByServer, elapsedMs } = await rawConnection(app.port, head, { responses: 1 });
    expect(responses[0]!.status).toBe(403);
    expect(elapsedMs).toBeLessThan(2_000);
    expect(closedByServer || responses[0]!.header('connection') === 'close').toBe(true);
  });

  it('CONTRACT-5 R-TL-02 redirects reads without a credential to the configured host only', async () => {
    const app = await start({ https: 'redirect', publicHost: 'api.example.com' });
    const answer = await send(app.port, 'GET', '/public?a=1', { headers: { host: 'evil.example' } });
    expect(answer.status).toBe(308);
    expect(answer.header('location')).toBe('https://api.example.com/public?a=1');
    expect((await send(app.port, 'HEAD', '/public')).status).toBe(308);
    expect((await send(app.port, 'POST', '/public', { json: {} })).status).toBe(403);
    expect((await send(app.port, 'DELETE', '/public')).status).toBe(403);
    expect((await send(app.port, 'GET', '/public', { headers: { 'x-api-key': 'x' } })).status).toBe(403);
    expect((await send(app.port, 'GET', '/public', { headers: { authorization: 'Bearer x' } })).status).toBe(
      403,
    );
    expect((await send(app.port, 'GET', '/public', { headers: { cookie: 'a=b' } })).status).toBe(403);
    for (const path of ['//evil.example', '/\\evil.example', '/%0d%0aX:1']) {
      const odd = await send(app.port, 'GET', path);
      expect([400, 403, 308], path).toContain(odd.status);
      if (odd.status === 308) expect(odd.header('location')).toMatch(/^https:\/\/api\.example\.com\//);
    }
  });

  it('CONTRACT-5 R-TL-04 R-TL-05 an untrusted X-Forwarded-Proto changes nothing', async () => {
    const app = await start({ https: 'reject' });
    for (const headers of [
      { 'x-forwarded-proto': 'https' },
      { forwarded: 'proto=https' },
      { 'x-forwarded-ssl': 'on' },
    ]) {
      expect((await send(app.port, 'GET', '/public', { headers: headers })).status).toBe(403);
    }
  });

  it('CONTRACT-5 R-TL-03 R-TL-04 a trusted proxy is believed, and its clients get HSTS', async () => {
    const app = await start({ https: 'reject' }, { trustProxy: '127.0.0.1' });
    const secure = await send(app.port, 'GET', '/public', { headers: { 'x-forwarded-proto': 'https' } });
    expect(secure.status).toBe(200);
    expect(secure.header('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
    for (const proto of ['http', 'https, http', 'http, https', 'wss', '']) {
      expect(
        (await send(app.port, 'GET', '/public', { headers: { 'x-forwarded-proto': proto } })).status,
        proto,
      ).toBe(403);
    }
  });

  it('CONTRACT-5 R-TL-01 is the default in production, and "off" has to be said', async () => {
    const app = await start({ https: undefined, production: true } as never);
    expect((await send(app.port, 'GET', '/public')).status).toBe(403);
  });

  it('CONTRACT-5 R-TL-06 PITFALL-T8 trusting everybody is refused at boot', async () => {
    await expect(startReferenceApp(adapter, {}, { trustProxy: true })).rejects.toThrow(/trust/i);
  });
});
