import { describe, expect, it } from 'vitest';

import { generateKey } from '../../../lib/authentication/api-key/key-format.js';
import { INPUT, gate, turn, WatchedStore, withOtherSecret, workshop } from './key-workshop.js';

const RIGHTS = { scopes: ['items:read', 'items:write'], roles: ['ops'] };

describe('verifying keys', () => {
  it('R-AK-08 R-AU-11 a good key becomes a frozen principal without the key', async () => {
    const { service, use } = workshop();
    const { key, id } = await service.issue({ ...INPUT, tenant: 't', roles: ['r'], metadata: { a: 'b' } });
    const { principal, expiresAt, allowsAddress } = await use(key);
    expect(principal).toMatchObject({
      type: 'api-key',
      scheme: 'api-key',
      id,
      owner: 'ada',
      tenant: 't',
      scopes: ['items:read'],
      roles: ['r'],
      issuer: undefined,
    });
    expect(Object.isFrozen(principal)).toBe(true);
    expect(JSON.stringify(principal)).not.toContain(key.split('_')[3]);
    expect(expiresAt).toBe(Infinity);
    expect(allowsAddress).toBeUndefined();
  });

  it('R-AK-08 a key without scopes has none', async () => {
    const { service, use } = workshop({ options: { ownerRights: () => RIGHTS } });
    const { key } = await service.issue({ ...INPUT, scopes: [] });
    expect((await use(key)).principal.scopes).toEqual([]);
  });

  it('R-AU-09 R-AK-06 every bad key is refused by its true cause, with one comparison', async () => {
    const { service, clock, outcome, comparisons } = workshop();
    const revoked = await service.issue(INPUT);
    await service.revoke(revoked.id);
    const expired = await service.issue({ ...INPUT, expiresAt: clock.now() + 1 });
    clock.advance(1);
    const good = await service.issue(INPUT);
    const cases: [string, string][] = [
      [good.key, 'good'],
      [generateKey('sk', 'live').key, 'key.unknown'],
      [withOtherSecret(good.key), 'key.secret'],
      [revoked.key, 'key.revoked'],
      [expired.key, 'key.expired'],
    ];
    for (const [key, reason] of cases) {
      comparisons.length = 0;
      expect(await outcome(key)).toBe(reason);
      expect(comparisons).toEqual([[43, 43]]);
    }
  });

  it('R-AK-06 a wrong secret looks no further than a key that is unknown', async () => {
    const { service, store, outcome } = workshop();
    const { id, key } = await service.issue(INPUT);
    await service.revoke(id);
    // Neither the revocation nor the scopes of somebody else's key can be found out with a wrong secret.
    expect(await outcome(withOtherSecret(key))).toBe('key.secret');
    expect(store.updates).toBe(1);
  });

  it.each(['live', 'test'] as const)('R-AK-07 only keys of the environment %s work', async (environment) => {
    const other = environment === 'live' ? 'test' : 'live';
    const { service, store, outcome } = workshop({ options: { environment } });
    const own = await service.issue(INPUT);
    const foreign = await service.issue({ ...INPUT, environment: other });
    expect(own.environment).toBe(environment);
    expect(await outcome(own.key)).toBe('good');
    expect(await outcome(foreign.key)).toBe('key.environment');
    expect(store.finds).toBe(1);
    // Nor if the store says otherwise than the key.
    store.distort = (record) => record && { ...record, environment: other };
    expect(await outcome((await service.issue(INPUT)).key)).toBe('key.environment');
  });

  it('R-AK-01 keys that were issued under another prefix go on working', async () => {
    const store = new WatchedStore();
    const before = await workshop({ store, options: { prefix: 'old' } }).service.issue(INPUT);
    expect(await workshop({ store, options: { prefix: 'new' } }).outcome(before.key)).toBe('good');
  });

  it('R-AK-09 a key works up to its expiry, also when it is remembered', async () => {
    const { service, clock, outcome, verifier } = workshop();
    const { key } = await service.issue({ ...INPUT, expiresAt: clock.now() + 1_000 });
    expect(await outcome(key)).toBe('good');
    clock.advance(999);
    expect(verifier.cached(key)).toBeDefined();
    clock.advance(1);
    expect(verifier.cached(key)).toBeUndefined();
    expect(await outcome(key)).toBe('key.expired');
  });

  it.each(['soon', NaN, {}])('R-AU-13 an expiry that is no time (%s) has passed', async (expiresAt) => {
    const { service, store, outcome } = workshop();
    const { key } = await service.issue(INPUT);
    store.distort = (record) => ({ ...record, expiresAt });
    expect(await outcome(key)).toBe('key.expired');
  });

  it('R-AK-08 null, as SQL has it, means that nothing was set', async () => {
    const { service, store, use } = workshop();
    const { key, id } = await service.issue(INPUT);
    store.distort = (record) =>
      record && {
        ...record,
        expiresAt: null,
        overlapEndsAt: null,
        revokedAt: null,
        successor: null,
        tenant: null,
        lastUsedAt: null,
      };
    expect((await use(key)).principal.tenant).toBeUndefined();
    expect((await service.rotate(id)).expiresAt).toBeUndefined();
    store.distort = () => null;
    await expect(use(generateKey('sk', 'live').key)).rejects.toMatchObject({ reason: 'key.unknown' });
  });
});

describe('addresses', () => {
  it('R-AK-08 only those in the list are allowed', async () => {
    const { service, use } = workshop();
    const { key } = await service.issue({
      ...INPUT,
      allowedAddresses: ['192.0.2.0/24', '2001:db8::/32', '10.0.0.7'],
    });
    const { allowsAddress } = await use(key);
    for (const address of ['192.0.2.1', '192.0.2.255', '2001:db8::1', '10.0.0.7'])
      expect(allowsAddress!(address)).toBe(true);
    for (const address of [
      '192.0.3.1',
      '10.0.0.8',
      '2001:db9::1',
      'unknown',
      '',
      '192.0.2.1 ',
      '::ffff:10.0.0.8',
    ]) {
      expect(allowsAddress!(address)).toBe(false);
    }
  });

  it('R-AU-13 a list that cannot be read allows nobody', async () => {
    const { service, store, use } = workshop();
    const { key } = await service.issue(INPUT);
    store.distort = (record) => record && { ...record, allowedAddresses: ['everywhere'] };
    expect((await use(key)).allowsAddress!('127.0.0.1')).toBe(false);
  });
});

describe('the owner’s rights', () => {
  it('R-AK-08 a key gives what it and its owner both have', async () => {
    const { service, use } = workshop({ options: { ownerRights: async () => RIGHTS } });
    const { key } = await service.issue({
      ...INPUT,
      scopes: ['items:read', 'admin'],
      roles: ['ops', 'root'],
    });
    expect((await use(key)).principal).toMatchObject({ scopes: ['items:read'], roles: ['ops'] });
    const bare = workshop({ options: { ownerRights: () => ({ scopes: ['items:read'] }) } });
    const issued = await bare.service.issue({ ...INPUT, roles: ['ops'] });
    expect((await bare.use(issued.key)).principal.roles).toEqual([]);
  });

  it('R-AK-10 an owner who is disabled has no keys that work, from the moment the module is told', async () => {
    let rights: typeof RIGHTS | undefined = RIGHTS;
    const { service, clock, outcome, use } = workshop({ options: { ownerRights: () => rights } });
    const [one, two] = [
      await service.issue(INPUT),
      await service.issue({ ...INPUT, scopes: ['items:write'] }),
    ];
    expect([await outcome(one.key), await outcome(two.key)]).toEqual(['good', 'good']);
    rights = undefined;
    service.ownerChanged('ada');
    expect([await outcome(one.key), await outcome(two.key)]).toEqual([
      'key.owner-disabled',
      'key.owner-disabled',
    ]);
    rights = { scopes: ['items:read'], roles: [] };
    service.ownerChanged('ada');
    expect((await use(two.key)).principal.scopes).toEqual([]);
    // Untold, it is found out when the memory ends.
    rights = undefined;
    clock.advance(5_000);
    expect(await outcome(one.key)).toBe('key.owner-disabled');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('directory down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('directory down'))],
    ['gives text', () => ({ scopes: 'items:read' })],
    ['gives nothing to go by', () => ({})],
    ['gives no scopes', () => ({ roles: [] })],
    ['gives a number', () => 1],
    ['gives true', () => true],
  ])('R-AU-13 R-AK-19 a look-up of rights that %s is 503 and no access', async (_, ownerRights) => {
    const { service, outcome } = workshop({ options: { ownerRights: ownerRights as never } });
    const { key } = await service.issue(INPUT);
    expect(await outcome(key)).toBe('UNAVAILABLE');
  });
});

describe('what is remembered', () => {
  it('R-AK-10 R-AK-13 a good key for five seconds of the clock that never steps, whatever the wall says', async () => {
    const { service, store, clock, use } = workshop();
    const { key } = await service.issue(INPUT);
    await use(key);
    clock.advance(4_999);
    clock.stepWall(-60_000);
    await use(key);
    expect(store.finds).toBe(1);
    clock.advance(1);
    await use(key);
    expect(store.finds).toBe(2);
  });

  it('R-AK-13 nothing at all with a cacheTtl of 0', async () => {
    const { service, store, use, verifier } = workshop({ options: { cacheTtl: 0 } });
    const { key } = await service.issue(INPUT);
    await use(key);
    await use(key);
    expect(store.finds).toBe(2);
    expect(verifier.remembered.accepted).toBe(0);
  });

  it('R-AK-13 no more keys than it may be, good or bad', async () => {
    const { service, use, outcome, verifier } = workshop({ options: { cacheSize: 10 } });
    const keys = [];
    for (let i = 0; i < 25; i++) keys.push((await service.issue(INPUT)).key);
    for (const key of keys) await use(key);
    expect(verifier.remembered.accepted).toBe(10);
    expect(verifier.cached(keys[24]!)).toBeDefined();
    expect(verifier.cached(keys[0]!)).toBeUndefined();
    for (let i = 0; i < 10_050; i++) await outcome(generateKey('sk', 'live').key);
    expect(verifier.remembered).toEqual({ accepted: 10, refused: 10_000 });
    // A flood of made-up keys pushes out none that is good.
    expect(verifier.cached(keys[24]!)).toBeDefined();
  });

  it('R-AK-13 a bad key for a second: not longer, and not beyond the making of it', async () => {
    const store = new WatchedStore();
    const { clock, outcome } = workshop({ store });
    const elsewhere = workshop({ store: new WatchedStore(), clock });
    const { id, key } = await elsewhere.service.issue(INPUT);
    expect(await outcome(key)).toBe('key.unknown');
    // Another process makes it.
    await store.insert((await elsewhere.store.find(id))!);
    const finds = store.finds;
    clock.advance(999);
    expect(await outcome(key)).toBe('key.unknown');
    expect(store.finds).toBe(finds);
    clock.advance(1);
    expect(await outcome(key)).toBe('good');
  });

  it('R-AK-12 R-AK-13 wrong secrets for a key do not lock out the right one', async () => {
    const { service, outcome } = workshop();
    const { key } = await service.issue(INPUT);
    const wrong = withOtherSecret(key);
    for (let i = 0; i < 50; i++) {
      expect(await outcome(wrong)).toBe('key.secret');
      expect(await outcome(key)).toBe('good');
    }
  });

  it('R-AK-10 a revocation holds from the next request on', async () => {
    const { service, outcome, verifier } = workshop();
    const { id, key } = await service.issue(INPUT);
    expect(await outcome(key)).toBe('good');
    await service.revoke(id);
    expect(verifier.cached(key)).toBeUndefined();
    expect(await outcome(key)).toBe('key.revoked');
  });

  it('R-AK-08 R-AK-10 changed scopes hold from the next request on', async () => {
    const { service, use } = workshop();
    const { id, key } = await service.issue(INPUT);
    await use(key);
    await service.update(id, { scopes: ['other'] });
    expect((await use(key)).principal.scopes).toEqual(['other']);
  });

  it('R-AK-10 another process on the same store follows within five seconds', async () => {
    const store = new WatchedStore();
    const [here, there] = [workshop({ store }), workshop({ store })];
    const { id, key } = await here.service.issue(INPUT);
    await there.use(key);
    await here.service.revoke(id);
    there.clock.advance(5_000);
    expect(await there.outcome(key)).toBe('key.revoked');
  });

  it('R-AK-10 a look-up that a revocation overtakes lets nobody in, neither those who wait for it nor later ones', async () => {
    const { service, store, outcome, verifier } = workshop();
    const { id, key } = await service.issue(INPUT);
    const { open, opened } = gate();
    store.delay = () => opened;
    const before = outcome(key);
    await turn();
    await service.revoke(id);
    store.delay = () => Promise.resolve();
    const after = outcome(key);
    open();
    expect([await before, await after]).toEqual(['key.revoked', 'key.revoked']);
    expect(verifier.cached(key)).toBeUndefined();
  });

  it('R-AK-10 the same goes for an owner, and for a revocation of which the store does not tell the outcome', async () => {
    const { service, store, outcome, use } = workshop();
    const { id, key } = await service.issue(INPUT);
    const { open, opened } = gate();
    store.delay = () => opened;
    const before = outcome(key);
    await turn();
    const revoking = service.revokeAllOf('ada');
    store.delay = () => Promise.resolve();
    await revoking;
    open();
    expect(await before).toBe('key.revoked');
    const other = await service.issue(INPUT);
    await use(other.key);
    store.failure = new Error('connection reset');
    await expect(service.revoke(other.id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await outcome(other.key)).toBe('UNAVAILABLE');
    store.failure = undefined;
    expect(await outcome(other.key)).toBe('good');
    expect(await service.get(id)).toMatchObject({ id });
  });

  it('R-AK-13 a hundred requests with one new key ask the store once', async () => {
    const { service, store, use } = workshop();
    const [one, two] = [await service.issue(INPUT), await service.issue(INPUT)];
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => use(i % 2 ? one.key : two.key)));
    expect(store.finds).toBe(2);
    expect(new Set(results.map(({ principal }) => principal.id))).toEqual(new Set([one.id, two.id]));
    const bad = generateKey('sk', 'live').key;
    await Promise.allSettled(Array.from({ length: 100 }, () => use(bad)));
    expect(store.finds).toBe(3);
  });

  it('R-AU-14 texts that are too long to be keys are not even hashed', async () => {
    const { store, verifier, outcome, comparisons } = workshop();
    expect(verifier.cached('x'.repeat(8_000))).toBeUndefined();
    expect(await outcome('x'.repeat(8_000))).toBe('key.malformed');
    expect([store.finds, comparisons.length]).toEqual([0, 0]);
  });
});

describe('a store that is down', () => {
  it('R-AK-19 is 503 with an event, is not remembered, and takes no good key out of memory', async () => {
    const { service, store, seen, clock, outcome } = workshop();
    const [known, unknown] = [await service.issue(INPUT), await service.issue(INPUT)];
    expect(await outcome(known.key)).toBe('good');
    store.failure = new Error('connection refused');
    expect(await outcome(unknown.key)).toBe('UNAVAILABLE');
    expect(await outcome(known.key)).toBe('good');
    clock.advance(5_000);
    expect(await outcome(known.key)).toBe('UNAVAILABLE');
    expect(seen.at(-1)).toMatchObject({
      type: 'store.failed',
      store: 'api-keys',
      message: 'connection refused',
    });
    store.failure = undefined;
    expect([await outcome(known.key), await outcome(unknown.key)]).toEqual(['good', 'good']);
  });

  it('R-AK-19 R-AU-13 one that hangs is 503 after the deadline', async () => {
    const { service, store, outcome } = workshop({ options: { storeTimeout: 50 } });
    const { key } = await service.issue(INPUT);
    store.delay = () => new Promise(() => undefined);
    const start = performance.now();
    expect(await outcome(key)).toBe('UNAVAILABLE');
    expect(performance.now() - start).toBeLessThan(1_000);
    store.delay = () => Promise.resolve();
    expect(await outcome(key)).toBe('good');
  });

  it.each([
    ['scopes as text', { scopes: 'admin' }],
    ['no scopes', { scopes: undefined }],
    ['no addresses', { allowedAddresses: undefined }],
  ])(
    'R-AU-13 R-AK-19 a record with %s is 503: no access, and no word against the key',
    async (_, changes) => {
      const { service, store, outcome, seen } = workshop();
      const { key } = await service.issue(INPUT);
      store.distort = (record) => ({ ...record, ...changes });
      expect(await outcome(key)).toBe('UNAVAILABLE');
      expect(seen.at(-1)).toMatchObject({ type: 'store.failed' });
      store.distort = (record) => record;
      expect(await outcome(key)).toBe('good');
    },
  );
});
