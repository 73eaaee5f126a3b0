import { expect, it } from 'vitest';

import { MemoryAuthorizationStore } from '../../lib/authorization-server/records/memory-authorization-store.js';
import { describeAuthorizationStore } from './store-contract.js';

describeAuthorizationStore('Memory', () => {
  const store = new MemoryAuthorizationStore();
  return Promise.resolve({
    store,
    another: () => Promise.resolve(store),
    close: () => Promise.resolve(),
  });
});

it('R-AS-08 memory takes nothing new when it is full, and gives the places of expired records back', async () => {
  const store = new MemoryAuthorizationStore(2);
  const save = (id: string, expiresAt: number) => store.save({ kind: 'Session', id, payload: '', expiresAt });
  await save('a', Date.now() + 500);
  await save('b', Date.now() + 60_000);
  await expect(save('c', Date.now() + 60_000)).rejects.toThrow('full');
  await new Promise((done) => setTimeout(done, 550));
  await save('c', Date.now() + 60_000);
  expect(store.size).toBe(2);
});
