import { describe, expect, it } from 'vitest';

import type { ApiKeyUse } from '../../../lib/authentication/api-key/api-key-store.js';
import { UseCounter, UseLog } from '../../../lib/authentication/api-key/use-log.js';
import { FakeClock } from '../../rate-limit/fake-clock.js';
import { INPUT, WatchedStore, workshop } from './key-workshop.js';

describe('the use of keys', () => {
  it('R-AK-18 a thousand uses are one write, with number, time and address', async () => {
    const { service, store, clock, verifier } = workshop();
    const { id, key } = await service.issue(INPUT);
    await verifier.verify(key, '192.0.2.1');
    for (let i = 1; i < 1_000; i++) {
      clock.advance(50);
      if (!verifier.cached(key, '192.0.2.2')) await verifier.verify(key, '192.0.2.2');
    }
    expect(store.writes).toEqual([]);
    const last = clock.now();
    expect(await service.usage(id)).toEqual({
      lastUsedAt: last,
      lastUsedFrom: '192.0.2.2',
      uses: 1_000,
      days: [{ day: new Date(last).toISOString().slice(0, 10), uses: 1_000 }],
    });
    expect(store.writes).toEqual([[{ id, uses: 1_000, lastUsedAt: last, lastUsedFrom: '192.0.2.2' }]]);
    expect(await service.get(id)).toMatchObject({ lastUsedAt: last, lastUsedFrom: '192.0.2.2' });
  });

  it('R-AK-18 is written at shutdown, and only what is new', async () => {
    const { service, store, use } = workshop();
    const { key } = await service.issue(INPUT);
    await use(key);
    await service.stop();
    await service.stop();
    expect(store.writes).toHaveLength(1);
  });

  it('R-AK-18 adds up over processes and days; the last use never goes back', async () => {
    const store = new WatchedStore();
    const [one, two] = [workshop({ store }), workshop({ store })];
    const { id, key } = await one.service.issue(INPUT);
    await one.use(key);
    one.clock.advance(86_400_000);
    await one.use(key);
    await two.use(key);
    await one.service.stop();
    await two.service.stop();
    const usage = await one.service.usage(id);
    expect(usage).toMatchObject({ uses: 3, lastUsedAt: one.clock.now() });
    expect(await one.service.usage(id, 1)).toMatchObject({ uses: 2 });
    expect(await one.service.usage('unknown')).toBeUndefined();
  });

  it('R-AK-18 a bad key is not a use of the one it names', async () => {
    const { service, store, outcome } = workshop();
    const { id, key } = await service.issue(INPUT);
    await service.revoke(id);
    expect(await outcome(key)).toBe('key.revoked');
    await service.stop();
    expect(store.writes.flat()).toEqual([]);
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
  ])(
    'R-AK-18 a writer that %s fails no request, holds up no shutdown, and is reported',
    async (_, recordUses) => {
      const { service, store, outcome, seen } = workshop({ options: { storeTimeout: '50ms' } });
      const { key } = await service.issue(INPUT);
      store.recordUses = recordUses;
      expect(await outcome(key)).toBe('good');
      await service.stop();
      expect(await outcome(key)).toBe('good');
      expect(seen.filter(({ type }) => type === 'store.failed')).toHaveLength(1);
    },
  );

  it('R-AK-18 many keys are written in batches, and no more wait than there is room for', async () => {
    const written: (readonly ApiKeyUse[])[] = [];
    const log = new UseLog(async (uses) => void written.push(uses), new FakeClock());
    const counters = Array.from({ length: 20_100 }, (_, i) => new UseCounter(`key-${i}`));
    for (const counter of counters) log.note(counter, undefined);
    await log.flush();
    expect(written).toHaveLength(20);
    expect(written.every((batch) => batch.length === 1_000)).toBe(true);
    expect(counters.every(({ uses }) => uses === 0)).toBe(true);
  });
});
