import { createApiKeyEntry, recordOf } from '../../lib/authentication/api-key/api-key-entry.js';
import { openSqlDatabase, SqlApiKeyStore } from '../../lib/sql/index.js';

// A process beside others: makes the tables, uses one key with all of them, adds its own, and rotates the shared one.
const [url = '', tablePrefix = '', shared = '', rounds = '0'] = process.argv.slice(2);
const database = await openSqlDatabase(url, { tablePrefix, poolSize: 2 });
const migrated = await database.migrate();
const store = new SqlApiKeyStore(database);
const make = (owner: string) =>
  recordOf(createApiKeyEntry({ owner, name: 'n', scopes: [], createdAt: 1 }).entry);
const first = await store.insert({ ...make('shared'), id: shared }).then(
  () => true,
  () => false,
);
for (let round = 0; round < Number(rounds); round++) {
  await store.insert(make('own'));
  await store.recordUses([
    { id: shared, uses: 1, lastUsedAt: Date.UTC(2026, 10, 24), lastUsedFrom: undefined },
  ]);
}
const rotated = await store.rotate(shared, make('shared'), 2);
await store.close();
process.stdout.write(JSON.stringify({ migrated, first, rotated }));
