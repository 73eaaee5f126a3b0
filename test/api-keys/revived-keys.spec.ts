import { MemoryApiKeyStore } from 'nestjs-api-security';
import { expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { startKeyRoutes, tokenOf } from './key-routes-app.js';

it.each(ADAPTERS)(
  'R-AK-09 no more keys work than an owner may have, expired ones prolonged (%s)',
  async (adapter) => {
    const store = new MemoryApiKeyStore();
    const app = await startKeyRoutes(adapter, { maxKeysPerOwner: 2 }, { apiKeys: { store } });
    try {
      const as = await tokenOf('ada', ['items:read']);
      const issue = async () =>
        (await app.call('POST', '/api-keys', as, { name: 'CI', scopes: ['items:read'] })).json;
      const old = [await issue(), await issue()];
      for (const { id } of old) await store.update(id, { expiresAt: Date.now() - 1 });
      const { id } = await issue();
      const prolong = (one: string) => app.call('PATCH', `/api-keys/${one}`, as, { expiresAt: null });
      const answers = await Promise.all(old.map((key) => prolong(key.id)));
      expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
      expect((await prolong(id)).status).toBe(200);
    } finally {
      await app.close();
    }
  },
);
