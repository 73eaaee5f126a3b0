import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { type ApiKeyRecord, MemoryApiKeyStore, type SecurityEvent } from 'nestjs-api-security';
import type { GenuineReport } from 'nestjs-api-security/api-keys';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type KeyRoutesApp, startKeyRoutes, tokenOf } from './key-routes-app.js';

const REPORTS = '/api-keys/reports';
const KEY = { owner: 'ada', name: 'CI', scopes: ['items:read'] };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A store that can be out of reach. */
class BrokenStore extends MemoryApiKeyStore {
  isDown = false;

  override find(id: string): Promise<ApiKeyRecord | undefined> {
    return this.isDown ? Promise.reject(new Error('out of reach')) : super.find(id);
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('reports of exposed keys on %s', (adapter) => {
  const partnerOf = async ({ keys }: KeyRoutesApp) =>
    (await keys.issue({ owner: 'scanner', name: 'scanner', scopes: ['api-keys:report'] })).key;

  it('R-AK-16 takes keys and proofs of them, tells their owners once, and never who was right', async () => {
    const exposed: string[] = [];
    const reported: GenuineReport[] = [];
    const app = await startKeyRoutes(
      adapter,
      { reports: { onReport: (report) => void reported.push(report) } },
      { apiKeys: { onPlaintext: 'revoke', onExposed: ({ id }) => void exposed.push(id) } },
    );
    const [first, second, kept, ended] = await Promise.all([1, 2, 3, 4].map(() => app.keys.issue(KEY)));
    await app.keys.revoke(ended!.id);
    const as = await partnerOf(app);
    const url = 'https://code.example/x';
    const right = await app.call('POST', REPORTS, as, {
      reports: [
        { key: first!.key, source: 'commit', url },
        { id: second!.id, sha256: sha256(second!.key).toUpperCase() },
      ],
    });
    const wrong = await app.call('POST', REPORTS, as, {
      reports: [{ id: kept!.id, sha256: sha256('guess') }, { key: ended!.key }],
    });
    expect([right.status, right.text]).toEqual([200, '{"received":2}']);
    expect([wrong.status, wrong.text]).toEqual([200, '{"received":2}']);
    const names = (answer: { headers: object }) => Object.keys(answer.headers).toSorted();
    expect(names(right)).toEqual(names(wrong));
    expect(exposed).toEqual([first!.id, second!.id]);
    expect(reported.map(({ key, ...where }) => [key.id, where])).toEqual([
      [first!.id, { source: 'commit', url }],
      [second!.id, { source: undefined, url: undefined }],
    ]);
    for (const { key } of [first!, second!]) expect(await app.keys.verify(key)).toBeUndefined();
    expect(await app.keys.verify(kept!.key)).toBeDefined();
    await app.call('POST', REPORTS, as, { reports: [{ key: first!.key }] });
    expect(exposed).toHaveLength(2);
  });

  it.each([
    [true, 'flag'],
    [false, 'revoke'],
  ] as const)('R-AK-16 R-TL-10 reports revoke by an option of their own: %s', async (revoke, onPlaintext) => {
    const told: boolean[] = [];
    const onExposed = ({ revoked }: { readonly revoked: boolean }) => void told.push(revoked);
    const apiKeys = { onPlaintext, onExposed };
    const app = await startKeyRoutes(adapter, { reports: { revoke } }, { apiKeys });
    const { key, id } = await app.keys.issue(KEY);
    await app.call('POST', REPORTS, await partnerOf(app), { reports: [{ key }] });
    expect(told).toEqual([revoke]);
    expect((await app.keys.verify(key)) === undefined).toBe(revoke);
    expect((await app.keys.get(id))?.exposure).toBe('reported');
  });

  it('R-AK-16 one hundred reports are a batch, and what an application throws at one stops no other', async () => {
    const app = await startKeyRoutes(adapter, {
      reports: {
        onReport: () => {
          throw new Error('mail is down');
        },
      },
    });
    const made = await Promise.all(Array.from({ length: 100 }, () => app.keys.issue(KEY)));
    const reports = made.map(({ key }) => ({ key, source: 's'.repeat(200), url: 'u'.repeat(2_048) }));
    const as = await partnerOf(app);
    const answer = await app.call('POST', REPORTS, as, { reports });
    expect([answer.status, answer.text]).toEqual([200, '{"received":100}']);
    const after = await Promise.all(made.map(({ id }) => app.keys.get(id)));
    expect(after.every((key) => key?.exposure === 'reported')).toBe(true);
    const more = await app.call('POST', REPORTS, as, { reports: [...reports, { key: 'x' }] });
    expect(more.status).toBe(400);
  });

  it('R-AK-16 R-AU-01 asks for the scope, of keys and of tokens', async () => {
    const app = await startKeyRoutes(adapter, { reports: {} });
    const body = { reports: [{ key: 'sk_live_x' }] };
    const { key: other } = await app.keys.issue(KEY);
    expect((await app.call('POST', REPORTS, undefined, body)).status).toBe(401);
    for (const as of [other, await tokenOf('ada', ['items:read'])]) {
      const answer = await app.call('POST', REPORTS, as, body);
      expect([answer.status, answer.json.error.code]).toEqual([403, 'INSUFFICIENT_SCOPE']);
    }
    for (const as of [await partnerOf(app), await tokenOf('partner', ['api-keys:report'])]) {
      expect((await app.call('POST', REPORTS, as, body)).status).toBe(200);
    }
  });

  it.each([
    ['', {}],
    ['reports', { reports: [] }],
    ['reports[0]', { reports: [{}] }],
    ['reports[1]', { reports: [{ key: 'a' }, { id: 'a' }] }],
    ['reports[0]', { reports: [{ sha256: 'a'.repeat(64) }] }],
    ['reports[0]', { reports: [{ key: 'a', id: 'b', sha256: 'a'.repeat(64) }] }],
    ['reports[0].sha256', { reports: [{ id: 'a', sha256: 'xyz' }] }],
    ['reports[0].key', { reports: [{ key: 'x'.repeat(201) }] }],
    ['reports[0].key', { reports: [{ key: ['x'] }] }],
    ['reports[0].owner', { reports: [{ key: 'x', owner: 'ada' }] }],
  ])('R-AK-16 refuses a report that is none, at %s', async (path, body) => {
    const app = await startKeyRoutes(adapter, { reports: {} });
    const { key, id } = await app.keys.issue(KEY);
    const reports = 'reports' in body ? [{ key }, ...body.reports] : undefined;
    const answer = await app.call('POST', REPORTS, await partnerOf(app), body);
    expect(answer.status).toBe(400);
    expect(answer.json.error.details!.map((detail) => detail.path)).toContain(path || 'reports');
    // A good report beside a bad one is not taken either: the batch can be mended and sent again.
    const mixed = await app.call('POST', REPORTS, await partnerOf(app), { reports });
    expect(mixed.status).toBe(reports?.length === 1 ? 200 : 400);
    if (mixed.status === 400) expect((await app.keys.get(id))?.exposedAt).toBeUndefined();
  });

  it('R-AK-16 has a limit of its own, by address', async () => {
    const app = await startKeyRoutes(adapter, { reports: { limit: '2/minute', path: 'leaks' } });
    const body = { reports: [{ key: 'x' }] };
    const statuses = [];
    for (const as of [await partnerOf(app), await partnerOf(app), await partnerOf(app)]) {
      statuses.push((await app.call('POST', '/leaks', as, body)).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
    const options = { headers: { 'x-api-key': await partnerOf(app) }, json: body, localAddress: '127.0.0.2' };
    expect((await app.send('POST', '/leaks', options)).status).toBe(200);
  });

  it('R-AK-16 ten requests a minute by default', async () => {
    const app = await startKeyRoutes(adapter, { reports: {} });
    const answer = await app.call('POST', REPORTS, await partnerOf(app), { reports: [{ key: 'x' }] });
    expect(answer.header('x-ratelimit-limit')).toBe('10');
  });

  it('R-AK-19 says 503 while the store is down, genuine or not, and takes the reports afterwards', async () => {
    const store = new BrokenStore();
    const app = await startKeyRoutes(adapter, { reports: {} }, { apiKeys: { store } });
    const { key, id } = await app.keys.issue(KEY);
    const as = await tokenOf('partner', ['api-keys:report']);
    store.isDown = true;
    for (const report of [{ key }, { id: 'unknown', sha256: sha256('guess') }]) {
      const answer = await app.call('POST', REPORTS, as, { reports: [report] });
      expect([answer.status, answer.json.error.code]).toEqual([503, 'UNAVAILABLE']);
    }
    store.isDown = false;
    expect((await app.call('POST', REPORTS, as, { reports: [{ key }] })).status).toBe(200);
    expect((await app.keys.get(id))?.exposure).toBe('reported');
  });

  describe('with signatures', () => {
    const SECRET = 'a secret that only the scanner knows';
    const sign = (body: string) => createHmac('sha256', SECRET).update(body).digest('hex');
    const verify = (body: Buffer, headers: { readonly [name: string]: unknown }) => {
      const given = Buffer.from(String(headers['x-signature']));
      const right = Buffer.from(sign(body.toString('utf8')));
      return given.length === right.length && timingSafeEqual(given, right);
    };
    const signed = (body: string, signature = sign(body)) => ({
      headers: { 'content-type': 'application/json', 'x-signature': signature },
      body,
    });

    it('R-AK-16 proves the bytes as they came, with no credential', async () => {
      const app = await startKeyRoutes(adapter, { reports: { verify } });
      const { key, id } = await app.keys.issue(KEY);
      const body = `{ "reports" :\n[ {"key":"${key}"} ] }`;
      const answer = await app.send('POST', REPORTS, signed(body));
      expect([answer.status, answer.text]).toEqual([200, '{"received":1}']);
      expect((await app.keys.get(id))?.exposure).toBe('reported');
    });

    it.each([
      ['a wrong signature', signed('{"reports":[{"key":"a"}]}', 'x')],
      ['a changed body', signed('{"reports":[{"key":"a"}]}', sign('{"reports":[{"key":"b"}]}'))],
      ['a body that breaks rules, unsigned', signed('{"evil":1}', 'x')],
      ['no body', { headers: { 'x-signature': sign('') } }],
    ])('R-AK-16 fails closed: %s', async (_, sending) => {
      const app = await startKeyRoutes(adapter, { reports: { verify } });
      const answer = await app.send('POST', REPORTS, sending);
      expect([answer.status, answer.json.error.code]).toEqual([401, 'UNAUTHENTICATED']);
      expect(answer.header('www-authenticate')).toBeDefined();
    });

    it.each([
      ['throws', () => Promise.reject(new Error('CANARY'))],
      ['says yes in other words', () => 'yes' as unknown as boolean],
    ])('R-AK-16 fails closed if the check %s, and events say why', async (_, broken) => {
      const app = await startKeyRoutes(adapter, { reports: { verify: broken } });
      const { key, id } = await app.keys.issue(KEY);
      const seen: SecurityEvent[] = [];
      app.events.stream.subscribe((event) => seen.push(event));
      const answer = await app.send('POST', REPORTS, signed(JSON.stringify({ reports: [{ key }] })));
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain('CANARY');
      expect((await app.keys.get(id))?.exposedAt).toBeUndefined();
      expect(seen.filter(({ type }) => type === 'authentication.failed')).toEqual([
        expect.objectContaining({ reason: expect.stringMatching(/^report\./) as unknown }),
      ]);
    });
  });
});
