import { sql } from 'kysely';

import type {
  ApiKeyChange,
  ApiKeyChanges,
  ApiKeyDay,
  ApiKeyPage,
  ApiKeyRecord,
  ApiKeyStore,
  ApiKeyUse,
  EmptyField,
} from '../authentication/api-key/api-key-store.js';
import { changeIn, channelOf, tellOf } from './change-channel.js';
import { isStorable } from './column-text.js';
import { DatabaseUse } from './database-use.js';
import { columnsOf, endOf, idOf, recordOf, rowOf } from './key-row.js';
import { readUses, writeUses } from './key-uses.js';
import type { SqlDatabase } from './sql-database.js';
import type { SqlTransaction } from './sql-dialect.js';

/** Keys that one statement names. */
const CHUNK = 500;

/**
 * Keys in PostgreSQL, MySQL, MariaDB or SQLite. The tables come by themselves at the first use, unless the database was
 * opened with `migrate: false`. Where PostgreSQL can be listened to, changes reach every process at once.
 *
 * @example
 * const database = await openSqlDatabase('postgres://app@db.internal/app');
 * SecurityModule.forRoot({ apiKeys: { store: new SqlApiKeyStore(database) } })
 */
export class SqlApiKeyStore implements ApiKeyStore {
  /** There for PostgreSQL that was opened by URL, or with `listen`. */
  declare readonly subscribe?: NonNullable<ApiKeyStore['subscribe']>;
  readonly #database: SqlDatabase;
  readonly #use: DatabaseUse;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#use = new DatabaseUse(database);
    const { listenUrl, tables } = database;
    if (listenUrl === undefined) return;
    this.subscribe = (tell) =>
      this.#use.listen(
        listenUrl,
        channelOf(tables),
        (payload) => tell(changeIn(payload)),
        () => tell('anything'),
      );
  }

  async find(id: string): Promise<ApiKeyRecord | undefined> {
    if (!isStorable(id)) return undefined;
    const { keys } = this.#database.tables;
    const row = await this.#database.read((db) =>
      db.selectFrom(keys).selectAll().where('id', '=', id).executeTakeFirst(),
    );
    return row && recordOf(row);
  }

  async insert(record: ApiKeyRecord): Promise<void> {
    const { keys } = this.#database.tables;
    const row = rowOf(record);
    await this.#database.write(async (db) => {
      await db.insertInto(keys).values(row).execute();
      await this.#tell(db, { id: record.id });
    });
  }

  async update(id: string, changes: ApiKeyChanges, unless?: EmptyField): Promise<ApiKeyRecord | undefined> {
    if (!isStorable(id)) return undefined;
    const { keys } = this.#database.tables;
    const columns = columnsOf(changes);
    return this.#database.write(async (db) => {
      const record = await this.#locked(db, id);
      if (!record || (unless !== undefined && record[unless] !== undefined)) return undefined;
      const updated = { ...record, ...changes };
      await db
        .updateTable(keys)
        .set({ ...columns, ...endOf(updated) })
        .where('id', '=', id)
        .execute();
      await this.#tell(db, { id });
      return updated;
    });
  }

  async rotate(id: string, successor: ApiKeyRecord, overlapEndsAt: number): Promise<boolean> {
    if (!isStorable(id)) return false;
    const { keys } = this.#database.tables;
    const row = rowOf({ ...successor, predecessor: id });
    return this.#database.write(async (db) => {
      const record = await this.#locked(db, id);
      if (!record || record.revokedAt !== undefined || record.successor !== undefined) return false;
      const changes = { successor: successor.id, overlapEndsAt };
      await db.insertInto(keys).values(row).execute();
      await db
        .updateTable(keys)
        .set({ ...columnsOf(changes), ...endOf({ ...record, ...changes }) })
        .where('id', '=', id)
        .execute();
      await this.#tell(db, { id }, { id: successor.id });
      return true;
    });
  }

  async list(owner: string, limit: number, after?: string): Promise<ApiKeyPage> {
    const nothing: ApiKeyPage = { keys: [], next: undefined };
    if (!isStorable(owner) || !isStorable(after ?? '')) return nothing;
    const last = after === undefined ? undefined : await this.find(after);
    if (after !== undefined && last?.owner !== owner) return nothing;
    const { keys } = this.#database.tables;
    const rows = await this.#database.read((db) => {
      const own = db.selectFrom(keys).selectAll().where('owner', '=', owner);
      const older = last
        ? own
            .where('created_at', '<=', last.createdAt)
            .where((is) => is.or([is('created_at', '<', last.createdAt), is('id', '<', last.id)]))
        : own;
      return older
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
    });
    const page = rows.slice(0, limit).map(recordOf);
    return { keys: page, next: rows.length > limit ? page.at(-1)?.id : undefined };
  }

  async revokeAllOf(owner: string, at: number): Promise<readonly string[]> {
    if (!isStorable(owner)) return [];
    const { tables, dialect } = this.#database;
    return this.#database.write(async (db) => {
      const revoked: string[] = [];
      for (;;) {
        // Waits for rotations that are under way; the next round sees the keys that they have made.
        const rows = await db
          .selectFrom(tables.keys)
          .select('id')
          .where('owner', '=', owner)
          .where('revoked_at', 'is', null)
          .limit(CHUNK)
          .$if(dialect.locksRows, (query) => query.forUpdate())
          .execute();
        if (rows.length === 0) break;
        const ids = rows.map(idOf);
        const end = sql<number>`case when ended_at < ${sql.lit(at)} then ended_at else ${sql.lit(at)} end`;
        await db
          .updateTable(tables.keys)
          .set({ revoked_at: at, ended_at: end })
          .where('id', 'in', ids)
          .execute();
        revoked.push(...ids);
      }
      if (revoked.length > 0) await this.#tell(db, { owner });
      return revoked;
    });
  }

  async recordUses(uses: readonly ApiKeyUse[]): Promise<void> {
    await writeUses(
      this.#database,
      uses.filter(({ id }) => isStorable(id)),
    );
  }

  async usage(id: string, firstDay: string): Promise<readonly ApiKeyDay[]> {
    return isStorable(id) ? readUses(this.#database, id, firstDay) : [];
  }

  async purge(endedBefore: number, limit: number): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const count = await this.#purgeSome(endedBefore, Math.min(CHUNK, limit - removed));
      if (count === 0) break;
      removed += count;
    }
    return removed;
  }

  close(): Promise<void> {
    return this.#use.end();
  }

  #purgeSome(endedBefore: number, limit: number): Promise<number> {
    const { tables, dialect } = this.#database;
    return this.#database.write(async (db) => {
      const rows = await db
        .selectFrom(tables.keys)
        .select('id')
        .where('ended_at', '<', endedBefore)
        .orderBy('ended_at')
        .limit(limit)
        .$if(dialect.locksRows, (query) => query.forUpdate())
        .execute();
      if (rows.length === 0) return 0;
      const ids = rows.map(idOf);
      await db.deleteFrom(tables.uses).where('key_id', 'in', ids).execute();
      await db.deleteFrom(tables.keys).where('id', 'in', ids).execute();
      return ids.length;
    });
  }

  /** The record, which nobody else changes until the transaction is through. */
  async #locked(db: SqlTransaction, id: string): Promise<ApiKeyRecord | undefined> {
    const { tables, dialect } = this.#database;
    const row = await db
      .selectFrom(tables.keys)
      .selectAll()
      .where('id', '=', id)
      .$if(dialect.locksRows, (query) => query.forUpdate())
      .executeTakeFirst();
    return row && recordOf(row);
  }

  #tell(db: SqlTransaction, ...changes: Exclude<ApiKeyChange, 'anything'>[]): Promise<void> {
    const { kind, tables } = this.#database;
    return tellOf(db, kind, tables, changes);
  }
}
