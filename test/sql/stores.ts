import { openSqlDatabase, SqlApiKeyStore, type SqlDatabaseOptions } from '../../lib/sql/index.js';
import type { OpenStore } from '../authentication/api-key/store-contract.js';

let opened = 0;

/** Empty stores in a server, each in tables of its own. */
export async function openEmptyStore(url: string, options: SqlDatabaseOptions = {}): Promise<OpenStore> {
  const tablePrefix = `t${process.pid}_${opened++}_`;
  const stores: SqlApiKeyStore[] = [];
  const another = async () => {
    const database = await openSqlDatabase(url, { tablePrefix, poolSize: 4, ...options });
    const store = new SqlApiKeyStore(database);
    stores.push(store);
    return store;
  };
  return {
    store: await another(),
    another,
    async close() {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}
