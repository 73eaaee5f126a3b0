import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type {
  AuthorizationRecord,
  AuthorizationStore,
} from '../../lib/authorization-server/records/authorization-store.js';
import { MemoryAuthorizationStore } from '../../lib/authorization-server/records/memory-authorization-store.js';

/** An empty store, and a way to look at the same data from another connection. */
export interface OpenAuthorizationStore {
  readonly store: AuthorizationStore;
  readonly another: () => Promise<AuthorizationStore>;
  readonly close: () => Promise<void>;
}

const HOUR = 3_600_000;
const digest = (letter: string): string => letter.repeat(43);

const record = (changes: Partial<AuthorizationRecord> = {}): AuthorizationRecord => ({
  kind: 'RefreshToken',
  id: digest('a'),
  payload: 'é{"text":"\'"}',
  expiresAt: Date.now() + HOUR,
  ...changes,
});

/** What holds for every store of the authorization server. */
export function describeAuthorizationStore(name: string, open: () => Promise<OpenAuthorizationStore>): void {
  describe(`${name} for the authorization server`, () => {
    let opened: OpenAuthorizationStore;
    let store: AuthorizationStore;
    beforeAll(async () => {
      opened = await open();
      ({ store } = opened);
    });
    afterAll(() => opened.close());

    it('R-AS-06 finds what was saved, by kind and id, until it expires', async () => {
      const now = Date.now();
      expect(await store.save(record({ id: digest('b'), uid: digest('u') }))).toBe(true);
      const { payload } = record();
      const found = { id: digest('b'), payload, consumedAt: undefined };
      expect(await store.find('RefreshToken', digest('b'), now)).toEqual(found);
      expect(await store.findByUid('RefreshToken', digest('u'), now)).toEqual(found);
      expect(await (await opened.another()).find('RefreshToken', digest('b'), now)).toEqual(found);
      expect(await store.find('AccessToken', digest('b'), now)).toBeUndefined();
      expect(await store.findByUid('AccessToken', digest('u'), now)).toBeUndefined();
      expect(await store.find('RefreshToken', digest('B'), now)).toBeUndefined();
      expect(await store.find('RefreshToken', digest('b'), now + HOUR + 1)).toBeUndefined();
      expect(await store.remove('RefreshToken', digest('b'))).toBe(true);
      expect(await store.remove('RefreshToken', digest('b'))).toBe(false);
      expect(await store.findByUid('RefreshToken', digest('u'), now)).toBeUndefined();
    });

    it('R-AS-06 of many who use a record up at once one succeeds, and saving does not undo it', async () => {
      const now = Date.now();
      const stores = [store, await opened.another()];
      for (let round = 0; round < 10; round++) {
        const id = digest(String(round));
        await store.save(record({ id }));
        const tries = Array.from({ length: 20 }, (_, i) => stores[i % 2]!.consume('RefreshToken', id, now));
        expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
        await store.save(record({ id }));
        expect((await store.find('RefreshToken', id, now))?.consumedAt).toBe(now);
        expect(await store.consume('RefreshToken', id, now)).toBe(false);
        await store.remove('RefreshToken', id);
      }
      expect(await store.consume('RefreshToken', digest('x'), now)).toBe(false);
    });

    it('R-AS-09 R-DP-06 of many who save a new record at once one succeeds, also after an older one has expired', async () => {
      const stores = [store, await opened.another()];
      const id = digest('n');
      const seen = (expiresAt: number) => record({ kind: 'ReplayDetection', id, expiresAt });
      expect(await store.save(seen(Date.now() + 20), true)).toBe(true);
      await new Promise((done) => setTimeout(done, 50));
      const tries = Array.from({ length: 20 }, (_, i) => stores[i % 2]!.save(seen(Date.now() + HOUR), true));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    });

    it('R-AS-13 R-AS-17 removes what came from a grant, and nothing else', async () => {
      const [grant, other] = [digest('g'), digest('o')];
      await store.save(record({ id: digest('1'), grant }));
      await store.save(record({ kind: 'AccessToken', id: digest('1'), grant }));
      await store.save(record({ id: digest('2'), grant: other }));
      await store.removeByGrant(grant);
      const now = Date.now();
      expect(await store.find('RefreshToken', digest('1'), now)).toBeUndefined();
      expect(await store.find('AccessToken', digest('1'), now)).toBeUndefined();
      expect(await store.find('RefreshToken', digest('2'), now)).toBeDefined();
      await store.removeByGrant(grant);
    });

    it('R-AS-13 lists the records of an owner by kind', async () => {
      const owner = digest('p');
      for (const id of ['5', '4', '6']) await store.save(record({ kind: 'Grant', id: digest(id), owner }));
      await store.save(record({ kind: 'Other', id: digest('7'), owner }));
      await store.save(record({ kind: 'Grant', id: digest('8'), owner, expiresAt: Date.now() + 50 }));
      await new Promise((done) => setTimeout(done, 80));
      const ids = async () => (await store.list('Grant', owner, Date.now())).map(({ id }) => id);
      expect(await ids()).toEqual([digest('4'), digest('5'), digest('6')]);
      await store.remove('Grant', digest('5'));
      expect(await ids()).toEqual([digest('4'), digest('6')]);
      expect(await store.list('Grant', digest('q'), Date.now())).toEqual([]);
    });

    it('R-AS-06 purges what has expired', async () => {
      await store.save(record({ id: digest('z'), expiresAt: Date.now() + 1 }));
      await new Promise((done) => setTimeout(done, 30));
      for (let removed = 1; removed > 0;) removed = await store.purge(Date.now(), 3);
      expect(await store.find('RefreshToken', digest('z'), 0)).toBeUndefined();
    });

    it('R-AS-06 does the same as the store in memory, whatever is asked of it', async () => {
      const letter = fc.constantFrom('A', 'B', 'C');
      const step = fc.oneof(
        fc.record({ call: fc.constant('save' as const), id: letter, group: letter, onlyNew: fc.boolean() }),
        fc.record({ call: fc.constantFrom('consume', 'remove', 'find', 'list', 'end'), id: letter }),
      );
      const end = Date.now() + HOUR;
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const kind = `Kind${run++}`;
          const model = new MemoryAuthorizationStore();
          const apply = async (target: AuthorizationStore): Promise<unknown[]> => {
            const outcomes: unknown[] = [];
            for (const one of steps) {
              const id = digest(one.id);
              const now = end - HOUR;
              if ('group' in one) {
                const group = `${kind}${one.group}`.padEnd(43, 'x').slice(-43);
                const all = {
                  kind,
                  id,
                  grant: group,
                  owner: group,
                  uid: undefined,
                  payload: one.group,
                  expiresAt: end,
                };
                outcomes.push(await target.save(all, one.onlyNew));
              } else if (one.call === 'consume') outcomes.push(await target.consume(kind, id, now));
              else if (one.call === 'remove') outcomes.push(await target.remove(kind, id));
              else if (one.call === 'find') outcomes.push(await target.find(kind, id, now));
              else {
                const group = `${kind}${one.id}`.padEnd(43, 'x').slice(-43);
                if (one.call === 'end') await target.removeByGrant(group);
                outcomes.push(await target.list(kind, group, now));
              }
            }
            return outcomes;
          };
          expect(await apply(store)).toEqual(await apply(model));
        }),
        { numRuns: 25 },
      );
    });
  });
}
