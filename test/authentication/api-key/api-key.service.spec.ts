import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { MANAGE_KEYS_SCOPE } from '../../../lib/authentication/api-key/key-grant.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import { createPrincipal } from '../../../lib/principal/principal.js';
import { INPUT, withOtherSecret, workshop } from './key-workshop.js';

const DAY = 86_400_000;

/** The paths that a refusal names. */
async function refusedPaths(call: Promise<unknown>): Promise<string[]> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SecurityError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.code).toBe('VALIDATION_FAILED');
  return (error.extras.details ?? []).map(({ path }) => path);
}

describe('issuing keys', () => {
  it('R-AK-05 shows the key once; reading, listing and events never do', async () => {
    const { service, seen } = workshop();
    const { key, ...info } = await service.issue(INPUT);
    const secret = key.split('_')[3]!;
    const shown = [
      await service.get(info.id),
      await service.list('ada'),
      await service.update(info.id, { name: 'b' }),
      seen,
    ];
    expect(JSON.stringify(shown)).not.toContain(secret.slice(0, 12));
    expect(JSON.stringify([...shown, info])).not.toContain('digest');
    expect(await service.get(info.id)).toMatchObject({
      id: info.id,
      prefix: 'sk',
      last4: key.slice(-4),
      scopes: ['items:read'],
    });
    expect(seen).toMatchObject([
      { type: 'api-key.issued', keyId: info.id, owner: 'ada' },
      { type: 'api-key.updated', keyId: info.id, fields: ['name'] },
    ]);
  });

  it('R-AK-17 an issued key is masked in what is inspected, and there for the answer', async () => {
    const { service } = workshop();
    const issued = await service.issue(INPUT);
    const masked = `sk_live_${issued.id}…${issued.last4}`;
    expect(inspect(issued)).toContain(masked);
    expect(inspect({ deep: [issued] }, { depth: 9, showHidden: true })).not.toContain(
      issued.key.split('_')[3],
    );
    expect(JSON.parse(JSON.stringify(issued))).toMatchObject({ key: issued.key });
  });

  it('R-AK-17 the service and the verifier show neither keys nor peppers', async () => {
    const pepper = 'a pepper of much more than 32 characters';
    const { service, verifier, use } = workshop({ options: { pepper } });
    const { key } = await service.issue(INPUT);
    await use(key);
    const shown = inspect([service, verifier], { depth: 9, showHidden: true });
    expect(shown).not.toContain('a pepper of');
    expect(shown).not.toContain(key.split('_')[3]);
  });

  it('R-AK-08 keeps what was asked for, and nothing that the input has besides', async () => {
    const { service, store } = workshop();
    const { id } = await service.issue({
      ...INPUT,
      tenant: 'acme',
      scopes: ['a', 'b', 'a'],
      roles: ['ops'],
      allowedAddresses: ['10.0.0.0/8'],
      metadata: { team: 'x' },
      ...({ digest: 'mine', revokedAt: 1, createdAt: 1, id: 'mine' } as object),
    });
    const record = await store.find(id);
    expect(record).toMatchObject({
      tenant: 'acme',
      scopes: ['a', 'b'],
      roles: ['ops'],
      allowedAddresses: ['10.0.0.0/8'],
      metadata: { team: 'x' },
      revokedAt: undefined,
      createdAt: 1_700_000_000_000,
    });
    expect(record!.digest).not.toBe('mine');
  });

  it.each<[string, object]>([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: undefined }],
    ['owner', { owner: '' }],
    ['owner', { owner: { $ne: null } }],
    ['tenant', { tenant: 7 }],
    ['scopes', { scopes: undefined }],
    ['scopes', { scopes: 'items:read' }],
    ['scopes', { scopes: ['items read'] }],
    ['scopes', { scopes: [''] }],
    ['scopes', { scopes: ['a"b'] }],
    ['scopes', { scopes: ['a\\b'] }],
    ['scopes', { scopes: ['é'] }],
    ['scopes', { scopes: ['x'.repeat(129)] }],
    ['scopes', { scopes: [['a']] }],
    ['scopes', { scopes: Array.from({ length: 101 }, (_, i) => `s${i}`) }],
    ['roles', { roles: ['', 'a'] }],
    ['roles', { roles: { length: 1, 0: 'admin' } }],
    ['allowedAddresses', { allowedAddresses: ['10.0.0.0/33'] }],
    ['allowedAddresses', { allowedAddresses: ['example.com'] }],
    ['allowedAddresses', { allowedAddresses: ['0.0.0.0/0'] }],
    ['metadata', { metadata: { a: 1 } }],
    ['metadata', { metadata: ['a'] }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, ''])) }],
    ['expiresAt', { expiresAt: 1_700_000_000_000 }],
    ['expiresAt', { expiresAt: NaN }],
    ['expiresAt', { expiresAt: '2099-01-01' }],
    ['environment', { environment: 'prod' }],
  ])('R-AZ-07 R-AK-08 refuses a bad %s: %j', async (path, changes) => {
    const { service, seen } = workshop();
    expect(await refusedPaths(service.issue({ ...INPUT, ...changes }))).toEqual([path]);
    expect(seen).toEqual([]);
  });

  it('R-ER-03 tells every problem at once and no value', async () => {
    const { service } = workshop();
    const call = service.issue({ owner: '', name: '', scopes: ['se cret'] });
    expect((await refusedPaths(call)).toSorted()).toEqual(['name', 'owner', 'scopes']);
    await expect(call).rejects.not.toThrow('se cret');
  });

  it('R-AK-09 no key lives longer than maxAge', async () => {
    const { service, clock } = workshop({ options: { maxAge: '30d' } });
    const latest = clock.now() + 30 * DAY;
    expect((await service.issue(INPUT)).expiresAt).toBe(latest);
    expect((await service.issue({ ...INPUT, expiresAt: latest + 1 })).expiresAt).toBe(latest);
    const short = await service.issue({ ...INPUT, expiresAt: clock.now() + DAY });
    expect(short.expiresAt).toBe(clock.now() + DAY);
    clock.advance(DAY / 2);
    expect((await service.update(short.id, { expiresAt: clock.now() + 900 * DAY }))!.expiresAt).toBe(latest);
    expect((await service.update(short.id, { name: 'other' }))!.expiresAt).toBe(latest);
  });
});

describe('listing and changing keys', () => {
  it('R-AK-05 lists in pages of at most a hundred', async () => {
    const { service } = workshop();
    for (let i = 0; i < 101; i++) await service.issue(INPUT);
    for (const limit of [undefined, 1_000, NaN, Infinity]) {
      const { keys, next } = await service.list('ada', limit);
      expect(keys).toHaveLength(100);
      expect((await service.list('ada', limit, next)).keys).toHaveLength(1);
    }
    expect((await service.list('ada', -5)).keys).toHaveLength(1);
    expect((await service.list('bob')).keys).toEqual([]);
  });

  it('R-AK-15 a change touches what may be changed and nothing else', async () => {
    const { service, store } = workshop();
    const { id } = await service.issue(INPUT);
    const before = (await store.find(id))!;
    const hostile = {
      name: 'new',
      owner: 'eve',
      tenant: 'other',
      digest: 'x',
      revokedAt: undefined,
      environment: 'test',
      id: 'y',
    };
    expect(await service.update(id, hostile as never)).toMatchObject({ id, name: 'new' });
    expect(await store.find(id)).toEqual({ ...before, name: 'new' });
    expect(await refusedPaths(service.update(id, { scopes: 'admin' } as never))).toEqual(['scopes']);
    expect(await service.update('unknown', { name: 'x' })).toBeUndefined();
    expect(await service.update('unknown', { expiresAt: 8e15 })).toBeUndefined();
    expect(await service.get('unknown')).toBeUndefined();
  });
});

describe('rotating keys', () => {
  it('R-AK-11 the old key works to the end of the overlap and not a millisecond longer', async () => {
    const { service, clock, outcome, seen } = workshop();
    const old = await service.issue({
      ...INPUT,
      roles: ['r'],
      tenant: 't',
      allowedAddresses: ['10.0.0.1'],
      metadata: { a: 'b' },
    });
    const next = await service.rotate(old.id, { overlapMs: 60_000 });
    expect(await outcome(old.key)).toBe('good');
    expect(await outcome(next.key)).toBe('good');
    clock.advance(59_999);
    expect(await outcome(old.key)).toBe('good');
    clock.advance(1);
    expect(await outcome(old.key)).toBe('key.expired');
    expect(await outcome(next.key)).toBe('good');
    const { scopes, roles, tenant, allowedAddresses, metadata, owner, name } = old;
    expect(next).toMatchObject({
      scopes,
      roles,
      tenant,
      allowedAddresses,
      metadata,
      owner,
      name,
      predecessor: old.id,
    });
    expect(await service.get(old.id)).toMatchObject({ successor: next.id });
    expect(await service.get(next.id)).toMatchObject({ predecessor: old.id, overlapEndsAt: undefined });
    expect(seen.at(-1)).toMatchObject({ type: 'api-key.rotated', keyId: old.id, successorId: next.id });
  });

  it('R-AK-11 an overlap of nothing ends the old key at once, although it is remembered', async () => {
    const { service, use, outcome } = workshop();
    const old = await service.issue(INPUT);
    await use(old.key);
    const next = await service.rotate(old.id);
    expect(await outcome(old.key)).toBe('key.expired');
    expect(await outcome(next.key)).toBe('good');
  });

  it('R-AK-11 the options may set the overlap', async () => {
    const { service, clock } = workshop({ options: { rotationOverlap: '1h' } });
    const { id } = await service.issue(INPUT);
    await service.rotate(id);
    expect((await service.get(id))!.overlapEndsAt).toBe(clock.now() + 3_600_000);
  });

  it.each([NaN, -1, Infinity, 0.5, '60000'])(
    'R-AK-11 an overlap of %s is refused, not endless',
    async (overlapMs) => {
      const { service } = workshop();
      const { id } = await service.issue(INPUT);
      expect(await refusedPaths(service.rotate(id, { overlapMs: overlapMs as never }))).toEqual([
        'overlapMs',
      ]);
      expect(await service.get(id)).toMatchObject({ successor: undefined });
    },
  );

  it('R-AK-11 no later change of the expiry prolongs an overlap', async () => {
    const { service, clock, outcome } = workshop();
    const old = await service.issue(INPUT);
    await service.rotate(old.id, { overlapMs: 1_000 });
    await service.update(old.id, { expiresAt: clock.now() + 900 * DAY });
    clock.advance(1_000);
    expect(await outcome(old.key)).toBe('key.expired');
  });

  it('R-AK-11 an overlap does not prolong a key that expires before', async () => {
    const { service, clock, outcome } = workshop();
    const old = await service.issue({ ...INPUT, expiresAt: clock.now() + 1_000 });
    const next = await service.rotate(old.id, { overlapMs: 60_000 });
    clock.advance(1_000);
    expect(await outcome(old.key)).toBe('key.expired');
    expect(await outcome(next.key)).toBe('key.expired');
  });

  it('R-AK-09 R-AK-11 the successor lives as long as its predecessor was made for', async () => {
    const { service, clock } = workshop({ options: { maxAge: '30d' } });
    const old = await service.issue({ ...INPUT, expiresAt: clock.now() + 10 * DAY });
    clock.advance(9 * DAY);
    expect((await service.rotate(old.id)).expiresAt).toBe(clock.now() + 10 * DAY);
  });

  it('R-AK-11 of two rotations at once one wins; ended and unknown keys have no successor', async () => {
    const { service, clock, outcome } = workshop();
    const { id } = await service.issue(INPUT);
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => service.rotate(id, { overlapMs: 9 })),
    );
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    expect(await outcome(won[0]!.key)).toBe('good');
    expect((await service.list('ada')).keys).toHaveLength(2);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' });
    }
    const [revoked, expired] = [
      await service.issue(INPUT),
      await service.issue({ ...INPUT, expiresAt: clock.now() + 1 }),
    ];
    await service.revoke(revoked.id);
    clock.advance(1);
    await expect(service.rotate(id)).rejects.toMatchObject({ code: 'CONFLICT' });
    for (const ended of [revoked.id, expired.id, 'unknown']) {
      await expect(service.rotate(ended)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    const working = (await service.list('ada')).keys.filter((key) => service.works(key));
    expect(working.map((key) => key.id).toSorted()).toEqual([id, won[0]!.id].toSorted());
  });
});

describe('revoking keys', () => {
  it('R-AK-10 happens once and is told once', async () => {
    const { service, seen } = workshop();
    const { id } = await service.issue(INPUT);
    const results = await Promise.all([service.revoke(id), service.revoke(id), service.revoke('unknown')]);
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(seen.filter(({ type }) => type === 'api-key.revoked')).toMatchObject([{ keyId: id }]);
  });

  it('R-AK-10 no change brings a revoked key back', async () => {
    const { service, clock, outcome } = workshop();
    const { id, key } = await service.issue(INPUT);
    await service.revoke(id);
    await service.update(id, {
      name: 'x',
      expiresAt: clock.now() + DAY,
      ...({ revokedAt: undefined } as object),
    });
    expect(await outcome(key)).toBe('key.revoked');
  });

  it('R-AK-10 ends all keys of an owner with the next request, and nobody else’s', async () => {
    const { service, use, outcome, seen } = workshop();
    const own = await Promise.all([1, 2, 3].map(() => service.issue(INPUT)));
    const other = await service.issue({ ...INPUT, owner: 'bob' });
    await Promise.all([...own, other].map(({ key }) => use(key)));
    expect(await service.revokeAllOf('ada')).toBe(3);
    expect(await Promise.all(own.map(({ key }) => outcome(key)))).toEqual(
      Array.from({ length: 3 }, () => 'key.revoked'),
    );
    expect(await outcome(other.key)).toBe('good');
    expect(seen.filter(({ type }) => type === 'api-key.revoked')).toHaveLength(3);
    expect(await service.revokeAllOf('ada')).toBe(0);
  });
});

describe('exposed keys', () => {
  it('R-AK-16 are marked once, with time and reason', async () => {
    const { service, clock, seen } = workshop();
    const { id } = await service.issue(INPUT);
    const at = clock.now();
    await service.expose(id, 'url', false);
    clock.advance(5_000);
    await service.expose(id, 'plaintext', false);
    await service.expose('unknown', 'url', false);
    expect(seen.filter(({ type }) => type === 'api-key.exposed')).toHaveLength(1);
    expect((await service.list('ada')).keys).toMatchObject([{ exposedAt: at, exposure: 'url' }]);
  });

  it.each(['flag', 'revoke'] as const)(
    'R-AK-16 R-TL-10 a genuine key that was found is reported once (%s)',
    async (onPlaintext) => {
      const { service, outcome, seen } = workshop({ options: { onPlaintext } });
      const { id, key } = await service.issue(INPUT);
      expect(await service.reportExposed(key)).toMatchObject({ id, owner: 'ada' });
      await service.reportExposed(key);
      const revoked = onPlaintext === 'revoke';
      expect(seen.filter(({ type }) => type === 'api-key.exposed')).toMatchObject([
        { keyId: id, reason: 'reported', revoked },
      ]);
      expect(await outcome(key)).toBe(revoked ? 'key.revoked' : 'good');
    },
  );

  it('R-AK-16 what is no key, a wrong secret, or a key that has ended is nobody’s', async () => {
    const { service, store, seen, comparisons } = workshop({ options: { onPlaintext: 'revoke' } });
    const [ended, good] = [await service.issue(INPUT), await service.issue(INPUT)];
    await service.revoke(ended.id);
    const unknown = (await workshop().service.issue(INPUT)).key;
    const events = seen.length;
    for (const text of ['', 'x'.repeat(100_000), ended.key, unknown, withOtherSecret(good.key)]) {
      expect(await service.reportExposed(text)).toBeUndefined();
    }
    expect(comparisons).toHaveLength(3);
    expect(seen).toHaveLength(events);
    for (const { id } of [ended, good]) expect(await store.find(id)).toMatchObject({ exposedAt: undefined });
  });
});

describe('what a maker of keys may give', () => {
  const maker = (init: object = {}) =>
    createPrincipal({
      type: 'user',
      id: 'u',
      scheme: 'jwt',
      scopes: ['a', 'b'],
      roles: ['r'],
      tenant: 't',
      ...init,
    });
  const allowed = (
    principal: ReturnType<typeof maker>,
    wanted: Parameters<typeof service.assertWithinGrant>[1],
  ) => {
    try {
      service.assertWithinGrant(principal, wanted);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'FORBIDDEN' });
      return false;
    }
  };
  const { service } = workshop();

  it('R-AK-15 is what they have themselves: scopes, roles, tenant', () => {
    expect(allowed(maker(), [])).toBe(true);
    expect(allowed(maker(), ['a', 'b'])).toBe(true);
    for (const scope of ['c', 'A', 'a ', 'a:x', '', '*']) expect(allowed(maker(), ['a', scope])).toBe(false);
    expect(allowed(maker(), { scopes: ['a'], roles: ['r'], tenant: 't' })).toBe(true);
    expect(allowed(maker(), { scopes: ['a'], roles: ['admin'], tenant: 't' })).toBe(false);
    expect(allowed(maker(), { scopes: ['a'], tenant: 'other' })).toBe(false);
    expect(allowed(maker(), { scopes: ['a'] })).toBe(false);
    expect(allowed(maker({ tenant: undefined }), { scopes: ['a'] })).toBe(true);
    expect(allowed(maker({ tenant: undefined }), { scopes: ['a'], tenant: 't' })).toBe(false);
  });

  it('R-AK-15 a key needs a scope of its own to manage keys', () => {
    const key = { type: 'api-key', scheme: 'api-key' };
    expect(allowed(maker(key), ['a'])).toBe(false);
    expect(allowed(maker({ ...key, scopes: ['a', 'keys:write'] }), [])).toBe(false);
    expect(allowed(maker({ ...key, scopes: ['a', MANAGE_KEYS_SCOPE] }), ['a'])).toBe(true);
    expect(allowed(maker({ ...key, scopes: ['a', MANAGE_KEYS_SCOPE] }), ['b'])).toBe(false);
  });
});

describe('a store that is down', () => {
  it('R-AK-19 is 503 for every call, with an event, and never an answer', async () => {
    const { service, store, seen } = workshop();
    const { id, key } = await service.issue(INPUT);
    store.failure = new Error('connection refused');
    const calls = [
      service.get(id),
      service.rotate(id),
      service.revoke(id),
      service.expose(id, 'url', false),
      service.reportExposed(key),
    ];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'UNAVAILABLE', extras: { retryAfter: 5 } },
      });
    }
    expect(seen.filter(({ type }) => type === 'store.failed')).toHaveLength(calls.length);
  });
});
