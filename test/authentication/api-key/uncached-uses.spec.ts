import { expect, it } from 'vitest';

import type { ApiKeyUse } from '../../../lib/authentication/api-key/api-key-store.js';
import { UseCounter, UseLog } from '../../../lib/authentication/api-key/use-log.js';
import { FakeClock } from '../../rate-limit/fake-clock.js';

it('R-AK-18 every use counts, however often a key is verified anew', async () => {
  const written: ApiKeyUse[] = [];
  const clock = new FakeClock();
  const log = new UseLog(async (uses) => void written.push(...uses), clock);
  // As without a cache: each verification has a counter of its own.
  for (let i = 0; i < 30_000; i++) log.note(new UseCounter('one'), '192.0.2.1');
  await log.flush();
  expect(written).toEqual([{ id: 'one', uses: 30_000, lastUsedAt: clock.now(), lastUsedFrom: '192.0.2.1' }]);
});
