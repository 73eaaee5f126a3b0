import { sql } from 'kysely';
import { openSqlDatabase } from '../../lib/sql/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { describeApiKeyStore } from '../authentication/api-key/store-contract.js';
import { describeTokenProcesses } from '../authentication/jwt/token-processes.js';
import { describeAuthorizationStore } from '../authorization-server/store-contract.js';
import { describeTokenStore } from '../authentication/jwt/token-store-contract.js';
import { startMariadb } from '../support/servers/mariadb.js';
import type { DatabaseServer } from '../support/servers/server-process.js';
import { describeSqlDatabase } from './database-contract.js';
import { describeOutage } from './outage-contract.js';
import { openEmptyStore, openEmptyAuthorizationStore, openEmptyTokenStore, tokenPlace } from './stores.js';

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server.close());

describeApiKeyStore('a MariaDB store', () => openEmptyStore(server.url), { subscribes: false });
describeAuthorizationStore('a MariaDB store', () => openEmptyAuthorizationStore(server.url));
describeTokenStore('a MariaDB store', () => openEmptyTokenStore(server.url), { subscribes: false });
describeTokenProcesses('MariaDB', () => tokenPlace(server.url));
describeSqlDatabase('a MariaDB database', () => server.url);
describeOutage('a MariaDB server', () => server);

describe('a MariaDB connection that is lost while it is at work', () => {
  it('R-AK-19 rejects what was being done, and ends nothing else', async () => {
    const [database, other] = await Promise.all([
      openSqlDatabase(server.url, { poolSize: 1 }),
      openSqlDatabase(server.url, { poolSize: 1 }),
    ]);
    try {
      const work = database.write(async (db) => {
        const { rows } = await sql<{ id: number }>`select connection_id() as id`.execute(db);
        await other.read((outside) => sql`kill ${sql.lit(rows[0]!.id)}`.execute(outside));
        // Between two statements nobody waits for the connection who could be told.
        await new Promise((done) => setTimeout(done, 300));
        return sql`select 1`.execute(db);
      });
      await expect(work).rejects.toBeInstanceOf(Error);
      const { rows } = await database.read((db) => sql<{ one: number }>`select 1 as one`.execute(db));
      expect(rows).toEqual([{ one: 1 }]);
    } finally {
      await Promise.all([database.close(), other.close()]);
    }
  });
});
