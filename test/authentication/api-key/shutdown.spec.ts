import { describe, expect, it } from 'vitest';

import { WatchedStore, workshop } from './key-workshop.js';

const forever = () => new Promise<never>(() => undefined);

class ClosingStore extends WatchedStore {
  closed = 0;
  unsubscribe = (): Promise<void> => Promise.resolve();

  subscribe(): Promise<() => Promise<void>> {
    return Promise.resolve(() => this.unsubscribe());
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

const setup = () => {
  const store = new ClosingStore();
  return { ...workshop({ store, options: { storeTimeout: '50ms' } }), store };
};

describe('start and shutdown', () => {
  it.each<[string, () => Promise<void>]>([
    ['fails', () => Promise.reject(new Error('connection lost'))],
    ['hangs', forever],
  ])('R-AK-19 a store is closed although the end of its subscription %s', async (_, unsubscribe) => {
    const { store, service, seen } = setup();
    store.unsubscribe = unsubscribe;
    await service.start();
    await service.stop();
    expect(store.closed).toBe(1);
    expect(seen).toMatchObject([{ type: 'store.failed', store: 'api-keys' }]);
  });

  it('R-AK-19 a store that does not close holds up no shutdown', async () => {
    const { store, service, seen } = setup();
    store.close = forever;
    await service.stop();
    expect(seen).toMatchObject([{ type: 'store.failed' }]);
  });

  it('R-AK-19 a subscription that hangs holds up no start, and is ended if it came late', async () => {
    const { store, service, seen } = setup();
    let ended = 0;
    let come: (end: () => Promise<void>) => void = () => undefined;
    store.subscribe = () => new Promise((resolve) => (come = resolve));
    await service.start();
    expect(seen).toMatchObject([{ type: 'store.failed' }]);
    come(async () => void ended++);
    await service.stop();
    expect(ended).toBe(1);
  });
});
