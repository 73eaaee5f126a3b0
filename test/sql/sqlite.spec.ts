import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';

import { openSqlDatabase, SqlApiKeyStore, SqlAuthorizationStore } from '../../lib/sql/index.js';
import { describeApiKeyStore, keyRecord } from '../authentication/api-key/store-contract.js';
import { describeTokenProcesses } from '../authentication/jwt/token-processes.js';
import { describeAuthorizationStore } from '../authorization-server/store-contract.js';
import { describeTokenStore } from '../authentication/jwt/token-store-contract.js';
import { describeSqlDatabase } from './database-contract.js';
import { openEmptyStore, openEmptyAuthorizationStore, openEmptyTokenStore, tokenPlace } from './stores.js';

const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeApiKeyStore('an SQLite store', () => openEmptyStore(`file:${join(folder, 'store.db')}`), {
  subscribes: false,
});
describeAuthorizationStore('an SQLite store', () =>
  openEmptyAuthorizationStore(`file:${join(folder, 'authorization.db')}`),
);
describeTokenStore('an SQLite store', () => openEmptyTokenStore(`file:${join(folder, 'tokens.db')}`), {
  subscribes: false,
});
describeTokenProcesses('an SQLite file', () => tokenPlace(`file:${join(folder, 'processes.db')}`));
describeSqlDatabase('an SQLite database', () => `sqlite:${join(folder, 'database.db')}`);

describe('an SQLite file', () => {
  it('R-AK-04 is made with its folder, and is for nobody else to read', async () => {
    const path = join(folder, 'deep', 'er', 'keys.db');
    const database = await openSqlDatabase(`file://${path}`);
    expect(existsSync(path)).toBe(false);
    const store = new SqlApiKeyStore(database);
    await store.insert(keyRecord());
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    await store.close();
  });

  it('R-AK-04 keeps keys when it is closed and opened again', async () => {
    const url = `sqlite:${join(folder, 'again.db')}`;
    const one = keyRecord();
    const before = new SqlApiKeyStore(await openSqlDatabase(url));
    await before.insert(one);
    await before.close();
    const after = new SqlApiKeyStore(await openSqlDatabase(url));
    expect(await after.find(one.id)).toStrictEqual(one);
    await after.close();
  });

  it('R-AS-08 keeps what was changed after another process held the lock, for everybody to see', async () => {
    const path = join(folder, 'locked.db');
    const store = new SqlAuthorizationStore(await openSqlDatabase(`sqlite:${path}`));
    const other = new Database(path);
    const record = { kind: 'Code', payload: '{}', expiresAt: Date.now() + 60_000 };
    await store.save({ ...record, id: 'one' });
    await store.save({ ...record, id: 'two' });
    other.exec('begin immediate');
    const consumed = store.consume('Code', 'one', Date.now());
    await delay(150);
    other.exec('rollback');
    expect(await consumed).toBe(true);
    await store.save({ ...record, id: 'three' });
    expect(await store.remove('Code', 'two')).toBe(true);
    const rows = other.prepare('select id, consumed_at from security_authorization order by id').all([]);
    expect(rows).toEqual([
      { id: 'Code one', consumed_at: expect.any(Number) as number },
      { id: 'Code three', consumed_at: null },
    ]);
    other.exec('begin immediate');
    other.exec('rollback');
    other.close();
    await store.close();
  });

  it('R-AK-19 says which file cannot be opened, and opens it once it can', async () => {
    const path = join(folder, 'not-a-folder');
    const inside = new SqlApiKeyStore(await openSqlDatabase(`sqlite:${join(path, 'keys.db')}`));
    writeFileSync(path, '');
    await expect(inside.find('x')).rejects.toThrow('not-a-folder');
    rmSync(path);
    expect(await inside.find('x')).toBeUndefined();
    await inside.close();
  });

  it('R-AK-19 is in memory if that is wanted', async () => {
    const [one, other] = [await openSqlDatabase(':memory:'), await openSqlDatabase(':memory:')];
    const record = keyRecord();
    const store = new SqlApiKeyStore(one);
    await store.insert(record);
    expect(await store.find(record.id)).toStrictEqual(record);
    expect(await new SqlApiKeyStore(other).find(record.id)).toBeUndefined();
    await Promise.all([one.close(), other.close()]);
  });
});
