import { describe, expect, it } from 'vitest';

import type { ApiKeyRecord } from '../../../lib/authentication/api-key/api-key-store.js';
import { INPUT, workshop } from './key-workshop.js';

describe('a verdict that is no longer true', () => {
  it('R-AK-10 R-AK-19 a key that the store has refused does not come back when the store goes down', async () => {
    const { service, store, clock, outcome } = workshop({ options: { staleIfError: '1h' } });
    const { id, key } = await service.issue(INPUT);
    expect(await outcome(key)).toBe('good');
    // By another process, of which nobody tells this one.
    await store.update(id, { revokedAt: clock.now() });
    clock.advance(5_000);
    expect(await outcome(key)).toBe('key.revoked');
    store.failure = new Error('connection refused');
    clock.advance(1_000);
    expect(await outcome(key)).toBe('UNAVAILABLE');
  });

  it('R-AK-10 is as old as what the store read, however long its answer took', async () => {
    const { service, store, clock, outcome } = workshop();
    const { id, key } = await service.issue(INPUT);
    store.delay = async () => {
      await store.update(id, { revokedAt: clock.now() });
      clock.advance(4_000);
    };
    expect(await outcome(key)).toBe('good');
    store.delay = () => Promise.resolve();
    clock.advance(999);
    expect(await outcome(key)).toBe('good');
    clock.advance(1);
    expect(await outcome(key)).toBe('key.revoked');
  });

  it('R-AK-13 a refusal is too: a key that was made meanwhile works within a second', async () => {
    const { service, store, clock, outcome } = workshop();
    const { id, key } = await service.issue(INPUT);
    const record = (await store.find(id)) as ApiKeyRecord;
    store.distort = () => undefined;
    store.delay = async () => clock.advance(900);
    expect(await outcome(key)).toBe('key.unknown');
    store.distort = () => record;
    clock.advance(100);
    expect(await outcome(key)).toBe('good');
  });

  it('R-AK-10 is found when its key is revoked, whoever’s keys were forgotten before', async () => {
    const { service, outcome } = workshop({ options: { cacheSize: 2, cacheTtl: '60s' } });
    const first = await service.issue(INPUT);
    const [second, third] = [
      await service.issue({ ...INPUT, owner: 'bob' }),
      await service.issue({ ...INPUT, owner: 'bob' }),
    ];
    await outcome(first.key);
    service.ownerChanged('ada');
    for (const { key } of [first, second, third]) expect(await outcome(key)).toBe('good');
    for (const { id, key } of [second, third]) {
      await service.revoke(id);
      expect(await outcome(key)).toBe('key.revoked');
    }
  });
});
