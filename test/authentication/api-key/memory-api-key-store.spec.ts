import { describe, expect, it } from 'vitest';

import { createApiKeyEntry, recordOf } from '../../../lib/authentication/api-key/api-key-entry.js';
import type { ApiKeyRecord } from '../../../lib/authentication/api-key/api-key-store.js';
import { MemoryApiKeyStore } from '../../../lib/authentication/api-key/memory-api-key-store.js';
import { INPUT, WatchedStore, workshop } from './key-workshop.js';

const record = (changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord =>
  recordOf({
    ...createApiKeyEntry({ owner: 'ada', name: 'n', scopes: ['a'], createdAt: 1 }).entry,
    ...changes,
  });

describe('the memory store', () => {
  it('R-AK-04 begins with keys from the configuration, by their digests', async () => {
    const { key, entry } = createApiKeyEntry({ owner: 'ci', name: 'build', scopes: ['items:read'] });
    expect(JSON.stringify(entry)).not.toContain(key.split('_')[3]);
    const { use } = workshop({ store: new WatchedStore([entry]) });
    expect((await use(key)).principal).toMatchObject({ owner: 'ci', scopes: ['items:read'], roles: [] });
  });

  it('R-AK-04 such keys may have a pepper, a prefix and an environment', async () => {
    const pepper = 'a pepper of much more than 32 characters';
    const { key, entry } = createApiKeyEntry(
      { owner: 'ci', name: 'build', scopes: [] },
      { prefix: 'acme', environment: 'test', pepper },
    );
    expect(key).toMatch(/^acme_test_/);
    const store = () => new WatchedStore([entry]);
    expect(await workshop({ store: store(), options: { environment: 'test', pepper } }).outcome(key)).toBe(
      'good',
    );
    expect(await workshop({ store: store(), options: { environment: 'test' } }).outcome(key)).toBe(
      'key.secret',
    );
  });

  it('R-AK-04 R-AK-17 an entry that holds the key itself is refused, without quoting it', () => {
    const { key, entry } = createApiKeyEntry({ owner: 'ci', name: 'build', scopes: [] });
    const load = (changes: object) => () => new MemoryApiKeyStore([{ ...entry, ...changes }]);
    expect(load({ digest: key })).toThrow(/not a SHA-256 digest/);
    expect(load({ digest: key })).not.toThrow(key.split('_')[3]);
    expect(load({ digest: '' })).toThrow(TypeError);
    expect(load({ id: key })).toThrow(TypeError);
    expect(() => new MemoryApiKeyStore([entry, entry])).toThrow(/two keys/);
    expect(() => new MemoryApiKeyStore([entry, record()], 1)).toThrow(/more than 1/);
  });

  it('R-AK-08 R-AK-15 what it hands out, and what it was given, cannot change what it keeps', async () => {
    const given = record();
    const store = new MemoryApiKeyStore([given]);
    (given.scopes as string[]).push('admin');
    const found = (await store.find(given.id))!;
    for (const list of [found.scopes, found.roles, found.allowedAddresses]) {
      expect(() => (list as string[]).push('admin')).toThrow(TypeError);
    }
    expect(() => Object.assign(found, { owner: 'eve' })).toThrow(TypeError);
    expect(() => Object.assign(found.metadata, { a: 'b' })).toThrow(TypeError);
    expect((await store.find(given.id))!.scopes).toEqual(['a']);
  });

  it('R-AK-11 inserts no key twice, and neither does a rotation', async () => {
    const [one, two] = [record(), record()];
    const store = new MemoryApiKeyStore([one, two]);
    await expect(store.insert(one)).rejects.toThrow('id');
    await expect(store.rotate(one.id, two, 5)).rejects.toThrow('id');
    expect(await store.find(one.id)).toMatchObject({ successor: undefined, overlapEndsAt: undefined });
  });

  it('R-AK-10 R-AK-11 of many rotations or revocations at once exactly one succeeds', async () => {
    const [one, two] = [record(), record()];
    const store = new MemoryApiKeyStore([one, two]);
    const rotations = await Promise.all(Array.from({ length: 20 }, () => store.rotate(one.id, record(), 5)));
    expect(rotations.filter(Boolean)).toHaveLength(1);
    const revocations = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.update(two.id, { revokedAt: i + 1 }, 'revokedAt')),
    );
    expect(revocations.filter(Boolean)).toHaveLength(1);
    expect(await store.find(two.id)).toMatchObject({ revokedAt: 1 });
    expect(await store.rotate(two.id, record(), 5)).toBe(false);
    expect(await store.update('no such key', { name: 'x' })).toBeUndefined();
  });

  it('R-AK-13 holds no more keys than it may, and lets go of those that have ended', async () => {
    const store = new MemoryApiKeyStore([], 3);
    const [one, two, three] = [record({ expiresAt: 50 }), record(), record()];
    for (const each of [one, two, three]) await store.insert(each);
    await expect(store.insert(record({ createdAt: 40 }))).rejects.toThrow('full');
    await store.insert(record({ createdAt: 50 }));
    expect(await store.find(one.id)).toBeUndefined();
    expect((await store.list('ada', 10)).keys.map(({ id }) => id)).not.toContain(one.id);
    await store.update(two.id, { revokedAt: 60 });
    expect(await store.rotate(three.id, record({ createdAt: 70 }), 80)).toBe(true);
    await expect(store.rotate(three.id, record({ createdAt: 70 }), 80)).resolves.toBe(false);
    await expect(store.insert(record({ createdAt: 70 }))).rejects.toThrow('full');
  });

  it('R-AK-05 lists an owner page by page, newest first, and nobody else’s', async () => {
    const own = Array.from({ length: 7 }, () => record());
    const store = new MemoryApiKeyStore([...own, record({ owner: 'bob' })]);
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const { keys, next } = await store.list('ada', 3, after);
      pages.push(keys.map(({ id }) => id));
      after = next;
    } while (after !== undefined);
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(pages.flat()).toEqual(own.map(({ id }) => id).toReversed());
    expect(await store.list('nobody', 3)).toEqual({ keys: [], next: undefined });
    expect(await store.list('ada', 3, 'made-up')).toEqual({ keys: [], next: undefined });
    expect((await store.list('ada', 7)).next).toBeUndefined();
  });

  it('R-AK-10 revokes all of an owner, and tells which it was', async () => {
    const [one, two, other] = [record({ revokedAt: 3 }), record(), record({ owner: 'bob' })];
    const store = new MemoryApiKeyStore([one, two, other]);
    expect(await store.revokeAllOf('ada', 9)).toEqual([two.id]);
    expect(await store.find(one.id)).toMatchObject({ revokedAt: 3 });
    expect(await store.find(other.id)).toMatchObject({ revokedAt: undefined });
    expect(await store.revokeAllOf('nobody', 9)).toEqual([]);
  });

  it('R-AK-04 a dump after issuing and rotating holds no secret, and the digest is no key', async () => {
    const { service, store, outcome } = workshop();
    const first = await service.issue(INPUT);
    const second = await service.rotate(first.id, { overlapMs: 1_000 });
    const dump = JSON.stringify(await store.list('ada', 100));
    for (const { key } of [first, second]) {
      const secret = key.split('_')[3]!;
      // Nor any part of it that is longer than the four letters which are shown.
      for (let at = 0; at + 8 <= secret.length; at++) expect(dump).not.toContain(secret.slice(at, at + 8));
    }
    const { digest } = (await store.find(first.id))!;
    expect(await outcome(digest)).toBe('key.malformed');
    expect(await outcome(`sk_live_${first.id}_${digest.padEnd(49, '0').slice(0, 49)}`)).toBe('key.malformed');
  });
});
