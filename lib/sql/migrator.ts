import { type Kysely, sql } from 'kysely';

import { MIGRATIONS } from './migrations.js';
import type { SqlDialect, SqlTransaction } from './sql-dialect.js';
import { isMissingTable } from './sql-error.js';
import type { SqlSchema, SqlTables } from './sql-schema.js';

/**
 * Brings the schema up to this version of the package. Any number of processes may do so at the same time; a schema that is
 * newer already is left as it is.
 *
 * @returns names of the migrations that were applied
 */
export async function migrate(
  db: Kysely<SqlSchema>,
  tables: SqlTables,
  dialect: SqlDialect,
): Promise<readonly string[]> {
  // Most processes find nothing to do, and need no lock for that, nor the right to create tables.
  if ((await missing(db, tables)).length === 0) return [];
  return dialect.exclusively(db, tables.versions, async (locked) => {
    const { text, big, table } = dialect.types;
    await sql
      .raw(
        `create table if not exists ${tables.versions} ` +
          `(version integer not null primary key, name ${text} not null, applied_at ${big} not null)${table}`,
      )
      .execute(locked);
    const applied: string[] = [];
    for (const { version, name, statements } of await missing(locked, tables)) {
      for (const statement of statements(tables, dialect)) await sql.raw(statement).execute(locked);
      await locked.insertInto(tables.versions).values({ version, name, applied_at: Date.now() }).execute();
      applied.push(name);
    }
    return applied;
  });
}

async function missing(db: SqlTransaction, tables: SqlTables): Promise<typeof MIGRATIONS> {
  let versions: ReadonlySet<number>;
  try {
    const rows = await db.selectFrom(tables.versions).select('version').execute();
    versions = new Set(rows.map(({ version }) => version));
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    versions = new Set();
  }
  return MIGRATIONS.filter(({ version }) => !versions.has(version));
}
