import { inspect } from 'node:util';

import { CamelCasePlugin, Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';

import { loadDriver } from '../../lib/sql/drivers/load-driver.js';
import { openSqlDatabase, SqlApiKeyStore, type SqlDatabaseOptions } from '../../lib/sql/index.js';
import { keyRecord } from '../authentication/api-key/store-contract.js';

describe('opening an SQL database', () => {
  it('R-AK-19 tells which package is missing, and how to install it', async () => {
    const name = 'nobody-has-installed-this';
    await expect(loadDriver(name, () => import(name) as Promise<unknown>)).rejects.toThrow(
      `this database needs the package "${name}": run \`npm install ${name}\``,
    );
    const broken = () => Promise.reject(new Error('wrong architecture'));
    await expect(loadDriver(name, broken)).rejects.toThrow('cannot be loaded: wrong architecture');
  });

  it('R-AK-19 connects when it is used, not before', async () => {
    const urls = [
      'postgres://u:p@127.0.0.1:1/d',
      'postgresql://u@h',
      'mysql://u:p@127.0.0.1:1/d',
      'mariadb://h/d',
    ];
    const kinds = urls.map(async (url) => {
      const database = await openSqlDatabase(url);
      await database.close();
      return database.kind;
    });
    expect(await Promise.all(kinds)).toEqual(['postgres', 'postgres', 'mysql', 'mysql']);
  });

  it('R-AK-17 refuses what is no URL of a database, and does not quote it', async () => {
    const wrong = [
      '',
      'secret',
      'http://secret',
      'postgres:secret',
      'postgres://u:secret@[',
      '//secret',
      'sqlite:',
      'file:x?secret',
    ];
    for (const url of wrong) {
      const error: unknown = await openSqlDatabase(url).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(TypeError);
      expect(inspect(error)).toContain('postgres://…');
      expect(inspect(error, { showHidden: true })).not.toContain('secret');
    }
  });

  it.each<[SqlDatabaseOptions, string]>([
    [{ tablePrefix: 'a"; drop table x; --' }, 'tablePrefix'],
    [{ tablePrefix: '' }, 'tablePrefix'],
    [{ tablePrefix: 'x'.repeat(33) }, 'tablePrefix'],
    [{ poolSize: 0 }, 'poolSize'],
    [{ poolSize: 1.5 }, 'poolSize'],
    [{ connectTimeout: 0 }, 'connectTimeout'],
    [{ statementTimeout: 'soon' as '1s' }, 'statementTimeout'],
    [{ listen: 'mysql://h/d' }, 'listen'],
  ])('R-AK-19 refuses the options %j', async (options, name) => {
    await expect(openSqlDatabase(':memory:', options)).rejects.toThrow(name);
  });

  it('R-AK-19 refuses a kind that it does not know', async () => {
    const dialect = new SqliteDialect({ database: () => Promise.reject(new Error('not opened')) });
    await expect(openSqlDatabase({ dialect, kind: 'oracle' as 'mysql' })).rejects.toThrow('kind must be');
  });

  it('R-AK-04 uses an application’s own Kysely without its plugins, and leaves it open', async () => {
    const dialect = new SqliteDialect({ database: new Database(':memory:') });
    const kysely = new Kysely<{ other: { id: number } }>({ dialect, plugins: [new CamelCasePlugin()] });
    const store = new SqlApiKeyStore(await openSqlDatabase({ kysely, kind: 'sqlite' }));
    const one = keyRecord();
    await store.insert(one);
    expect(await store.find(one.id)).toStrictEqual(one);
    await store.close();
    await kysely.schema.createTable('other').addColumn('id', 'integer').execute();
    expect(await kysely.selectFrom('other').selectAll().execute()).toEqual([]);
    await kysely.destroy();
  });

  it('R-AK-04 closes a dialect that it was given with the last store', async () => {
    const dialect = new SqliteDialect({ database: new Database(':memory:') });
    const store = new SqlApiKeyStore(
      await openSqlDatabase({ dialect, kind: 'sqlite' }, { tablePrefix: 'other_' }),
    );
    await store.insert(keyRecord());
    await store.close();
    await expect(store.find('x')).rejects.toThrow('destroyed');
  });
});
