import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';

import type {
  AuthorizationRow,
  KeyRingRow,
  RevocationRow,
  SqlKind,
  SqlSchema,
  SqlTables,
  UseRow,
} from './sql-schema.js';

/** A revocation before the database has noted the time. */
export type NewRevocation = Omit<RevocationRow, 'noted_at'>;

/** A connection in the middle of a transaction. */
export type SqlTransaction = Kysely<SqlSchema> | Transaction<SqlSchema>;

/** Types of columns, where texts of any kind are compared byte by byte, in upper and lower case and trailing spaces too. */
export interface ColumnTypes {
  /** Up to 256 characters that are compared or sorted. */
  readonly exact: string;
  /** Letters, digits and signs of ASCII that are compared or sorted. */
  readonly id: string;
  /** Up to 256 characters. */
  readonly text: string;
  /** At least 1 MB. */
  readonly json: string;
  /** 64 bits. */
  readonly big: string;
  /** What follows the columns of a table. */
  readonly table: string;
}

/** The differences between databases that this package has to know; what is not here is the same everywhere. */
export interface SqlDialect {
  readonly types: ColumnTypes;
  /** Whether `create index if not exists` is known, and not only an index inside `create table`. */
  readonly separateIndexes: boolean;
  /** Whether rows can be locked, and have to be; SQLite has one writer at a time. */
  readonly locksRows: boolean;
  /** The time by the clock of the database, in epoch milliseconds. */
  readonly now: RawBuilder<number>;
  /** Runs in one transaction, in which each statement sees what others have committed until then. */
  transaction<T>(db: Kysely<SqlSchema>, work: (db: SqlTransaction) => Promise<T>): Promise<T>;
  /** Runs while nobody else runs something of that name; in one transaction, where there are such for changes of a schema. */
  exclusively<T>(db: Kysely<SqlSchema>, name: string, work: (db: SqlTransaction) => Promise<T>): Promise<T>;
  /** Adds revocations; of one that is there already, the later times count. */
  addRevocations(db: SqlTransaction, tables: SqlTables, rows: readonly NewRevocation[]): Promise<unknown>;
  /** Adds a ring, unless its issuer has one; tells whether it did. */
  addKeyRing(db: SqlTransaction, tables: SqlTables, row: KeyRingRow): Promise<boolean>;
  /** Adds a record, or with `replace` puts it in the place of the one that is there; tells whether it did. */
  saveRecord(
    db: SqlTransaction,
    tables: SqlTables,
    row: AuthorizationRow,
    replace: boolean,
  ): Promise<boolean>;
  /** Adds to the numbers of uses. */
  addUses(db: SqlTransaction, tables: SqlTables, rows: readonly UseRow[]): Promise<unknown>;
}

const postgres: SqlDialect = {
  types: {
    exact: 'text collate "C"',
    id: 'text collate "C"',
    text: 'text',
    json: 'text',
    big: 'bigint',
    table: '',
  },
  separateIndexes: true,
  locksRows: true,
  now: sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  transaction: readCommitted,
  exclusively: (db, name, work) =>
    readCommitted(db, async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
      return work(trx);
    }),
  addUses: addOnConflict,
  addRevocations: (db, tables, rows) => addRevocationsOnConflict(db, tables, withTime(rows, postgres)),
  addKeyRing: addRingOnConflict,
  saveRecord: saveRecordOnConflict,
};

const mysql: SqlDialect = {
  types: {
    // Even the binary collations of MariaDB take trailing spaces as nothing, and MySQL names those that do not otherwise.
    exact: 'varbinary(1024)',
    id: 'varbinary(64)',
    text: 'varchar(256)',
    json: 'mediumtext',
    big: 'bigint',
    table: ' engine=InnoDB default charset=utf8mb4',
  },
  separateIndexes: false,
  locksRows: true,
  // Not by way of the local time, which comes twice when summer ends.
  now: sql`timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000`,
  transaction: readCommitted,
  exclusively: (db, name, work) =>
    db.connection().execute(async (connection) => {
      // Names are those of the whole server, and up to 64 characters.
      const lock = sql`concat('nestjs-api-security:', sha1(concat(database(), '/', ${name})))`;
      const { rows } = await sql<{ taken: unknown }>`select get_lock(${lock}, 4) as taken`.execute(
        connection,
      );
      if (Number(rows[0]?.taken) !== 1) throw new Error('another process is changing the schema');
      try {
        return await work(connection);
      } finally {
        // Lost with the connection otherwise.
        await sql`select release_lock(${lock})`.execute(connection).catch(() => undefined);
      }
    }),
  addUses: (db, tables, rows) =>
    db
      .insertInto(tables.uses)
      .values([...rows])
      .onDuplicateKeyUpdate({ uses: sql`uses + values(uses)` })
      .execute(),
  addRevocations: (db, tables, rows) =>
    db
      .insertInto(tables.revocations)
      .values(withTime(rows, mysql))
      .onDuplicateKeyUpdate({
        revoked_at: sql`greatest(revoked_at, values(revoked_at))`,
        ends_at: sql`greatest(ends_at, values(ends_at))`,
        noted_at: sql`values(noted_at)`,
      })
      .execute(),
  addKeyRing: async (db, tables, row) => {
    const query = db.insertInto(tables.keyRings).ignore().values(row);
    return (await query.executeTakeFirst()).numInsertedOrUpdatedRows === 1n;
  },
  saveRecord: async (db, tables, row, replace) => {
    if (!replace) {
      const query = db.insertInto(tables.authorization).ignore().values(row);
      return (await query.executeTakeFirst()).numInsertedOrUpdatedRows === 1n;
    }
    await db.insertInto(tables.authorization).values(row).onDuplicateKeyUpdate(changedColumns(row)).execute();
    return true;
  },
};

const sqlite: SqlDialect = {
  types: { exact: 'text', id: 'text', text: 'text', json: 'text', big: 'integer', table: '' },
  separateIndexes: true,
  locksRows: false,
  now: sql`cast((julianday('now') - 2440587.5) * 86400000 as integer)`,
  transaction: immediate,
  exclusively: (db, _name, work) => immediate(db, work),
  addUses: addOnConflict,
  addRevocations: (db, tables, rows) => addRevocationsOnConflict(db, tables, withTime(rows, sqlite)),
  addKeyRing: addRingOnConflict,
  saveRecord: saveRecordOnConflict,
};

const DIALECTS: Readonly<Record<SqlKind, SqlDialect>> = { postgres, mysql, sqlite };

/** What is special about that kind of database. */
export const dialectOf = (kind: SqlKind): SqlDialect => DIALECTS[kind];

function readCommitted<T>(db: Kysely<SqlSchema>, work: (db: SqlTransaction) => Promise<T>): Promise<T> {
  // MySQL would lock gaps by default and see the beginning of the transaction for ever; PostgreSQL may be set otherwise.
  return db.transaction().setIsolationLevel('read committed').execute(work);
}

/** A transaction that is to write has to say so at once, or another process's write in between makes it fail. */
function immediate<T>(db: Kysely<SqlSchema>, work: (db: SqlTransaction) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    await sql`begin immediate`.execute(connection);
    try {
      const outcome = await work(connection);
      await sql`commit`.execute(connection);
      return outcome;
    } catch (error) {
      await sql`rollback`.execute(connection).catch(() => undefined);
      throw error;
    }
  });
}

function addOnConflict(db: SqlTransaction, tables: SqlTables, rows: readonly UseRow[]): Promise<unknown> {
  const sum = sql<number>`${sql.ref(`${tables.uses}.uses`)} + excluded.uses`;
  return db
    .insertInto(tables.uses)
    .values([...rows])
    .onConflict((conflict) => conflict.columns(['key_id', 'day']).doUpdateSet({ uses: sum }))
    .execute();
}

const withTime = (rows: readonly NewRevocation[], { now }: SqlDialect) =>
  rows.map((row) => ({ ...row, noted_at: now }));

function addRevocationsOnConflict(
  db: SqlTransaction,
  tables: SqlTables,
  rows: ReturnType<typeof withTime>,
): Promise<unknown> {
  const later = (column: 'revoked_at' | 'ends_at') => {
    const [known, added] = [sql.ref(`${tables.revocations}.${column}`), sql.ref(`excluded.${column}`)];
    return sql<number>`case when ${added} > ${known} then ${added} else ${known} end`;
  };
  return db
    .insertInto(tables.revocations)
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        revoked_at: later('revoked_at'),
        ends_at: later('ends_at'),
        noted_at: sql<number>`excluded.noted_at`,
      }),
    )
    .execute();
}

async function addRingOnConflict(db: SqlTransaction, tables: SqlTables, row: KeyRingRow): Promise<boolean> {
  const query = db
    .insertInto(tables.keyRings)
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing());
  return (await query.executeTakeFirst()).numInsertedOrUpdatedRows === 1n;
}

/** What changes when a record is saved again; whether it was used up stays. */
function changedColumns({ grant_name, owner, uid, payload, expires_at }: AuthorizationRow) {
  return { grant_name, owner, uid, payload, expires_at };
}

async function saveRecordOnConflict(
  db: SqlTransaction,
  tables: SqlTables,
  row: AuthorizationRow,
  replace: boolean,
): Promise<boolean> {
  const query = db
    .insertInto(tables.authorization)
    .values(row)
    .onConflict((conflict) =>
      replace ? conflict.column('id').doUpdateSet(changedColumns(row)) : conflict.column('id').doNothing(),
    );
  return (await query.executeTakeFirst()).numInsertedOrUpdatedRows === 1n;
}
