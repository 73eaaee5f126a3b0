import {
  type AuthorizationRecord,
  type AuthorizationStore,
  type FoundRecord,
  MAX_LISTED,
} from '../authorization-server/records/authorization-store.js';
import { textOf } from './column-text.js';
import { DatabaseUse } from './database-use.js';
import type { SqlDatabase } from './sql-database.js';
import type { AuthorizationRow } from './sql-schema.js';

/** Rows that one statement removes. */
const CHUNK = 500;

/**
 * What the authorization server keeps, in PostgreSQL, MySQL, MariaDB or SQLite, beside API keys and sessions. The table comes by
 * itself at the first use, unless the database was opened with `migrate: false`.
 *
 * @example
 * const database = await openSqlDatabase('postgres://app@db.internal/app');
 * AuthorizationServerModule.forRoot({ store: new SqlAuthorizationStore(database), encryptionKey, … })
 */
export class SqlAuthorizationStore implements AuthorizationStore {
  readonly #database: SqlDatabase;
  readonly #use: DatabaseUse;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#use = new DatabaseUse(database);
  }

  async save(record: AuthorizationRecord, onlyNew = false): Promise<boolean> {
    const { kind, id, grant = null, owner = null, uid = null, payload, expiresAt } = record;
    const row: AuthorizationRow = {
      id: nameOf(kind, id),
      kind,
      grant_name: grant,
      owner,
      uid,
      payload,
      consumed_at: null,
      expires_at: expiresAt,
    };
    const { dialect, tables } = this.#database;
    return this.#database.write(async (db) => {
      // One that has expired is not there any more.
      if (onlyNew) {
        const lapsed = db.deleteFrom(tables.authorization).where('id', '=', row.id);
        await lapsed.where('expires_at', '<=', Date.now()).execute();
      }
      return dialect.saveRecord(db, tables, row, !onlyNew);
    });
  }

  async find(kind: string, id: string, now: number): Promise<FoundRecord | undefined> {
    const { authorization } = this.#database.tables;
    const row = await this.#database.read((db) =>
      db
        .selectFrom(authorization)
        .selectAll()
        .where('id', '=', nameOf(kind, id))
        .where('expires_at', '>', now)
        .executeTakeFirst(),
    );
    return row && foundOf(row);
  }

  async findByUid(kind: string, uid: string, now: number): Promise<FoundRecord | undefined> {
    const { authorization } = this.#database.tables;
    const row = await this.#database.read((db) =>
      db
        .selectFrom(authorization)
        .selectAll()
        .where('uid', '=', uid)
        .where('kind', '=', kind)
        .where('expires_at', '>', now)
        .executeTakeFirst(),
    );
    return row && foundOf(row);
  }

  async consume(kind: string, id: string, now: number): Promise<boolean> {
    const { authorization } = this.#database.tables;
    const { numUpdatedRows } = await this.#database.read((db) =>
      db
        .updateTable(authorization)
        .set({ consumed_at: now })
        .where('id', '=', nameOf(kind, id))
        .where('consumed_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst(),
    );
    return numUpdatedRows === 1n;
  }

  async remove(kind: string, id: string): Promise<boolean> {
    const { authorization } = this.#database.tables;
    const { numDeletedRows } = await this.#database.read((db) =>
      db.deleteFrom(authorization).where('id', '=', nameOf(kind, id)).executeTakeFirst(),
    );
    return numDeletedRows === 1n;
  }

  async removeByGrant(grant: string): Promise<void> {
    const { authorization } = this.#database.tables;
    await this.#database.write((db) =>
      db.deleteFrom(authorization).where('grant_name', '=', grant).execute(),
    );
  }

  async list(kind: string, owner: string, now: number): Promise<readonly FoundRecord[]> {
    const { authorization } = this.#database.tables;
    const rows = await this.#database.read((db) =>
      db
        .selectFrom(authorization)
        .selectAll()
        .where('owner', '=', owner)
        .where('kind', '=', kind)
        .where('expires_at', '>', now)
        .orderBy('id')
        .limit(MAX_LISTED)
        .execute(),
    );
    return rows.map(foundOf);
  }

  async purge(now: number, limit: number): Promise<number> {
    const { authorization } = this.#database.tables;
    return this.#database.write(async (db) => {
      const lapsed = await db
        .selectFrom(authorization)
        .select('id')
        .where('expires_at', '<=', now)
        .orderBy('id')
        .limit(Math.min(limit, CHUNK))
        .execute();
      if (lapsed.length === 0) return 0;
      const ids = lapsed.map(({ id }) => textOf(id));
      await db.deleteFrom(authorization).where('id', 'in', ids).where('expires_at', '<=', now).execute();
      return ids.length;
    });
  }

  close(): Promise<void> {
    return this.#use.end();
  }
}

const nameOf = (kind: string, id: string): string => `${kind} ${id}`;

const foundOf = ({ id, kind, payload, consumed_at: consumed }: AuthorizationRow): FoundRecord => ({
  id: textOf(id).slice(textOf(kind).length + 1),
  payload: textOf(payload),
  consumedAt: consumed === null ? undefined : Number(consumed),
});
