import { describe, expect, it } from 'vitest';

import { LastUse } from '../../../lib/authentication/api-key/last-use.js';
import { FakeClock } from '../../rate-limit/fake-clock.js';
import { INPUT, turn, WatchedStore, workshop } from './key-workshop.js';

describe('the last use of a key', () => {
  it('R-AK-18 is noted once a minute at most', async () => {
    const { service, store, clock, use } = workshop();
    const { id, key } = await service.issue(INPUT);
    const first = clock.now();
    for (let i = 0; i < 1_000; i++) {
      await use(key);
      clock.advance(50);
    }
    expect(store.updates).toBe(1);
    expect((await service.get(id))!.lastUsedAt).toBe(first);
    clock.advance(10_000);
    await use(key);
    await turn();
    expect(store.updates).toBe(2);
    expect((await service.get(id))!.lastUsedAt).toBe(clock.now());
  });

  it('R-AK-18 is not noted again by a process that finds it noted', async () => {
    const store = new WatchedStore();
    const [one, two] = [workshop({ store }), workshop({ store })];
    const { key } = await one.service.issue(INPUT);
    await one.use(key);
    await two.use(key);
    expect(store.updates).toBe(1);
  });

  it('R-AK-18 a bad key is not a use of the one it names', async () => {
    const { service, store, outcome } = workshop();
    const { id, key } = await service.issue(INPUT);
    await service.revoke(id);
    const updates = store.updates;
    expect(await outcome(key)).toBe('key.revoked');
    expect(store.updates).toBe(updates);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('read only'))],
    [
      'throws',
      () => {
        throw new Error('read only');
      },
    ],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('R-AK-18 a writer that %s fails no request and holds none up', async (_, update) => {
    const { service, store, clock, outcome } = workshop();
    const { key } = await service.issue(INPUT);
    let tries = 0;
    store.update = () => {
      tries++;
      return update();
    };
    for (let i = 0; i < 20; i++) {
      expect(await outcome(key)).toBe('good');
      clock.advance(5_000);
    }
    await turn();
    expect(tries).toBe(2);
  });

  it('R-AK-18 no more than a hundred writes wait at once', () => {
    const store = new WatchedStore();
    let tries = 0;
    store.update = () => {
      tries++;
      return new Promise(() => undefined);
    };
    const lastUse = new LastUse(store, new FakeClock(), 1_000);
    for (let i = 0; i < 500; i++) lastUse.note({ id: `key-${i}`, lastUsedAt: undefined } as never);
    expect(tries).toBe(100);
  });
});
