import { describe, expect, it } from 'vitest';

import type { ExposedApiKey } from '../../../lib/authentication/api-key/api-key.options.js';
import { INPUT, workshop } from './key-workshop.js';

describe('the owner of an exposed key', () => {
  it('R-AK-16 is told although the key could not be revoked', async () => {
    const told: ExposedApiKey[] = [];
    const options = { onExposed: (exposed: ExposedApiKey) => void told.push(exposed) };
    const { service, store, seen } = workshop({ options });
    const { id } = await service.issue(INPUT);
    const update = store.update.bind(store);
    store.update = (...args) => {
      if (args[2] === 'exposedAt') return update(...args);
      return Promise.reject(new Error('connection refused'));
    };
    await expect(service.expose(id, 'url', true)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(told).toEqual([{ id, owner: 'ada', name: 'test', reason: 'url', revoked: false }]);
    expect(seen.filter(({ type }) => type === 'api-key.exposed')).toMatchObject([{ revoked: false }]);
    store.update = update;
    await service.expose(id, 'url', true);
    expect(told).toHaveLength(1);
    expect(seen.filter(({ type }) => type === 'api-key.exposed')).toMatchObject([{}, { revoked: true }]);
  });

  it('R-AK-16 is not waited for: telling that never ends is given up, and reported', async () => {
    const options = { storeTimeout: '50ms', onExposed: () => new Promise<void>(() => undefined) } as const;
    const { service, seen } = workshop({ options });
    const { key } = await service.issue(INPUT);
    expect(await service.reportExposed(key)).toBeDefined();
    expect(seen.map(({ type }) => type)).toEqual(['api-key.issued', 'api-key.exposed', 'store.failed']);
  });
});
