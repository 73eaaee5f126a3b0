import { describe, expect, it } from 'vitest';

import { createApiKeyEntry } from '../../../lib/authentication/api-key/api-key-entry.js';
import { FakeClock } from '../../rate-limit/fake-clock.js';
import { WatchedStore, workshop } from './key-workshop.js';

describe('the lifetime of a successor', () => {
  it('R-AK-11 R-AK-15 is no longer than what is left, if nobody knows when the old key was made', async () => {
    const clock = new FakeClock();
    const expiresAt = clock.now() + 60_000;
    const { entry } = createApiKeyEntry({ owner: 'ci', name: 'build', scopes: [], expiresAt });
    const { service } = workshop({ clock, store: new WatchedStore([entry]) });
    expect(await service.rotate(entry.id)).toMatchObject({ expiresAt });
  });
});
