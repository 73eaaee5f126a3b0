import { SecurityEvents } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { rawConnection, rawExchange } from '../support/raw-http.js';
import { accessToken, type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

describe.each(ADAPTERS)('CONTRACT-3 rate limits on %s', (adapter) => {
  let app: ReferenceApp;
  afterEach(() => app.close());

  const get = (path: string, headers: Record<string, string> = {}) =>
    send<ErrorEnvelope>(app.port, 'GET', path, { headers });

  it('CONTRACT-3 R-RL-01 R-RL-04 PITFALL-T1 shows limit, remaining and reset on success and on 429', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '3/minute' } });
    for (const remaining of ['2', '1', '0']) {
      const answer = await get('/public');
      const now = Date.now() / 1000;
      expect(answer.status).toBe(200);
      expect(answer.header('x-ratelimit-limit')).toBe('3');
      expect(answer.header('x-ratelimit-remaining')).toBe(remaining);
      expect(Number(answer.header('x-ratelimit-reset'))).toBeGreaterThanOrEqual(Math.floor(now));
      expect(Number(answer.header('x-ratelimit-reset'))).toBeLessThanOrEqual(now + 62);
    }
    const over = await get('/public');
    const retryAfter = Number(over.header('retry-after'));
    expect(over.status).toBe(429);
    expect(over.json.error).toEqual({ code: 'RATE_LIMITED', message: 'Too many requests', retryAfter });
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(over.header('x-ratelimit-remaining')).toBe('0');
    expect(over.header('cache-control')).toBe('no-store');
    const reset = Number(over.header('x-ratelimit-reset'));
    expect(Math.abs(reset - (Date.now() / 1000 + retryAfter))).toBeLessThanOrEqual(2);
  });

  it('CONTRACT-3 responses of every status carry the headers', async () => {
    app = await startReferenceApp(adapter);
    const key = await app.key();
    const answers = await Promise.all([
      get('/public'),
      get('/items'),
      get('/items', { 'x-api-key': 'nonsense' }),
      get('/nope'),
      get('/boom'),
      send(app.port, 'POST', '/items', {
        body: '{',
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
      }),
      send(app.port, 'POST', '/items', {
        body: 'x'.repeat(110_000),
        headers: { 'x-api-key': key, 'content-type': 'application/json' },
      }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, 404, 500, 400, 413]);
    for (const { status, headers } of answers) {
      expect(headers['x-ratelimit-limit'], String(status)).toMatch(/^\d+$/);
      expect(headers['x-ratelimit-remaining'], String(status)).toMatch(/^\d+$/);
      expect(headers['x-ratelimit-reset'], String(status)).toMatch(/^\d{10}$/);
    }
  });

  it('CONTRACT-3 reads and writes have limits of their own', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '5/minute', write: '2/minute' } });
    const line = { sku: 'a', count: 1 };
    expect((await get('/public')).header('x-ratelimit-limit')).toBe('5');
    expect((await send(app.port, 'POST', '/public', { json: line })).header('x-ratelimit-limit')).toBe('2');
    expect((await send(app.port, 'POST', '/public', { json: line })).status).toBe(201);
    expect((await send(app.port, 'POST', '/public', { json: line })).status).toBe(429);
    expect((await get('/public')).status).toBe(200);
  });

  it('CONTRACT-3 counts the principal if there is one, else the address', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '2/minute' } });
    const [one, two] = [await app.key(), await app.key()];
    for (const headers of [
      { 'x-api-key': one },
      { 'x-api-key': two },
      {},
      { authorization: `Bearer ${await accessToken()}` },
    ]) {
      const statuses = [];
      for (let i = 0; i < 3; i++) statuses.push((await get('/public', headers)).status);
      expect(statuses).toEqual([200, 200, 429]);
    }
  });

  it('CONTRACT-3 R-RL-14 PITFALL-T15 several limits decide together, and the closest is shown', async () => {
    app = await startReferenceApp(adapter);
    const shown = [];
    for (let i = 0; i < 4; i++) {
      const answer = await get('/limited');
      shown.push([answer.status, answer.header('x-ratelimit-limit'), answer.header('x-ratelimit-remaining')]);
    }
    expect(shown).toEqual([
      [200, '3', '2'],
      [200, '3', '1'],
      [200, '3', '0'],
      [429, '3', '0'],
    ]);
  });

  it('CONTRACT-3 R-RL-14 a cost weighs, and a request that does not fit takes nothing', async () => {
    app = await startReferenceApp(adapter);
    const bulk = () => send(app.port, 'POST', '/bulk');
    expect((await bulk()).header('x-ratelimit-remaining')).toBe('10');
    expect((await bulk()).header('x-ratelimit-remaining')).toBe('0');
    expect((await bulk()).status).toBe(429);
  });

  it('CONTRACT-3 R-RL-21 @SkipRateLimit() lifts the limit, and no header of the client does', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '1/minute', address: '100/minute' } });
    for (let i = 0; i < 4; i++) expect((await get('/unlimited')).status).toBe(200);
    const exempt = { 'user-agent': 'kube-probe/1.29', 'x-internal': '1' };
    expect((await get('/public', exempt)).status).toBe(200);
    expect((await get('/public', exempt)).status).toBe(429);
  });

  it('CONTRACT-3 R-RL-12 HEAD counts as its GET', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '2/minute' } });
    expect((await send(app.port, 'HEAD', '/public')).status).toBe(200);
    expect((await get('/public')).status).toBe(200);
    expect((await send(app.port, 'HEAD', '/public')).status).toBe(429);
  });

  it('CONTRACT-3 R-RL-11 other spellings of a route are the same limit or no route at all', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '3/minute', address: '10000/minute' } });
    const spellings = ['/public', '/PUBLIC', '/public/', '/%70ublic', '/public?x=1', '/Public/?y=2'];
    let passed = 0;
    for (let i = 0; i < 30; i++) if ((await get(spellings[i % spellings.length]!)).status === 200) passed++;
    expect(passed).toBeLessThanOrEqual(3);
  });

  it('R-RL-06 PITFALL-T5 errors count against the address, before routing', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { address: '5/minute' } });
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push((await get(`/nope/${i}`)).status);
    expect(statuses).toEqual([404, 404, 404, 404, 404, 429, 429]);
    const refused = await send<ErrorEnvelope>(app.port, 'POST', '/items', {
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(refused.status).toBe(429);
    expect(refused.json.error.code).toBe('RATE_LIMITED');
    expect(refused.header('x-ratelimit-limit')).toBe('5');
  });

  it('R-RL-11 PITFALL-T5 unmatched paths share one bucket under the default limit', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '4/minute', address: '1000/minute' } });
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await get(`/nope/${i}`)).status);
    expect(statuses).toEqual([404, 404, 404, 404, 429, 429]);
  });

  it('CONTRACT-3 R-AK-12 PITFALL-T16 failed authentications have a limit of their own, before any key is looked at', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { failedAuthentication: '20/minute' } });
    const key = await app.key();
    const statuses = [];
    for (let i = 0; i < 25; i++)
      statuses.push((await get('/items', { 'x-api-key': `sk_live_wrong${i}` })).status);
    expect(statuses).toEqual([
      ...Array.from({ length: 20 }, () => 401),
      ...Array.from({ length: 5 }, () => 429),
    ]);
    expect((await get('/items', { 'x-api-key': key })).status).toBe(429);
    const elsewhere = await send(app.port, 'GET', '/items', {
      headers: { 'x-api-key': key },
      localAddress: '127.0.0.2',
    });
    expect(elsewhere.status).toBe(200);
  });

  it('CONTRACT-3 R-RL-02 R-RL-03 the IETF fields say the same', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '7/minute', headers: 'both' } });
    const answer = await get('/public');
    expect(answer.header('ratelimit-policy')).toMatch(/"read";q=7;w=60/);
    expect(answer.header('ratelimit')).toMatch(/"read";r=6;t=\d+/);
    expect(answer.header('x-ratelimit-remaining')).toBe('6');
  });

  it('R-RL-22 browsers may read the limit headers', async () => {
    app = await startReferenceApp(adapter);
    const exposed = (await get('/public', { origin: 'https://app.example' })).header(
      'access-control-expose-headers',
    );
    expect(exposed).toContain('X-RateLimit-Remaining');
    expect(exposed).toContain('Retry-After');
  });

  it('R-RL-10 of 200 requests at once exactly 50 pass', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '50/minute', address: '100000/minute' } });
    for (let round = 0; round < 20; round++) {
      const key = await app.key();
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => get('/public', { 'x-api-key': key })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(150);
    }
  });

  it('R-RL-24 a refused address costs no body and no signature, and a body that nobody reads ends its connection', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { address: '2/minute' } });
    await get('/public');
    await get('/public');
    const verified: unknown[] = [];
    app.app.get(SecurityEvents).stream.subscribe((event) => verified.push(event.type));
    const before = process.memoryUsage.rss();
    const head =
      'POST /items HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `X-API-Key: ${await app.key()}\r\nContent-Length: 10485760\r\n\r\n`;
    const pieces = [head, ...Array.from({ length: 160 }, () => Buffer.alloc(65_536, 0x20))];
    const { responses, closedByServer } = await rawConnection(app.port, pieces, {
      pauseMs: 0,
      idleMs: 2_000,
    });
    expect(responses[0]!.status).toBe(429);
    expect(closedByServer).toBe(true);
    expect(process.memoryUsage.rss() - before).toBeLessThan(60 * 1_048_576);
    // No credential was looked at.
    expect(verified.filter((type) => type !== 'rate-limit.exceeded' && type !== 'api-key.issued')).toEqual(
      [],
    );
  });

  it('R-RL-13 pipelined requests count one by one, in order', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '10/minute' } });
    const requests = 'GET /public HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(40);
    const answers = await rawExchange(app.port, requests, { responses: 40 });
    expect(answers.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 10 }, () => 200),
      ...Array.from({ length: 30 }, () => 429),
    ]);
  });

  it('R-RL-09 R-TL-06 forged forwarding headers change nothing', async () => {
    app = await startReferenceApp(adapter, { rateLimit: { read: '5/minute' } });
    let passed = 0;
    for (let i = 0; i < 12; i++) {
      const forged = `203.0.113.${i}`;
      const answer = await get('/public', {
        'x-forwarded-for': forged,
        'x-real-ip': forged,
        forwarded: `for=${forged}`,
      });
      if (answer.status === 200) passed++;
    }
    expect(passed).toBe(5);
  });
});

describe.each(ADAPTERS)('CONTRACT-3 addresses behind a trusted proxy on %s', (adapter) => {
  it('R-RL-08 R-TL-06 the nearest untrusted address counts, IPv6 by /64', async () => {
    const app = await startReferenceApp(
      adapter,
      { rateLimit: { read: '2/minute' } },
      { trustProxy: '127.0.0.1' },
    );
    const from = async (forwarded: string) =>
      (await send(app.port, 'GET', '/public', { headers: { 'x-forwarded-for': forwarded } })).status;
    expect([
      await from('203.0.113.7'),
      await from('::ffff:203.0.113.7'),
      await from('6.6.6.6, 203.0.113.7'),
    ]).toEqual([200, 200, 429]);
    expect([
      await from('2001:db8::1'),
      await from('2001:DB8:0:0:ffff::2'),
      await from('2001:db8::3'),
    ]).toEqual([200, 200, 429]);
    expect(await from('2001:db8:0:1::1')).toBe(200);
    await app.close();
  });
});
