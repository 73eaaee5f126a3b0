import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openSqlDatabase, SqlApiKeyStore } from '../../lib/sql/index.js';
import { describeApiKeyStore } from '../authentication/api-key/store-contract.js';

describeApiKeyStore(
  'an SQLite store',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    const stores: SqlApiKeyStore[] = [];
    const open = async () => {
      const store = new SqlApiKeyStore(await openSqlDatabase(`file:${join(folder, 'keys', 'keys.db')}`));
      stores.push(store);
      return store;
    };
    return {
      store: await open(),
      another: open,
      async close() {
        await Promise.all(stores.map((store) => store.close()));
        rmSync(folder, { recursive: true });
      },
    };
  },
  { subscribes: false },
);
