import { describe, expect, it } from 'vitest';

import type { ExposedApiKey } from '../../../lib/authentication/api-key/api-key.options.js';
import { INPUT, withOtherSecret, workshop } from './key-workshop.js';

const DAY = 86_400_000;

describe('verifying a key without a request', () => {
  it('R-AK-08 gives the principal, and nothing for a key that does not work', async () => {
    const { service } = workshop();
    const { id, key } = await service.issue({ ...INPUT, allowedAddresses: ['192.0.2.0/24'] });
    expect(await service.verify(key, '192.0.2.7')).toMatchObject({ id, owner: 'ada' });
    expect(await service.verify(key, '198.51.100.7')).toBeUndefined();
    expect(await service.verify(key)).toBeUndefined();
    expect(await service.verify(withOtherSecret(key), '192.0.2.7')).toBeUndefined();
    expect(await service.verify('nonsense')).toBeUndefined();
    await service.revoke(id);
    expect(await service.verify(key, '192.0.2.7')).toBeUndefined();
  });

  it('R-AK-19 a store that is down is an error, and not a key that does not work', async () => {
    const { service, store } = workshop();
    const { key } = await service.issue(INPUT);
    store.failure = new Error('connection refused');
    await expect(service.verify(key)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('taking things away from a key', () => {
  it('R-AK-09 null takes the expiry away, and the limits', async () => {
    const { service, clock, seen } = workshop({ options: { plans: { free: '1/minute' } } });
    const { id } = await service.issue({ ...INPUT, expiresAt: clock.now() + 1_000, limits: 'free' });
    expect(await service.update(id, { expiresAt: null })).toMatchObject({
      expiresAt: undefined,
      limits: 'free',
    });
    expect(await service.update(id, { limits: null })).toMatchObject({ limits: undefined });
    expect(seen.filter(({ type }) => type === 'api-key.updated')).toMatchObject([
      { keyId: id, fields: ['expiresAt'] },
      { keyId: id, fields: ['limits'] },
    ]);
  });

  it('R-AK-09 but not the longest life that the options allow', async () => {
    const { service, clock } = workshop({ options: { maxAge: '1d' } });
    const issuedAt = clock.now();
    const { id } = await service.issue({ ...INPUT, expiresAt: issuedAt + 1_000 });
    expect(await service.update(id, { expiresAt: null })).toMatchObject({ expiresAt: issuedAt + DAY });
  });

  it.each(['name', 'scopes', 'metadata'])('R-IV-10 %s cannot be taken away', async (field) => {
    const { service } = workshop();
    const { id } = await service.issue(INPUT);
    await expect(service.update(id, { [field]: null })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });
});

describe('removing keys that ended', () => {
  it('R-AK-10 by expiry, revocation or the end of an overlap, and no others', async () => {
    const { service, clock } = workshop();
    const expired = await service.issue({ ...INPUT, expiresAt: clock.now() + 1_000 });
    const revoked = await service.issue(INPUT);
    const replaced = await service.issue(INPUT);
    const live = await service.issue({ ...INPUT, expiresAt: clock.now() + 90 * DAY });
    await service.revoke(revoked.id);
    const successor = await service.rotate(replaced.id, { overlapMs: 1_000 });
    clock.advance(30 * DAY);
    expect(await service.purge(clock.now() - 40 * DAY)).toBe(0);
    expect(await service.purge(clock.now() - DAY, 2)).toBe(2);
    expect(await service.purge(clock.now() - DAY)).toBe(1);
    const { keys } = await service.list('ada');
    expect(keys.map(({ id }) => id).toSorted()).toEqual([live.id, successor.id].toSorted());
    expect(await service.get(expired.id)).toBeUndefined();
  });

  it('R-AK-10 never keys that still work, whatever time is given', async () => {
    const { service, clock } = workshop();
    const { id } = await service.issue({ ...INPUT, expiresAt: clock.now() + DAY });
    expect(await service.purge(clock.now() + 100 * DAY)).toBe(0);
    expect(await service.get(id)).toBeDefined();
    await expect(service.purge(Number.NaN)).rejects.toThrow(RangeError);
    await expect(service.purge(0, 0)).rejects.toThrow(RangeError);
  });
});

describe('telling the owner of an exposed key', () => {
  it('R-AK-16 once, with what was done about it', async () => {
    const told: ExposedApiKey[] = [];
    const { service } = workshop({
      options: { onPlaintext: 'revoke', onExposed: (exposed) => void told.push(exposed) },
    });
    const { id, key } = await service.issue(INPUT);
    await service.reportExposed(key);
    await service.reportExposed(key);
    await service.expose(id, 'url', false);
    expect(told).toEqual([{ id, owner: 'ada', name: 'test', reason: 'reported', revoked: true }]);
  });

  it('R-AK-16 a hook that fails changes nothing, and is reported', async () => {
    const { service, seen } = workshop({
      options: { onExposed: () => Promise.reject(new Error('no mail today')) },
    });
    const { key } = await service.issue(INPUT);
    expect(await service.reportExposed(key)).toBeDefined();
    expect(seen.map(({ type }) => type)).toEqual(['api-key.issued', 'api-key.exposed', 'store.failed']);
  });
});
