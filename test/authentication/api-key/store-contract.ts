import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createApiKeyEntry, recordOf } from '../../../lib/authentication/api-key/api-key-entry.js';
import {
  type ApiKeyChange,
  type ApiKeyRecord,
  type ApiKeyStore,
  USAGE_DAYS,
} from '../../../lib/authentication/api-key/api-key-store.js';
import { reasonAgainst } from '../../../lib/authentication/api-key/key-standing.js';
import { covers, dayOf, StoreModel } from './store-model.js';

/** A store without any keys. */
export interface OpenStore {
  readonly store: ApiKeyStore;
  /** A further one over the same keys, as another process has it. */
  readonly another?: () => Promise<ApiKeyStore>;
  /** Closes all of them, and removes the keys. */
  readonly close: () => Promise<void>;
}

const NOW = Date.UTC(2026, 10, 24, 12);
const DAY_MS = 86_400_000;
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** A key as a store gets it; `changes` may say anything about it. */
export function keyRecord(changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  const { entry } = createApiKeyEntry({ owner: 'ada', name: 'n', scopes: ['a'], createdAt: NOW });
  return recordOf({ ...entry, ...changes });
}

const FULL: Partial<ApiKeyRecord> = {
  prefix: 'acme',
  environment: 'test',
  last4: 'ab_Z',
  name: 'Ünï ✓ 鍵 🔑 "quoted" \\ \'; -- %_',
  owner: 'ada@example.com/Ω 🙂',
  tenant: 'tenant ✓ ',
  scopes: ['orders:read', 'orders:write', '~!#$'],
  roles: ['rôle', 'a,b', '"'],
  allowedAddresses: ['10.0.0.0/8', '2001:db8::/32'],
  metadata: { team: 'bläu 🎉', '': '', 'a.b': 'null', constructor: 'x', line: 'one\ntwo\u2028', nul: 'a\0b' },
  limits: [
    { limit: 100, window: 60_000 },
    { limit: 1_000_000, window: 30 * DAY_MS },
  ],
  createdAt: NOW - 5,
  expiresAt: 8_640_000_000_000_000,
  overlapEndsAt: NOW + 1,
  revokedAt: NOW + 2,
  exposedAt: NOW + 3,
  exposure: 'reported',
  lastUsedAt: NOW + 4,
  lastUsedFrom: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
  predecessor: 'AAAAAAAAAAAAAAAA',
  successor: 'BBBBBBBBBBBBBBBB',
};

/**
 * What every store does, whatever it keeps keys in.
 *
 * @param open called before each test
 * @param options.subscribes whether the store tells of changes that others make
 */
export function describeApiKeyStore(
  name: string,
  open: () => Promise<OpenStore>,
  { subscribes }: { readonly subscribes?: boolean } = {},
): void {
  describe(`${name} of API keys`, () => {
    let opened: OpenStore;
    let store: ApiKeyStore;
    beforeEach(async () => {
      opened = await open();
      ({ store } = opened);
    });
    afterEach(() => opened.close());

    const insert = async (...changes: Partial<ApiKeyRecord>[]): Promise<ApiKeyRecord[]> => {
      const records = changes.map(keyRecord);
      for (const record of records) await store.insert(record);
      return records;
    };
    const insertOne = async (changes: Partial<ApiKeyRecord> = {}): Promise<ApiKeyRecord> =>
      (await insert(changes))[0]!;
    /** The store and another one over the same keys, in turn. */
    const both = async (): Promise<(index: number) => ApiKeyStore> => {
      const other = (await opened.another?.()) ?? store;
      return (index) => (index % 2 === 0 ? store : other);
    };
    const use = (id: string, lastUsedAt: number, uses = 1, lastUsedFrom?: string) => ({
      id,
      uses,
      lastUsedAt,
      lastUsedFrom,
    });

    describe('find, insert', () => {
      it('R-AK-04 keeps every field as it was given, the empty ones as undefined', async () => {
        const [full, bare, plan] = await insert(FULL, {}, { limits: 'free.plan-1', metadata: {} });
        expect(await store.find(full!.id)).toStrictEqual(full);
        expect(await store.find(bare!.id)).toStrictEqual(bare);
        expect(await store.find(plan!.id)).toStrictEqual(plan);
        expect((await store.list(full!.owner, 5)).keys).toStrictEqual([full]);
      });

      it('R-AK-04 keeps the largest key that an input can ask for', async () => {
        const largest = await insertOne({
          name: '鍵'.repeat(100),
          owner: '鍵'.repeat(256),
          tenant: '🔑'.repeat(128),
          scopes: times(100, (i) => `${i}`.padEnd(128, '~')),
          roles: times(100, (i) => `${i}`.padEnd(128, '鍵')),
          allowedAddresses: times(100, (i) => `${i}`.padEnd(64, '0')),
          metadata: Object.fromEntries(times(20, (i) => [`${i}`.padEnd(64, '鍵'), '\u0001'.repeat(512)])),
        });
        expect(await store.find(largest.id)).toStrictEqual(largest);
        expect((await store.list(largest.owner, 1)).keys).toStrictEqual([largest]);
      });

      it('R-AK-06 knows no key by an id that is not exactly its own', async () => {
        const [upper, lower] = await insert(
          { id: 'AbcdEFgh12345678' },
          { id: 'abcdefgh12345678', owner: 'bob' },
        );
        expect(await store.find(upper!.id)).toStrictEqual(upper);
        expect(await store.find(lower!.id)).toStrictEqual(lower);
        const wrong = ['', 'AbcdEFgh12345678 ', ' AbcdEFgh12345678', 'ABCDEFGH12345678', 'ÁbcdEFgh12345678'];
        const odd = ['\0', 'a\0', '\uD800', '__proto__', '*', '%', "' or ''='", '鍵', 'x'.repeat(5_000)];
        for (const id of [...wrong, ...odd]) {
          expect(await store.find(id)).toBeUndefined();
          expect(await store.update(id, { name: 'x' })).toBeUndefined();
          expect(await store.rotate(id, keyRecord(), NOW)).toBe(false);
          expect(await store.usage(id, '2026-01-01')).toEqual([]);
        }
        await store.recordUses(['\0', '\uD800', 'x'.repeat(5_000)].map((id) => use(id, NOW)));
        expect((await store.list('ada', 10)).keys).toStrictEqual([upper]);
      });

      it('R-AK-11 rejects a second key of one id, and keeps the first', async () => {
        const one = await insertOne();
        await expect(store.insert({ ...one, name: 'other', owner: 'eve' })).rejects.toBeInstanceOf(Error);
        expect(await store.find(one.id)).toStrictEqual(one);
        expect(await store.list('eve', 5)).toStrictEqual({ keys: [], next: undefined });
        const at = await both();
        const same = keyRecord();
        const outcomes = await Promise.allSettled(times(6, (i) => at(i).insert({ ...same, name: `${i}` })));
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      });

      it('R-AK-08 R-AK-15 what it returns and what it was given cannot change what it keeps', async () => {
        const given = keyRecord(FULL);
        const kept = structuredClone(given);
        await store.insert(given);
        const vandalise = (record: ApiKeyRecord): void => {
          const { scopes, roles, allowedAddresses, metadata, limits } = record;
          const attempts = [
            () => (scopes as string[]).push('admin'),
            () => (roles as string[]).push('admin'),
            () => (allowedAddresses as string[]).pop(),
            () => Object.assign(metadata, { team: 'eve' }),
            () => Object.assign((limits as object[])[0]!, { limit: 1e9 }),
            () => Object.assign(record, { owner: 'eve', revokedAt: undefined }),
          ];
          for (const attempt of attempts) {
            try {
              attempt();
            } catch (error) {
              expect(error).toBeInstanceOf(TypeError);
            }
          }
        };
        vandalise(given);
        vandalise((await store.find(kept.id))!);
        vandalise((await store.list(kept.owner, 1)).keys[0]!);
        vandalise((await store.update(kept.id, {}))!);
        expect(await store.find(kept.id)).toStrictEqual(kept);
      });
    });

    describe('update', () => {
      it('R-AK-08 changes what is named, and returns the key as it then is', async () => {
        const [one, other] = await insert({}, {});
        const changes = {
          digest: keyRecord().digest,
          name: 'né 🔑',
          scopes: ['b', 'c'],
          roles: ['r'],
          allowedAddresses: ['10.0.0.1'],
          metadata: { a: 'b' },
          limits: [{ limit: 1, window: 1_000 }],
          expiresAt: NOW + 5,
          exposedAt: NOW + 6,
          exposure: 'url',
        } as const;
        expect(await store.update(one!.id, changes)).toStrictEqual({ ...one, ...changes });
        expect(await store.find(one!.id)).toStrictEqual({ ...one, ...changes });
        expect(await store.update(one!.id, {})).toStrictEqual({ ...one, ...changes });
        expect(await store.find(other!.id)).toStrictEqual(other);
      });

      it('R-AK-09 empties the fields that are there as undefined, and no others', async () => {
        const one = await insertOne(FULL);
        const emptied = { ...one, limits: undefined, expiresAt: undefined };
        expect(await store.update(one.id, { limits: undefined, expiresAt: undefined })).toStrictEqual(
          emptied,
        );
        expect(await store.find(one.id)).toStrictEqual(emptied);
        const lists = { scopes: [], roles: [], allowedAddresses: [], metadata: {}, limits: 'plan' } as const;
        expect(await store.update(one.id, lists)).toStrictEqual({ ...emptied, ...lists });
        expect(await store.find(one.id)).toStrictEqual({ ...emptied, ...lists });
      });

      it('R-AK-10 does nothing where the field is filled that shall be empty', async () => {
        const one = await insertOne();
        const revoked = { ...one, revokedAt: NOW };
        expect(await store.update(one.id, { revokedAt: NOW }, 'revokedAt')).toStrictEqual(revoked);
        expect(await store.update(one.id, { revokedAt: NOW + 1 }, 'revokedAt')).toBeUndefined();
        expect(await store.update(one.id, { name: 'x' }, 'revokedAt')).toBeUndefined();
        expect(await store.find(one.id)).toStrictEqual(revoked);
        const exposure = { exposedAt: NOW, exposure: 'plaintext' } as const;
        expect(await store.update(one.id, exposure, 'exposedAt')).toStrictEqual({ ...revoked, ...exposure });
        expect(await store.update(one.id, { exposure: 'url' }, 'exposedAt')).toBeUndefined();
        expect(await store.find(one.id)).toStrictEqual({ ...revoked, ...exposure });
      });

      it('R-AK-10 of many revocations at the same time exactly one succeeds', async () => {
        const one = await insertOne();
        const at = await both();
        const outcomes = await Promise.all(
          times(20, (i) => at(i).update(one.id, { revokedAt: NOW + i }, 'revokedAt')),
        );
        const [winner, ...others] = outcomes.filter(Boolean);
        expect(others).toEqual([]);
        expect(await store.find(one.id)).toStrictEqual(winner);
      });

      it('R-AK-10 changes of different fields at the same time all count', async () => {
        const one = await insertOne();
        const at = await both();
        await Promise.all([
          at(0).update(one.id, { name: 'new' }),
          at(1).update(one.id, { revokedAt: NOW }, 'revokedAt'),
          at(0).update(one.id, { exposedAt: NOW, exposure: 'url' }, 'exposedAt'),
          at(1).recordUses([use(one.id, NOW, 3)]),
          at(0).update(one.id, { scopes: ['z'] }),
        ]);
        expect(await store.find(one.id)).toStrictEqual({
          ...one,
          name: 'new',
          revokedAt: NOW,
          exposedAt: NOW,
          exposure: 'url',
          scopes: ['z'],
          lastUsedAt: NOW,
        });
      });
    });

    describe('rotate', () => {
      it('R-AK-11 links both keys, and ends the time of the old one', async () => {
        const [one, successor] = [await insertOne(), keyRecord({ createdAt: NOW + 1 })];
        expect(await store.rotate(one.id, successor, NOW + 9)).toBe(true);
        const [old, made] = [
          { ...one, successor: successor.id, overlapEndsAt: NOW + 9 },
          { ...successor, predecessor: one.id },
        ];
        expect(await store.find(one.id)).toStrictEqual(old);
        expect(await store.find(successor.id)).toStrictEqual(made);
        expect(await store.list('ada', 5)).toStrictEqual({ keys: [made, old], next: undefined });
      });

      it('R-AK-11 does nothing to a key that is unknown, revoked or rotated already', async () => {
        const [revoked, rotated] = await insert({ revokedAt: NOW }, {});
        await store.rotate(rotated!.id, keyRecord(), NOW);
        const before = await store.find(rotated!.id);
        for (const id of [revoked!.id, rotated!.id, keyRecord().id]) {
          const successor = keyRecord();
          expect(await store.rotate(id, successor, NOW + 1)).toBe(false);
          expect(await store.find(successor.id)).toBeUndefined();
        }
        expect(await store.find(rotated!.id)).toStrictEqual(before);
        expect(await store.find(revoked!.id)).toStrictEqual(revoked);
      });

      it('R-AK-11 rejects a successor whose id is taken, and leaves the old key as it is', async () => {
        const [one, taken] = await insert({}, { owner: 'bob' });
        await expect(store.rotate(one!.id, { ...keyRecord(), id: taken!.id }, NOW)).rejects.toBeInstanceOf(
          Error,
        );
        expect(await store.find(one!.id)).toStrictEqual(one);
        expect(await store.find(taken!.id)).toStrictEqual(taken);
        expect(await store.rotate(one!.id, keyRecord(), NOW)).toBe(true);
      });

      it('R-AK-11 of many rotations at the same time exactly one succeeds', async () => {
        const one = await insertOne();
        const at = await both();
        const successors = times(20, () => keyRecord());
        const outcomes = await Promise.all(successors.map((made, i) => at(i).rotate(one.id, made, NOW)));
        expect(outcomes.filter(Boolean)).toHaveLength(1);
        const winner = successors[outcomes.indexOf(true)]!;
        expect(await store.find(one.id)).toMatchObject({ successor: winner.id });
        const { keys } = await store.list('ada', 50);
        expect(keys.map(({ id }) => id).toSorted()).toEqual([one.id, winner.id].toSorted());
      });

      it('R-AK-10 R-AK-11 a rotation and a revocation of all at the same time leave no key that works', async () => {
        const at = await both();
        for (let round = 0; round < 5; round++) {
          const owner = `racer ${round}`;
          const keys = await insert(...times(4, () => ({ owner })));
          const chain = async (one: ApiKeyRecord, index: number): Promise<void> => {
            let { id } = one;
            for (let link = 0; link < 3; link++) {
              const next = keyRecord({ owner });
              if (!(await at(index + link).rotate(id, next, NOW + DAY_MS))) return;
              ({ id } = next);
            }
          };
          const [revoked] = await Promise.all([
            at(round).revokeAllOf(owner, NOW),
            ...keys.map((key, index) => chain(key, index)),
          ]);
          const page = await store.list(owner, 50);
          // A chain may go on for as long as it is quicker, but what it makes before the end is revoked too.
          expect(page.keys.filter((key) => reasonAgainst(key, NOW + 1) === undefined)).toEqual([]);
          expect([...revoked].toSorted()).toEqual(page.keys.map(({ id }) => id).toSorted());
        }
      });
    });

    describe('list', () => {
      it('R-AK-05 pages through the keys of an owner, newest first, each of them once', async () => {
        const order = [3, 1, 2, 2, 2, 5, 4];
        const keys = await insert(...order.map((createdAt) => ({ createdAt: NOW + createdAt })));
        await insert({ owner: 'bob' });
        const seen: ApiKeyRecord[] = [];
        const sizes: number[] = [];
        let after: string | undefined;
        do {
          const page = await store.list('ada', 2, after);
          seen.push(...page.keys);
          sizes.push(page.keys.length);
          after = page.next;
        } while (after !== undefined);
        expect(sizes).toEqual([2, 2, 2, 1]);
        expect(seen.map(({ createdAt }) => createdAt - NOW)).toEqual([5, 4, 3, 2, 2, 2, 1]);
        expect(seen.map(({ id }) => id).toSorted()).toEqual(keys.map(({ id }) => id).toSorted());
        expect((await store.list('ada', 7)).next).toBeUndefined();
        expect((await store.list('ada', 6)).next).toBe(seen[5]!.id);
        expect((await store.list('ada', 50)).keys).toStrictEqual(seen);
      });

      it('R-AK-05 gives an empty page after an id that is unknown, or of another owner', async () => {
        const [, other] = await insert({}, { owner: 'bob' });
        const empty = { keys: [], next: undefined };
        for (const after of [keyRecord().id, other!.id, '', '\0', 'x'.repeat(2_000)]) {
          expect(await store.list('ada', 5, after)).toStrictEqual(empty);
        }
        expect(await store.list('nobody', 5)).toStrictEqual(empty);
      });

      it('R-AK-08 takes owners as different that differ in case, accents or spaces', async () => {
        const owners = ['a', 'A', 'a ', ' a', 'á', 'a\u0301', 'a%', '%', '_', '*', 'ß', 'ss', "a' or '1'='1"];
        const keys = await insert(...owners.map((owner) => ({ owner })));
        for (const [index, owner] of owners.entries()) {
          expect((await store.list(owner, 50)).keys).toStrictEqual([keys[index]]);
        }
        for (const owner of ['', '\0', 'a\0', '\uD800', 'x'.repeat(5_000)]) {
          expect((await store.list(owner, 50)).keys).toEqual([]);
          expect(await store.revokeAllOf(owner, NOW)).toEqual([]);
        }
        expect(await store.revokeAllOf('a', NOW)).toEqual([keys[0]!.id]);
        expect((await store.list('A', 1)).keys).toStrictEqual([keys[1]]);
      });
    });

    describe('revokeAllOf', () => {
      it('R-AK-10 revokes what is not revoked, and returns the ids', async () => {
        const keys = await insert({ revokedAt: NOW - 5 }, {}, { expiresAt: NOW - 1 }, { owner: 'bob' });
        const ids = keys.map(({ id }) => id);
        expect([...(await store.revokeAllOf('ada', NOW))].toSorted()).toEqual([ids[1]!, ids[2]!].toSorted());
        expect(await store.find(ids[0]!)).toStrictEqual(keys[0]);
        expect(await store.find(ids[1]!)).toStrictEqual({ ...keys[1], revokedAt: NOW });
        expect(await store.find(ids[2]!)).toStrictEqual({ ...keys[2], revokedAt: NOW });
        expect(await store.find(ids[3]!)).toStrictEqual(keys[3]);
        expect(await store.revokeAllOf('ada', NOW + 1)).toEqual([]);
        expect(await store.revokeAllOf('nobody', NOW)).toEqual([]);
      });

      it('R-AK-10 revokes many keys, each of them by one of several calls', async () => {
        const at = await both();
        const records = times(250, () => keyRecord({ owner: 'big' }));
        await Promise.all(records.map((record, i) => at(i).insert(record)));
        const outcomes = await Promise.all(times(3, (i) => at(i).revokeAllOf('big', NOW)));
        expect(outcomes.flat().toSorted()).toEqual(records.map(({ id }) => id).toSorted());
      });
    });

    describe('recordUses, usage', () => {
      it('R-AK-18 adds up by day, and leaves out days before the first and those without any', async () => {
        const [one, other] = await insert({}, {});
        await store.recordUses([use(one!.id, NOW - 3 * DAY_MS, 2, '10.0.0.1'), use(other!.id, NOW, 7)]);
        await store.recordUses([use(one!.id, NOW - DAY_MS, 3), use(one!.id, NOW, 1, '10.0.0.2')]);
        await store.recordUses([use(one!.id, NOW + 1, 1, '10.0.0.3')]);
        const [first, second, third] = [
          { day: '2026-11-21', uses: 2 },
          { day: '2026-11-23', uses: 3 },
          { day: '2026-11-24', uses: 2 },
        ];
        expect(await store.usage(one!.id, '2000-01-01')).toEqual([first, second, third]);
        expect(await store.usage(one!.id, '2026-11-22')).toEqual([second, third]);
        expect(await store.usage(one!.id, '2026-11-25')).toEqual([]);
        expect(await store.usage(keyRecord().id, '2000-01-01')).toEqual([]);
        const used = { lastUsedAt: NOW + 1, lastUsedFrom: '10.0.0.3' };
        expect(await store.find(one!.id)).toStrictEqual({ ...one, ...used });
        expect(await store.usage(other!.id, '2000-01-01')).toEqual([{ day: '2026-11-24', uses: 7 }]);
      });

      it('R-AK-18 counts a key that is in one batch twice, and never moves the last use back', async () => {
        const one = await insertOne();
        await store.recordUses([use(one.id, NOW, 1, '10.0.0.9'), use(one.id, NOW - 5, 2, '10.0.0.1')]);
        await store.recordUses([use(one.id, NOW - 9, 4, '10.0.0.2')]);
        expect(await store.find(one.id)).toMatchObject({ lastUsedAt: NOW, lastUsedFrom: '10.0.0.9' });
        expect(await store.usage(one.id, '2026-11-24')).toEqual([{ day: '2026-11-24', uses: 7 }]);
        await store.recordUses([use(one.id, NOW + 5)]);
        const { lastUsedAt, lastUsedFrom } = (await store.find(one.id))!;
        expect([lastUsedAt, lastUsedFrom]).toEqual([NOW + 5, undefined]);
      });

      it('R-AK-18 passes over ids that are unknown, whatever else is in the batch', async () => {
        const one = await insertOne();
        await store.recordUses([]);
        await store.recordUses([use(keyRecord().id, NOW), use(one.id, NOW, 5), use('nonsense', NOW)]);
        expect(await store.usage(one.id, '2000-01-01')).toEqual([{ day: '2026-11-24', uses: 5 }]);
        expect(await store.usage('nonsense', '2000-01-01')).toEqual([]);
      });

      it('R-AK-18 takes 1 000 keys at once, and several batches at the same time', async () => {
        const at = await both();
        const records = times(50, () => keyRecord({ owner: 'many' }));
        await Promise.all(records.map((record, i) => at(i).insert(record)));
        const strangers = times(950, () => keyRecord()).map(({ id }) => use(id, NOW));
        const batch = (i: number) => [
          ...records.map(({ id }) => use(id, NOW + i, 2, `10.0.0.${i}`)),
          ...strangers,
        ];
        // Each in an order of its own, which must not make them wait for one another.
        await Promise.all(times(6, (i) => at(i).recordUses(i % 2 ? batch(i) : batch(i).toReversed())));
        for (const { id } of records.slice(0, 5)) {
          expect(await store.usage(id, '2000-01-01')).toEqual([{ day: '2026-11-24', uses: 12 }]);
          expect(await store.find(id)).toMatchObject({ lastUsedAt: NOW + 5, lastUsedFrom: '10.0.0.5' });
        }
      });

      it('R-AK-18 keeps as many days as the last use reaches back, in whatever order they come', async () => {
        const one = await insertOne();
        const reach = (USAGE_DAYS - 1) * DAY_MS;
        await store.recordUses([use(one.id, NOW - reach)]);
        await store.recordUses([use(one.id, NOW)]);
        const [oldest, today] = [dayOf(NOW - reach), dayOf(NOW)];
        expect((await store.usage(one.id, '2000-01-01')).map(({ day }) => day)).toEqual([oldest, today]);
        await store.recordUses([use(one.id, NOW - reach - DAY_MS)]);
        expect((await store.usage(one.id, '2000-01-01')).map(({ day }) => day)).toEqual([oldest, today]);
        await store.recordUses([use(one.id, NOW + DAY_MS)]);
        const tomorrow = dayOf(NOW + DAY_MS);
        expect((await store.usage(one.id, '2000-01-01')).map(({ day }) => day)).toEqual([today, tomorrow]);
      });
    });

    describe('purge', () => {
      it('R-AK-09 removes what ended before that time, and nothing that works or ended later', async () => {
        const ended = await insert(
          { expiresAt: NOW - 1 },
          { revokedAt: NOW - 1 },
          { overlapEndsAt: NOW - 1, successor: 'CCCCCCCCCCCCCCCC' },
          { expiresAt: NOW + 9, revokedAt: NOW - 1 },
          { expiresAt: NOW - 1, revokedAt: NOW + 9 },
        );
        const kept = await insert({}, { expiresAt: NOW }, { revokedAt: NOW }, { expiresAt: NOW + 9 });
        await store.recordUses([...ended, ...kept].map(({ id }) => use(id, NOW - 9)));
        expect(await store.purge(NOW, 100)).toBe(5);
        for (const { id } of ended) {
          expect(await store.find(id)).toBeUndefined();
          expect(await store.usage(id, '2000-01-01')).toEqual([]);
        }
        for (const { id } of kept) {
          expect(await store.find(id)).toBeDefined();
          expect(await store.usage(id, '2000-01-01')).toHaveLength(1);
        }
        expect((await store.list('ada', 50)).keys).toHaveLength(4);
        expect(await store.purge(NOW, 100)).toBe(0);
      });

      it('R-AK-09 follows changes of a key: prolonged, expired, revoked, brought back, rotated', async () => {
        const [prolonged, shortened, revoked, back, rotated] = await insert(
          { expiresAt: NOW - 1 },
          { expiresAt: NOW + 9 },
          {},
          { revokedAt: NOW - 1 },
          {},
        );
        await store.update(prolonged!.id, { expiresAt: undefined });
        await store.update(shortened!.id, { expiresAt: NOW - 1 });
        await store.update(revoked!.id, { revokedAt: NOW - 1 }, 'revokedAt');
        await store.update(back!.id, { revokedAt: undefined });
        await store.rotate(rotated!.id, keyRecord(), NOW - 1);
        await insert({ owner: 'gone' });
        await store.revokeAllOf('gone', NOW - 1);
        expect(await store.purge(NOW, 100)).toBe(4);
        expect(await store.find(prolonged!.id)).toBeDefined();
        expect(await store.find(back!.id)).toBeDefined();
        expect(await store.list('gone', 5)).toStrictEqual({ keys: [], next: undefined });
      });

      it('R-AK-09 removes no more than the limit, and a removed id may come again', async () => {
        const at = await both();
        const ended = await insert(...times(7, () => ({ revokedAt: NOW - 1 })));
        await store.recordUses([use(ended[0]!.id, NOW)]);
        expect(await store.purge(NOW, 3)).toBe(3);
        expect((await store.list('ada', 50)).keys).toHaveLength(4);
        const removed = await Promise.all([at(0).purge(NOW, 3), at(1).purge(NOW, 3)]);
        expect(removed[0] + removed[1] + (await store.purge(NOW, 10))).toBe(4);
        await store.insert(ended[0]!);
        expect(await store.find(ended[0]!.id)).toStrictEqual(ended[0]);
        expect(await store.usage(ended[0]!.id, '2000-01-01')).toEqual([]);
      });
    });

    it(
      'R-AK-09 R-AK-10 R-AK-11 does what a simple model of it does, in any order',
      { timeout: 60_000 },
      async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
            const model = new StoreModel();
            const records = times(5, (i) => keyRecord({ owner: i < 3 ? 'ada' : 'bob', createdAt: NOW + i }));
            try {
              for (const one of steps) await one(store, model, records);
              for (const { id } of records) {
                expect(await store.find(id)).toStrictEqual(model.records.get(id));
                expect(await store.usage(id, '2000-01-01')).toEqual(model.usage(id, '2000-01-01'));
              }
            } finally {
              // The next run begins with an empty store.
              for (const owner of ['ada', 'bob']) {
                for (const { id } of (await store.list(owner, 50)).keys)
                  await store.update(id, { revokedAt: 1 });
              }
              await store.purge(2, 100);
            }
          }),
          { numRuns: 12 },
        );
      },
    );

    it('R-AK-10 tells of changes if that was said of it', () => {
      expect('subscribe' in store).toBe(subscribes ?? 'subscribe' in store);
    });

    it('R-AK-10 tells of every change that counts, whoever makes it', async () => {
      if (!store.subscribe) return;
      const other = (await both())(1);
      const changes: ApiKeyChange[] = [];
      const end = await store.subscribe((change) => changes.push(change));
      const [one, two, successor] = [keyRecord(), keyRecord({ owner: 'b\'o"b 🙂' }), keyRecord()];
      const told = async (record: ApiKeyRecord, cause: () => Promise<unknown>): Promise<void> => {
        changes.length = 0;
        await cause();
        await expect
          .poll(() => changes.some((change) => covers(change, record)), { timeout: 2_000 })
          .toBe(true);
      };
      await told(one, () => other.insert(one));
      await told(two, () => store.insert(two));
      await told(one, () => other.update(one.id, { name: 'x' }));
      await told(one, () => other.rotate(one.id, successor, NOW));
      await expect.poll(() => changes.some((change) => covers(change, successor))).toBe(true);
      await told(two, () => other.revokeAllOf(two.owner, NOW));
      await end();
      changes.length = 0;
      await other.update(one.id, { name: 'y' });
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(changes).toEqual([]);
    });
  });
}

type Step = (store: ApiKeyStore, model: StoreModel, records: readonly ApiKeyRecord[]) => Promise<void>;

const index = fc.nat({ max: 4 });
const owner = fc.constantFrom('ada', 'bob', 'Ada');
const time = fc.integer({ min: -3, max: 3 }).map((days) => NOW + days * DAY_MS);
const unless = fc.constantFrom(undefined, 'revokedAt' as const, 'exposedAt' as const);
const changes = fc.record(
  {
    name: fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => `n${text.replaceAll('\0', '')}`),
    scopes: fc.array(fc.constantFrom('a', 'b')),
    limits: fc.constantFrom(undefined, 'plan', [{ limit: 1, window: 2 }]),
    expiresAt: fc.option(time, { nil: undefined }),
    revokedAt: fc.option(time, { nil: undefined }),
    exposedAt: fc.option(time, { nil: undefined }),
  },
  { requiredKeys: [] },
);
const uses = fc.array(
  fc.record({
    index,
    uses: fc.integer({ min: 1, max: 9 }),
    lastUsedAt: time,
    from: fc.option(fc.ipV4(), { nil: undefined }),
  }),
  { maxLength: 5 },
);
/** The outcome, or that there was none. */
const settled = <T>(outcome: Promise<T>): Promise<T | 'rejected'> => outcome.catch(() => 'rejected' as const);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: index.map((at): Step => async (store, model, records) => {
      const record = records[at]!;
      expect((await settled(store.insert(record))) !== 'rejected').toBe(model.insert(record));
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(index, changes, unless)
      .map(([at, what, empty]): Step => async (store, model, records) => {
        const { id } = records[at]!;
        expect(await store.update(id, what, empty)).toStrictEqual(model.update(id, what, empty));
      }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(index, index, time).map(([from, to, at]): Step => async (store, model, records) => {
      const [{ id }, successor] = [records[from]!, records[to]!];
      const expected = model.rotate(id, successor, at) ?? 'rejected';
      expect(await settled(store.rotate(id, successor, at))).toBe(expected);
    }),
  },
  fc.tuple(owner, time).map(([whose, at]): Step => async (store, model) => {
    expect([...(await store.revokeAllOf(whose, at))].toSorted()).toEqual(model.revokeAllOf(whose, at));
  }),
  uses.map((batch): Step => async (store, model, records) => {
    const written = batch.map(({ index: at, from, ...rest }) => ({
      ...rest,
      id: records[at]!.id,
      lastUsedFrom: from,
    }));
    await store.recordUses(written);
    model.recordUses(written);
  }),
  owner.map((whose): Step => async (store, model) => {
    const expected = model.owned(whose).toSorted((one, other) => other.createdAt - one.createdAt);
    expect(await store.list(whose, 50)).toStrictEqual({ keys: expected, next: undefined });
  }),
  time.map((before): Step => async (store, model) => {
    expect(await store.purge(before, 100)).toBe(model.purge(before));
  }),
);
