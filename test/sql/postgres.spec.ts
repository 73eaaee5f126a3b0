import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { ApiKeyChange } from '../../lib/authentication/api-key/api-key-store.js';
import { openSqlDatabase, SqlApiKeyStore } from '../../lib/sql/index.js';
import { describeApiKeyStore, keyRecord } from '../authentication/api-key/store-contract.js';
import { describeTokenProcesses } from '../authentication/jwt/token-processes.js';
import { describeAuthorizationStore } from '../authorization-server/store-contract.js';
import { describeTokenStore } from '../authentication/jwt/token-store-contract.js';
import { startPostgres } from '../support/servers/postgres.js';
import type { DatabaseServer } from '../support/servers/server-process.js';
import { describeSqlDatabase } from './database-contract.js';
import { describeOutage } from './outage-contract.js';
import { openEmptyStore, openEmptyAuthorizationStore, openEmptyTokenStore, tokenPlace } from './stores.js';

let server: DatabaseServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.close());

describeApiKeyStore('a PostgreSQL store', () => openEmptyStore(server.url), { subscribes: true });
describeAuthorizationStore('a PostgreSQL store', () => openEmptyAuthorizationStore(server.url));
describeTokenStore('a PostgreSQL store', () => openEmptyTokenStore(server.url), { subscribes: true });
describeTokenProcesses('PostgreSQL', () => tokenPlace(server.url));
describeSqlDatabase('a PostgreSQL database', () => server.url);
describeOutage('a PostgreSQL server', () => server);

describe('PostgreSQL', () => {
  const FULL_SCAN = /Seq Scan|Sort/;

  it('R-AK-06 finds, lists and purges 20 000 keys by an index, and finds with one query', async () => {
    const queries: CompiledQuery[] = [];
    const pool = new pg.Pool({ connectionString: server.url, max: 2 });
    const kysely = new Kysely<never>({
      dialect: new PostgresDialect({ pool }),
      log: ({ query }) => void queries.push(query),
    });
    const store = new SqlApiKeyStore(
      await openSqlDatabase({ kysely, kind: 'postgres' }, { tablePrefix: 'big_' }),
    );
    const last = keyRecord({ owner: 'o7' });
    await store.insert(last);
    await sql`
      insert into big_api_keys (id, digest, prefix, environment, last4, name, owner, scopes, roles, allowed_addresses, metadata, created_at, ended_at)
      select 'k' || n, '', '', '', '', '', 'o' || n % 100, '[]', '[]', '[]', '{}', n, n from generate_series(1, 20000) n
    `.execute(kysely);
    await sql`analyze big_api_keys`.execute(kysely);
    const plansOf = async (call: () => Promise<unknown>): Promise<string[]> => {
      queries.length = 0;
      await call();
      const asked = queries.filter((query) => query.sql.startsWith('select'));
      return Promise.all(
        asked.map(async (query) => {
          const { rows } = await kysely.executeQuery(
            CompiledQuery.raw(`explain ${query.sql}`, [...query.parameters]),
          );
          return JSON.stringify(rows);
        }),
      );
    };
    const found = await plansOf(() => store.find(last.id));
    expect(found).toEqual([expect.stringContaining('Index Scan using big_api_keys_pkey')]);
    const listed = await plansOf(() => store.list('o7', 10));
    expect(listed).toEqual([expect.stringContaining('big_api_keys_by_owner')]);
    const further = await plansOf(() => store.list('o7', 10, 'k9907'));
    expect(further[1]).toContain('big_api_keys_by_owner');
    const purged = await plansOf(() => store.purge(5, 3));
    expect(purged[0]).toContain('big_api_keys_by_end');
    for (const plan of [...found, ...listed, ...further, ...purged]) expect(plan).not.toMatch(FULL_SCAN);
    await store.close();
    expect((await sql`select 1 as one`.execute(kysely)).rows).toEqual([{ one: 1 }]);
    await kysely.destroy();
  });

  it('R-AK-10 listens with an application’s own Kysely only where it is told to', async () => {
    const pool = new pg.Pool({ connectionString: server.url, max: 2 });
    const kysely = new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
    const options = { tablePrefix: 'own_' };
    const deaf = new SqlApiKeyStore(await openSqlDatabase({ kysely, kind: 'postgres' }, options));
    expect('subscribe' in deaf).toBe(false);
    const never = new SqlApiKeyStore(await openSqlDatabase(server.url, { ...options, listen: false }));
    expect('subscribe' in never).toBe(false);
    const listening = await openSqlDatabase({ kysely, kind: 'postgres' }, { ...options, listen: server.url });
    const store = new SqlApiKeyStore(listening);
    const changes: ApiKeyChange[] = [];
    await store.subscribe!((change) => changes.push(change));
    const one = keyRecord();
    await deaf.insert(one);
    await expect.poll(() => changes).toEqual([{ id: one.id }]);
    await Promise.all([deaf.close(), never.close(), store.close()]);
    await kysely.destroy();
  });

  it('R-AK-10 hears of changes once they can be seen, and of none that is not made', async () => {
    const { store, another, close } = await openEmptyStore(server.url);
    const [one, two] = [keyRecord(), keyRecord()];
    await store.insert(one);
    const seen: unknown[] = [];
    await store.subscribe!(() => {
      void store.find(two.id).then((found) => seen.push(found?.id));
    });
    const other = await another!();
    await expect(other.insert(one)).rejects.toThrow('duplicate key');
    expect(await other.update(one.id, { name: 'x' }, 'revokedAt')).toBeDefined();
    await expect.poll(() => seen).toEqual([undefined]);
    await other.insert(two);
    await expect.poll(() => seen).toEqual([undefined, two.id]);
    await close();
  });

  it('R-AK-10 listens again after the server was gone, and says that anything may have changed', async () => {
    const { store, close } = await openEmptyStore(server.url);
    const changes: ApiKeyChange[] = [];
    await store.subscribe!((change) => changes.push(change));
    const one = keyRecord();
    await store.insert(one);
    await expect.poll(() => changes).toEqual([{ id: one.id }]);
    await server.stop();
    await server.start();
    await expect.poll(() => changes, { timeout: 10_000 }).toEqual([{ id: one.id }, 'anything']);
    await store.update(one.id, { name: 'x' });
    await expect.poll(() => changes).toEqual([{ id: one.id }, 'anything', { id: one.id }]);
    await close();
  });

  it('R-AK-10 begins to listen when the server comes, and rejects where it never will', async () => {
    const { store, close } = await openEmptyStore(server.url);
    await server.stop();
    const changes: ApiKeyChange[] = [];
    const end = await store.subscribe!((change) => changes.push(change));
    await server.start();
    await expect.poll(() => changes, { timeout: 10_000 }).toEqual(['anything']);
    await end();
    await close();
    const wrong = await openSqlDatabase(server.url, { listen: server.url.replace('app:', 'nobody:') });
    await expect(new SqlApiKeyStore(wrong).subscribe!(() => undefined)).rejects.toThrow(
      /authentication failed/,
    );
    await wrong.close();
  });
});

describe('a PostgreSQL connection that is lost while it is at work', () => {
  it('R-AK-19 rejects what was being done, and ends nothing else', async () => {
    const [database, other] = await Promise.all([
      openSqlDatabase(server.url, { poolSize: 1 }),
      openSqlDatabase(server.url, { poolSize: 1 }),
    ]);
    try {
      const work = database.write(async (db) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
        await other.read((outside) => sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(outside));
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
