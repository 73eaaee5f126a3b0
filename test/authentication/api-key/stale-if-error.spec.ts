import { describe, expect, it } from 'vitest';

import type { ApiKeyChange } from '../../../lib/authentication/api-key/api-key-store.js';
import { gate, INPUT, WatchedStore, workshop } from './key-workshop.js';

const down = new Error('connection refused');

describe('a store that does not answer', () => {
  it('R-AK-19 without staleIfError nobody gets in once the verdict has aged', async () => {
    const { service, store, clock, outcome } = workshop();
    const { key } = await service.issue(INPUT);
    expect(await outcome(key)).toBe('good');
    store.failure = down;
    clock.advance(5_000);
    expect(await outcome(key)).toBe('UNAVAILABLE');
  });

  it('R-AK-19 with staleIfError keys that were seen go on for that time, and no others', async () => {
    const { service, store, clock, outcome } = workshop({ options: { staleIfError: '30s' } });
    const [seen, unseen] = [await service.issue(INPUT), await service.issue(INPUT)];
    expect(await outcome(seen.key)).toBe('good');
    store.failure = down;
    clock.advance(34_999);
    expect(await outcome(seen.key)).toBe('good');
    expect(await outcome(unseen.key)).toBe('UNAVAILABLE');
    clock.advance(1);
    expect(await outcome(seen.key)).toBe('UNAVAILABLE');
  });

  it('R-AK-19 is asked by each such key once a second, and is back as soon as it answers', async () => {
    const { service, store, clock, outcome } = workshop({ options: { staleIfError: '30s' } });
    const { id, key } = await service.issue(INPUT);
    await outcome(key);
    store.failure = down;
    clock.advance(5_000);
    const asked = store.finds;
    for (let i = 0; i < 100; i++) {
      expect(await outcome(key)).toBe('good');
      clock.advance(20);
    }
    expect(store.finds - asked).toBe(2);
    store.failure = undefined;
    await store.update(id, { revokedAt: clock.now() });
    clock.advance(1_000);
    expect(await outcome(key)).toBe('key.revoked');
    store.failure = down;
    expect(await outcome(key)).not.toBe('good');
  });

  it('R-AK-09 R-AK-10 neither an expired key nor one that was revoked here is among them', async () => {
    const { service, store, clock, outcome } = workshop({ options: { staleIfError: '1h' } });
    const ending = await service.issue({ ...INPUT, expiresAt: clock.now() + 10_000 });
    const revoked = await service.issue(INPUT);
    await outcome(ending.key);
    await outcome(revoked.key);
    await service.revoke(revoked.id);
    store.failure = down;
    clock.advance(10_000);
    expect(await outcome(ending.key)).toBe('UNAVAILABLE');
    expect(await outcome(revoked.key)).toBe('UNAVAILABLE');
  });

  it('R-AK-10 a change that comes while the store fails ends the verdict too', async () => {
    const { service, store, clock, outcome } = workshop({ options: { staleIfError: '1h' } });
    const { id, key } = await service.issue(INPUT);
    await outcome(key);
    clock.advance(5_000);
    const { open, opened } = gate();
    store.find = async () => {
      await opened;
      throw down;
    };
    const asked = outcome(key);
    const revocation = service.revoke(id);
    await revocation;
    open();
    expect(await asked).toBe('UNAVAILABLE');
  });
});

describe('a store that tells of changes', () => {
  class TellingStore extends WatchedStore {
    tell: (change: ApiKeyChange) => void = () => undefined;
    subscribed = 0;

    subscribe(listener: (change: ApiKeyChange) => void): Promise<() => Promise<void>> {
      this.subscribed++;
      this.tell = listener;
      return Promise.resolve(async () => void this.subscribed--);
    }
  }

  it.each<[string, (id: string) => ApiKeyChange]>([
    ['the key', (id) => ({ id })],
    ['its owner', () => ({ owner: 'ada' })],
    ['anything', () => 'anything'],
  ])('R-AK-10 a change of %s by another process holds at once', async (_, changeOf) => {
    const store = new TellingStore();
    const { service, clock, outcome } = workshop({ store });
    const { id, key } = await service.issue(INPUT);
    await service.start();
    expect(await outcome(key)).toBe('good');
    await store.update(id, { revokedAt: clock.now() });
    expect(await outcome(key)).toBe('good');
    store.tell(changeOf(id));
    expect(await outcome(key)).toBe('key.revoked');
    await service.stop();
    expect(store.subscribed).toBe(0);
  });

  it('R-AK-10 a subscription that fails stops no start, and is reported', async () => {
    const store = new TellingStore();
    store.subscribe = () => Promise.reject(down);
    const { service, seen } = workshop({ store });
    await service.start();
    expect(seen).toMatchObject([{ type: 'store.failed', store: 'api-keys' }]);
  });
});
