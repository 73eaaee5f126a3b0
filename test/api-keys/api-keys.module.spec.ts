import { type ApiKeyPage, type ApiKeyRecord, MemoryApiKeyStore } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import {
  type Answer,
  type KeyRoutesApp,
  type KeyView,
  PLANS,
  startKeyRoutes,
  tokenOf,
} from './key-routes-app.js';

const DAY = 86_400_000;
const SCOPES = ['items:read', 'items:write'];
const GOOD = { name: 'CI', scopes: ['items:read'] };

/** Takes its time, as stores behind a network do, so that requests get in between each other. */
class SlowStore extends MemoryApiKeyStore {
  override async find(id: string): Promise<ApiKeyRecord | undefined> {
    const record = await super.find(id);
    await new Promise((resolve) => setTimeout(resolve, 3));
    return record;
  }

  override async list(...args: Parameters<MemoryApiKeyStore['list']>): Promise<ApiKeyPage> {
    const page = await super.list(...args);
    await new Promise((resolve) => setTimeout(resolve, 3));
    return page;
  }
}

let people = 0;
/** Somebody who has no keys yet. */
const newcomer = (scopes: readonly string[] = SCOPES, claims: object = {}) =>
  tokenOf(`person-${++people}`, scopes, claims);

describe.each(ADAPTERS)('management routes on %s', (adapter) => {
  let app: KeyRoutesApp;

  beforeAll(async () => {
    app = await startKeyRoutes(
      adapter,
      { schemes: ['jwt', 'api-key'], maxKeysPerOwner: 3 },
      { apiKeys: { store: new SlowStore(), plans: PLANS } },
    );
  });
  afterAll(() => app.close());

  const issue = async (as: string, more: object = {}) =>
    (await app.call('POST', '/api-keys', as, { ...GOOD, ...more })).json;

  it('R-AK-05 shows a new key once, in an answer that nobody stores', async () => {
    const as = await newcomer();
    const expiresAt = new Date(Date.now() + DAY).toISOString();
    const issued = await app.call('POST', '/api-keys', as, {
      ...GOOD,
      expiresAt,
      allowedAddresses: ['127.0.0.0/8'],
      limits: 'pro',
      metadata: { team: 'a' },
    });
    expect([issued.status, issued.header('cache-control')]).toEqual([201, 'no-store']);
    const { key, ...shown } = issued.json;
    expect(key).toMatch(/^sk_live_/);
    expect(shown).toMatchObject({ ...GOOD, expiresAt, limits: 'pro', metadata: { team: 'a' } });
    expect(shown.hint).toBe(`sk_live_${shown.id}…${key.slice(-4)}`);
    const one = await app.call('GET', `/api-keys/${shown.id}`, as);
    expect(one.json).toEqual(shown);
    const list = await app.call<KeyView[]>('GET', '/api-keys', as);
    expect(list.json).toEqual([shown]);
    expect(list.text + one.text).not.toMatch(new RegExp(`digest|${key.slice(25)}`));
    expect((await app.keys.verify(key, '127.0.0.1'))?.owner).toBe(`person-${people}`);
  });

  it('R-AK-05 gives a list page by page', async () => {
    const owner = `person-${people + 1}`;
    const as = await newcomer();
    for (let i = 0; i < 7; i++) await app.keys.issue({ owner, name: `key ${i}`, scopes: [] });
    const names: string[] = [];
    let path: string | undefined = '/api-keys?limit=3';
    const sizes: number[] = [];
    while (path !== undefined) {
      const page: Answer<KeyView[]> = await app.call<KeyView[]>('GET', path, as);
      expect(page.status).toBe(200);
      names.push(...page.json.map(({ name }) => name));
      sizes.push(page.json.length);
      const target = /^<([^>]+)>; rel="next"$/.exec(page.header('link') ?? '')?.[1];
      path = target && `/api-keys${target}`;
    }
    expect(sizes).toEqual([3, 3, 1]);
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `key ${i}`));
  });

  it('R-AK-18 tells how often a key was used', async () => {
    const as = await newcomer([...SCOPES, 'api-keys:manage']);
    const { id, key } = await issue(as, { scopes: ['api-keys:manage'] });
    await app.call('GET', '/api-keys', key);
    await app.call('GET', '/api-keys', key);
    const usage = await app.call('GET', `/api-keys/${id}/usage?days=7`, as);
    const day = new Date().toISOString().slice(0, 10);
    expect(usage.json).toMatchObject({ uses: 2, days: [{ day, uses: 2 }], lastUsedFrom: '127.0.0.1' });
    for (const days of ['0', '401', '1.5', 'all']) {
      expect((await app.call('GET', `/api-keys/${id}/usage?days=${days}`, as)).status).toBe(400);
    }
  });

  it('R-AK-15 changes what a client may change, and nothing else', async () => {
    const as = await newcomer();
    const { id } = await issue(as, { expiresAt: new Date(Date.now() + DAY).toISOString(), limits: 'free' });
    const path = `/api-keys/${id}`;
    const changes = { name: 'new', scopes: ['items:write'], allowedAddresses: ['192.0.2.1'], limits: 'pro' };
    const changed = await app.call('PATCH', path, as, changes);
    expect([changed.status, changed.json]).toEqual([200, expect.objectContaining(changes)]);
    const emptied = (await app.call('PATCH', path, as, { expiresAt: null, limits: null })).json;
    expect(emptied).not.toHaveProperty('expiresAt');
    expect(emptied).not.toHaveProperty('limits');
    for (const field of ['owner', 'tenant', 'digest', 'revokedAt', 'id', 'environment']) {
      const answer = await app.call('PATCH', path, as, { [field]: 'x' });
      expect([answer.status, answer.json.error.code]).toEqual([400, 'UNEXPECTED_FIELDS']);
    }
    expect((await app.call('GET', path, as)).json).toEqual(emptied);
  });

  it('R-AK-11 R-AK-10 rotates with an overlap and revokes at once', async () => {
    const as = await newcomer();
    const old = await issue(as);
    const rotated = await app.call('POST', `/api-keys/${old.id}/rotate`, as, { overlap: 60 });
    expect([rotated.status, rotated.header('cache-control')]).toEqual([201, 'no-store']);
    expect(rotated.json).toMatchObject({ predecessor: old.id, scopes: old.scopes });
    for (const { key } of [old, rotated.json]) expect(await app.keys.verify(key)).toBeDefined();
    const replaced = (await app.call('GET', `/api-keys/${old.id}`, as)).json;
    expect(replaced.successor).toBe(rotated.json.id);
    expect(Date.parse(replaced.overlapEndsAt!) - Date.now()).toBeLessThanOrEqual(60_000);
    const revoked = await app.call('DELETE', `/api-keys/${rotated.json.id}`, as);
    expect([revoked.status, revoked.text]).toEqual([204, '']);
    expect(await app.keys.verify(rotated.json.key)).toBeUndefined();
  });

  it('R-AK-11 without a word about it a rotation ends the old key; of two at once one wins', async () => {
    const as = await newcomer();
    const { id, key } = await issue(as);
    const answers = await Promise.all([1, 2].map(() => app.call('POST', `/api-keys/${id}/rotate`, as)));
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
    expect([won!.status, lost!.status, lost!.json.error.code]).toEqual([201, 409, 'CONFLICT']);
    expect(await app.keys.verify(key)).toBeUndefined();
    expect(await app.keys.verify(won!.json.key)).toBeDefined();
    for (const overlap of [-1, 1.5, '60', 2_592_001, null]) {
      const answer = await app.call('POST', `/api-keys/${won!.json.id}/rotate`, as, { overlap });
      expect([answer.status, answer.json.error.details?.[0]?.path]).toEqual([400, 'overlap']);
    }
  });

  it("R-AK-15 CONTRACT-6 somebody else's key and none at all look the same", async () => {
    const { id } = await issue(await newcomer());
    const stranger = await newcomer();
    const otherTenant = await tokenOf(`person-${people - 1}`, SCOPES, { tenant: 't' });
    for (const [method, path, json] of [
      ['GET', ''],
      ['GET', '/usage'],
      ['PATCH', '', { name: 'mine' }],
      ['POST', '/rotate'],
      ['DELETE', ''],
    ] as const) {
      const answers = await Promise.all([
        app.call(method, `/api-keys/${id}${path}`, stranger, json),
        app.call(method, `/api-keys/${id}${path}`, otherTenant, json),
        app.call(method, `/api-keys/0123456789abcdef${path}`, stranger, json),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    }
    expect((await app.call<KeyView[]>('GET', '/api-keys', otherTenant)).json).toEqual([]);
    expect(await app.keys.get(id)).toMatchObject({ name: GOOD.name, revokedAt: undefined });
  });

  it.each([
    ['a scope', { scopes: ['items:delete'] }],
    ['a role', { roles: ['admin'] }],
  ])('R-AK-15 nobody gives a key %s that they lack, at once or later', async (_, more) => {
    const as = await newcomer();
    const made = await app.call('POST', '/api-keys', as, { ...GOOD, ...more });
    expect([made.status, made.json.error.code]).toEqual([403, 'FORBIDDEN']);
    const { id } = await issue(as);
    const widened = await app.call('PATCH', `/api-keys/${id}`, as, more);
    expect([widened.status, widened.json.error.code]).toEqual([403, 'FORBIDDEN']);
    expect(await app.keys.list(`person-${people}`)).toMatchObject({
      keys: [{ scopes: GOOD.scopes, roles: [] }],
    });
  });

  it('R-AK-15 a narrow maker may narrow, rename and revoke a wide key, but not widen or rotate it', async () => {
    const owner = `person-${people + 1}`;
    const wide = await newcomer([...SCOPES, 'api-keys:manage']);
    const { id } = await issue(wide, { scopes: SCOPES });
    const narrow = await tokenOf(owner, ['items:read']);
    const { key: manager } = await issue(wide, { scopes: ['api-keys:manage'] });
    for (const as of [narrow, manager]) {
      expect((await app.call('POST', `/api-keys/${id}/rotate`, as)).status).toBe(403);
      for (const json of [{ allowedAddresses: [] }, { expiresAt: null }, { limits: null }]) {
        expect((await app.call('PATCH', `/api-keys/${id}`, as, json)).status).toBe(403);
      }
      expect((await app.call('PATCH', `/api-keys/${id}`, as, { name: 'still wide' })).status).toBe(200);
    }
    const { json } = await app.call('PATCH', `/api-keys/${id}`, manager, { scopes: ['items:read'] });
    expect(json.scopes).toEqual(['items:read']);
    expect((await app.call('DELETE', `/api-keys/${id}`, manager)).status).toBe(204);
  });

  it('R-AK-15 a key needs the scope for it, and manages what its owner has', async () => {
    const as = await newcomer([...SCOPES, 'api-keys:manage']);
    const { key: plain } = await issue(as);
    const refused = await app.call('POST', '/api-keys', plain, GOOD);
    expect([refused.status, refused.json.error.code]).toEqual([403, 'INSUFFICIENT_SCOPE']);
    const { key: manager } = await issue(as, { scopes: ['api-keys:manage', 'items:read'] });
    expect((await issue(manager)).name).toBe(GOOD.name);
    expect((await app.call<KeyView[]>('GET', '/api-keys', as)).json).toHaveLength(3);
  });

  it('R-AK-08 a key belongs to the tenant of its maker', async () => {
    const as = await newcomer(SCOPES, { tenant: 'acme' });
    const { id, key } = await issue(as);
    expect((await app.keys.verify(key))?.tenant).toBe('acme');
    expect((await app.call('GET', `/api-keys/${id}`, as)).status).toBe(200);
  });

  it('R-AK-08 an owner has no more than so many keys that work, however fast they ask', async () => {
    const owner = `person-${people + 1}`;
    const as = await newcomer();
    for (let i = 0; i < 120; i++) {
      const { id } = await app.keys.issue({ owner, name: 'old', scopes: [] });
      if (i > 0) await app.keys.revoke(id);
    }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => app.call('POST', '/api-keys', as, GOOD)),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused.map(({ json }) => json.error.code)).toEqual(Array.from({ length: 6 }, () => 'CONFLICT'));
    const [first] = (await app.keys.list(owner)).keys;
    expect((await app.call('DELETE', `/api-keys/${first!.id}`, as)).status).toBe(204);
    expect((await app.call('POST', '/api-keys', as, GOOD)).status).toBe(201);
  });

  it('R-AK-11 keys in their overlaps do not add up without end', async () => {
    const as = await newcomer();
    let { id } = await issue(as);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const { status, json } = await app.call('POST', `/api-keys/${id}/rotate`, as, { overlap: 3_600 });
      statuses.push(status);
      if (status === 201) id = json.id;
    }
    expect(statuses).toEqual([201, 201, 201, 201, 201, 409]);
  });

  it('R-AK-11 two rotations that both find room for one are no two', async () => {
    const as = await newcomer();
    const rotate = (id: string) => app.call('POST', `/api-keys/${id}/rotate`, as, { overlap: 3_600 });
    const [a, b, c] = [await issue(as), await issue(as), await issue(as)];
    const next = [(await rotate(a.id)).json, (await rotate(b.id)).json];
    const answers = await Promise.all([rotate(c.id), rotate(next[0]!.id)]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
  });

  it.each([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 7 }],
    ['scopes', { scopes: 'items:read' }],
    ['scopes', { scopes: [] }],
    ['scopes', { scopes: ['items read'] }],
    ['scopes', { scopes: ['items:read', 'x'.repeat(129)] }],
    ['scopes', { scopes: ['items:read', 'items:read'] }],
    ['roles', { roles: [''] }],
    ['expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['expiresAt', { expiresAt: '2099-02-30T00:00:00Z' }],
    ['expiresAt', { expiresAt: '2099-01-01' }],
    ['expiresAt', { expiresAt: '2099-01-01T00:00:00' }],
    ['expiresAt', { expiresAt: '2099-01-01T00:00:00Z[x]' }],
    ['expiresAt', { expiresAt: 4_102_444_800_000 }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['allowedAddresses', { allowedAddresses: ['10.0.0.0/33'] }],
    ['allowedAddresses', { allowedAddresses: ['0.0.0.0/0'] }],
    ['allowedAddresses', { allowedAddresses: ['office'] }],
    ['limits', { limits: 'gold' }],
    ['limits', { limits: ['1000000/second'] }],
    ['limits', { limits: { limit: 1, window: 1 } }],
    ['limits', { limits: 5 }],
    ['metadata', { metadata: { a: 1 } }],
    ['metadata', { metadata: 'text' }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, 'v'])) }],
  ])('R-AK-08 R-AK-09 refuses bad %s, and stores nothing of it (%#)', async (path, bad) => {
    const owner = `person-${people + 1}`;
    const as = await newcomer();
    const made = await app.call('POST', '/api-keys', as, { ...GOOD, ...bad });
    expect([made.status, made.json.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(made.json.error.details!.map((detail) => detail.path)).toContain(path);
    expect((await app.keys.list(owner)).keys).toEqual([]);
    const { id } = await issue(as);
    const before = await app.keys.get(id);
    const changed = await app.call('PATCH', `/api-keys/${id}`, as, bad);
    expect([changed.status, changed.json.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(changed.json.error.details!.map((detail) => detail.path)).toContain(path);
    expect(await app.keys.get(id)).toEqual(before);
  });

  it('R-AK-09 tells every problem that the service finds at once', async () => {
    const bad = { ...GOOD, expiresAt: '2020-01-01T00:00:00Z', allowedAddresses: ['x'], limits: 'gold' };
    const answer = await app.call('POST', '/api-keys', await newcomer(), bad);
    const paths = answer.json.error.details!.map(({ path }) => path);
    expect(paths.toSorted()).toEqual(['allowedAddresses', 'expiresAt', 'limits']);
  });

  it('R-AK-15 nobody gets in without a credential', async () => {
    for (const [method, path] of [
      ['POST', '/api-keys'],
      ['GET', '/api-keys'],
      ['GET', '/api-keys/x'],
      ['GET', '/api-keys/x/usage'],
      ['PATCH', '/api-keys/x'],
      ['POST', '/api-keys/x/rotate'],
      ['DELETE', '/api-keys/x'],
    ] as const) {
      expect((await app.call(method, path)).status, `${method} ${path}`).toBe(401);
    }
    // A path of one segment below `api-keys` is a key: there is nothing to post to.
    expect((await app.call('POST', '/api-keys/reports', undefined, {})).status).toBe(405);
  });
});
