import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { INPUT, turn, WatchedStore, workshop } from './key-workshop.js';

const OLD = 'the old pepper, of much more than 32 characters';
const NEW = 'the new pepper, of much more than 32 characters';
const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');

describe('changing the pepper', () => {
  it('R-AK-04 a key moves to the new pepper when it is used, so that the old one can go', async () => {
    const store = new WatchedStore();
    const before = workshop({ store, options: { pepper: OLD } });
    const { id, key } = await before.service.issue(INPUT);
    const idle = await before.service.issue(INPUT);
    const during = workshop({ store, options: { pepper: [NEW, OLD] } });
    expect(await during.outcome(key)).toBe('good');
    expect(await during.outcome(key)).toBe('good');
    await turn();
    expect(store.updates).toBe(1);
    const after = workshop({ store, options: { pepper: NEW } });
    expect(await after.outcome(key)).toBe('good');
    expect(await after.outcome(idle.key)).toBe('key.secret');
    expect((await store.find(id))!.digest).not.toContain(key);
  });

  it('R-AK-04 a store that takes no changes refuses nobody', async () => {
    const store = new WatchedStore();
    const { key } = await workshop({ store, options: { pepper: OLD } }).service.issue(INPUT);
    store.update = () => Promise.reject(new Error('read only'));
    const { outcome, seen } = workshop({ store, options: { pepper: [NEW, OLD] } });
    expect(await outcome(key)).toBe('good');
    await turn();
    expect(seen).toMatchObject([{ type: 'store.failed' }]);
  });

  it('R-AK-16 a found key can be proven by its hash, with and without a pepper', async () => {
    for (const pepper of [undefined, NEW]) {
      const { service, seen } = workshop({ options: pepper === undefined ? {} : { pepper } });
      const { id, key } = await service.issue(INPUT);
      const other = await service.issue(INPUT);
      expect(await service.reportExposed({ id, sha256: sha256(other.key) })).toBeUndefined();
      expect(await service.reportExposed({ id: 'unknown', sha256: sha256(key) })).toBeUndefined();
      expect(await service.reportExposed({ id, sha256: 'nonsense' })).toBeUndefined();
      expect(await service.reportExposed({ id, sha256: sha256(key).toUpperCase() })).toMatchObject({ id });
      expect(seen.filter(({ type }) => type === 'api-key.exposed')).toMatchObject([
        { keyId: id, reason: 'reported' },
      ]);
    }
  });
});
