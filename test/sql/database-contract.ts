import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';

import { ApiKeyDigest } from '../../lib/authentication/api-key/api-key-digest.js';
import { compileApiKeyOptions } from '../../lib/authentication/api-key/api-key.options.js';
import { ApiKeyService } from '../../lib/authentication/api-key/api-key.service.js';
import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { SecurityEvents } from '../../lib/events/security-events.js';
import {
  openSqlDatabase,
  SqlApiKeyStore,
  type SqlDatabase,
  type SqlDatabaseOptions,
} from '../../lib/sql/index.js';
import { keyRecord } from '../authentication/api-key/store-contract.js';
import { FakeClock } from '../rate-limit/fake-clock.js';
import { runProcesses } from './store-processes.js';

const NOW = Date.UTC(2026, 10, 24);
let prefixes = 0;
/** MySQL gives binary columns as buffers. */
const legible = ([name, value]: [string, unknown]): [string, unknown] => [
  name,
  Buffer.isBuffer(value) ? value.toString('utf8') : value,
];

/** What holds for every SQL database beside the contract of the stores. @param url of a database that is there */
export function describeSqlDatabase(name: string, url: () => string): void {
  describe(`${name} for keys`, () => {
    const opened: SqlDatabase[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((database) => database.close()));
    });
    const newPrefix = () => `d${process.pid}_${prefixes++}_`;
    const open = async (options: SqlDatabaseOptions = {}): Promise<SqlDatabase> => {
      const database = await openSqlDatabase(url(), { poolSize: 4, ...options });
      opened.push(database);
      return database;
    };
    const execute = async (database: SqlDatabase, text: string): Promise<object[]> => {
      const { rows } = await database.read((db) => sql.raw(text).execute(db));
      return (rows as object[]).map((row) => Object.fromEntries(Object.entries(row).map(legible)));
    };

    it('R-AK-04 makes its tables once, however often it is told to', async () => {
      const tablePrefix = newPrefix();
      const databases = await Promise.all(
        Array.from({ length: 10 }, () => open({ tablePrefix, poolSize: 1 })),
      );
      const applied = await Promise.all(databases.map((database) => database.migrate()));
      expect(applied.flat()).toEqual(['api keys', 'sessions', 'authorization server']);
      expect(await databases[0]!.migrate()).toEqual([]);
      const versions = await execute(databases[0]!, `select version from ${tablePrefix}schema_versions`);
      expect(versions).toEqual([{ version: 1 }, { version: 2 }, { version: 3 }]);
    });

    it('R-AK-10 R-AK-11 R-AK-18 lets ten processes begin at once, and lose nothing of what each does', async () => {
      const tablePrefix = newPrefix();
      const shared = keyRecord().id;
      const outcomes = await runProcesses(10, url(), tablePrefix, shared, '10');
      expect(outcomes.flatMap(({ migrated }) => migrated)).toEqual([
        'api keys',
        'sessions',
        'authorization server',
      ]);
      expect(outcomes.filter(({ first }) => first)).toHaveLength(1);
      expect(outcomes.filter(({ rotated }) => rotated)).toHaveLength(1);
      const store = new SqlApiKeyStore(await open({ tablePrefix }));
      expect(await store.usage(shared, '2026-01-01')).toEqual([{ day: '2026-11-24', uses: 100 }]);
      expect((await store.list('own', 200)).keys).toHaveLength(100);
      expect((await store.list('shared', 200)).keys).toHaveLength(2);
    });

    it('R-AK-19 works on tables that a newer version has changed', async () => {
      const tablePrefix = newPrefix();
      const newer = await open({ tablePrefix });
      await newer.migrate();
      await execute(newer, `alter table ${tablePrefix}api_keys add column colour varchar(20)`);
      await execute(newer, `alter table ${tablePrefix}api_key_uses add column colour varchar(20)`);
      await execute(newer, `insert into ${tablePrefix}schema_versions values (99, 'colours', 1)`);
      const older = await open({ tablePrefix });
      expect(await older.migrate()).toEqual([]);
      const store = new SqlApiKeyStore(older);
      const [one, successor] = [keyRecord(), keyRecord()];
      await store.insert(one);
      await execute(newer, `update ${tablePrefix}api_keys set colour = 'red'`);
      expect(await store.find(one.id)).toStrictEqual(one);
      expect(await store.update(one.id, { name: 'x' })).toStrictEqual({ ...one, name: 'x' });
      expect(await store.rotate(one.id, successor, NOW)).toBe(true);
      await store.recordUses([{ id: one.id, uses: 1, lastUsedAt: NOW, lastUsedFrom: undefined }]);
      expect(await store.usage(one.id, '2026-01-01')).toHaveLength(1);
      expect((await store.list(one.owner, 5)).keys).toHaveLength(2);
      expect(
        await execute(newer, `select colour from ${tablePrefix}api_keys where colour = 'red'`),
      ).toHaveLength(1);
      expect(await store.revokeAllOf(one.owner, NOW)).toHaveLength(2);
      expect(await store.purge(NOW + 1, 5)).toBe(2);
    });

    it('R-AK-19 says what to run where the tables are missing, and works once that has been done', async () => {
      const tablePrefix = newPrefix();
      const store = new SqlApiKeyStore(await open({ tablePrefix, migrate: false }));
      await expect(store.find('x')).rejects.toThrow('npx nestjs-api-security schema migrate');
      await expect(store.insert(keyRecord())).rejects.toThrow('npx nestjs-api-security schema migrate');
      await (await open({ tablePrefix })).migrate();
      expect(await store.find('x')).toBeUndefined();
      await execute(await open({ tablePrefix }), `alter table ${tablePrefix}api_keys drop column exposure`);
      await expect(store.insert(keyRecord())).rejects.toThrow('npx nestjs-api-security schema migrate');
    });

    it('R-AK-04 holds no secret after keys were issued, rotated, exposed and used', async () => {
      const tablePrefix = newPrefix();
      const database = await open({ tablePrefix });
      const store = new SqlApiKeyStore(database);
      const clock = new FakeClock();
      const settings = compileApiKeyOptions({}, new ConfigurationProblems());
      const digests = new ApiKeyDigest(settings.peppers);
      const service = new ApiKeyService(store, settings, digests, clock, new SecurityEvents(clock));
      const first = await service.issue({ owner: "o'; drop table x; --", name: 'n', scopes: ['a'] });
      const second = await service.rotate(first.id, { overlapMs: 1_000 });
      expect(await service.reportExposed(second.key)).toBeDefined();
      const tables = ['api_keys', 'api_key_uses', 'schema_versions'].map((table) => `${tablePrefix}${table}`);
      const dump = JSON.stringify(
        await Promise.all(tables.map((table) => execute(database, `select * from ${table}`))),
      );
      expect(dump).toContain(second.id);
      for (const { key } of [first, second]) {
        const secret = key.split('_')[3]!;
        // Nor any part of it that is longer than the four letters which are shown.
        for (let at = 0; at + 8 <= secret.length; at++) expect(dump).not.toContain(secret.slice(at, at + 8));
      }
      expect((await service.list("o'; drop table x; --")).keys).toHaveLength(2);
    });

    it('R-AK-19 takes what SQL means something by as nothing but text', async () => {
      const tablePrefix = newPrefix();
      const store = new SqlApiKeyStore(await open({ tablePrefix }));
      const table = `${tablePrefix}api_keys`;
      const texts = [
        `x'; drop table ${table}; --`,
        `x"; delete from ${table}; --`,
        "\\'; --",
        '$1',
        '?',
        ':id',
        '/*',
        '\\',
      ];
      for (const text of texts) {
        const one = keyRecord({
          owner: text,
          name: text,
          tenant: text,
          roles: [text],
          metadata: { [text]: text },
        });
        await store.insert(one);
        expect(await store.find(text)).toBeUndefined();
        expect(await store.update(one.id, { name: text })).toStrictEqual(one);
        expect((await store.list(text, 5)).keys).toStrictEqual([one]);
        await store.recordUses([{ id: one.id, uses: 1, lastUsedAt: NOW, lastUsedFrom: text }]);
        expect((await store.find(one.id))!.lastUsedFrom).toBe(text);
        expect(await store.revokeAllOf(text, NOW)).toEqual([one.id]);
        expect(await store.usage(one.id, text)).toBeInstanceOf(Array);
      }
    });

    it('R-AK-19 rejects what it could not give back as it was', async () => {
      const store = new SqlApiKeyStore(await open({ tablePrefix: newPrefix() }));
      for (const changes of [{ name: 'a\0' }, { owner: '\uD800' }, { tenant: 'a\uDC00' }]) {
        await expect(store.insert(keyRecord(changes))).rejects.toThrow(TypeError);
      }
    });

    it('R-AK-19 closes with the last of its stores, twice without harm', async () => {
      const database = await open({ tablePrefix: newPrefix() });
      const [one, other] = [new SqlApiKeyStore(database), new SqlApiKeyStore(database)];
      await one.find('x');
      await one.close();
      await one.close();
      expect(await other.find('x')).toBeUndefined();
      await other.close();
      await expect(other.find('x')).rejects.toThrow('destroyed');
      await database.close();
    });
  });
}
