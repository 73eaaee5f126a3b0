import {
  openSqlDatabase,
  SqlApiKeyStore,
  SqlAuthorizationStore,
  type SqlDatabase,
  type SqlDatabaseOptions,
  SqlTokenStore,
} from '../../lib/sql/index.js';
import type { OpenStore } from '../authentication/api-key/store-contract.js';
import type { OpenAuthorizationStore } from '../authorization-server/store-contract.js';
import type { TokenPlace } from '../authentication/jwt/token-processes.js';
import type { OpenTokenStore } from '../authentication/jwt/token-store-contract.js';

let opened = 0;

/** Empty stores of API keys in a server, each in tables of its own. */
export function openEmptyStore(url: string, options: SqlDatabaseOptions = {}): Promise<OpenStore> {
  return openEmpty((database) => new SqlApiKeyStore(database), url, options);
}

/** Empty stores of an authorization server. */
export function openEmptyAuthorizationStore(url: string): Promise<OpenAuthorizationStore> {
  return openEmpty((database) => new SqlAuthorizationStore(database), url);
}

/** Empty stores of tokens. */
export function openEmptyTokenStore(url: string): Promise<OpenTokenStore> {
  return openEmpty((database) => new SqlTokenStore(database), url);
}

async function openEmpty<T extends { close(): Promise<void> }>(
  make: (database: SqlDatabase) => T,
  url: string,
  options: SqlDatabaseOptions = {},
): Promise<{ store: T; another: () => Promise<T>; close: () => Promise<void> }> {
  const tablePrefix = `t${process.pid}_${opened++}_`;
  const stores: T[] = [];
  const another = async () => {
    const store = make(await openSqlDatabase(url, { tablePrefix, poolSize: 4, ...options }));
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

let places = 0;

/** Where processes share tokens, in tables of its own. */
export function tokenPlace(url: string): TokenPlace {
  const tablePrefix = `p${process.pid}_${places++}_`;
  const open = async () =>
    new SqlTokenStore(await openSqlDatabase(url, { tablePrefix, poolSize: 2, statementTimeout: '30s' }));
  return { url, prefix: tablePrefix, open };
}
