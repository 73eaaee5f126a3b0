import { type RawBuilder, sql } from 'kysely';

import { type ApiKeyDay, type ApiKeyUse, USAGE_DAYS } from '../authentication/api-key/api-key-store.js';
import { dayOf, idOf } from './key-row.js';
import type { SqlDatabase } from './sql-database.js';
import type { UseRow } from './sql-schema.js';

/** Keys whose uses are written in one transaction: the more, the longer others wait for them. */
const CHUNK = 100;
const DAY_MS = 86_400_000;

/** What was counted of one key. */
interface Counted {
  last: ApiKeyUse;
  readonly days: Map<string, number>;
}

/** Writes numbers of uses. See `ApiKeyStore.recordUses`. */
export async function writeUses(database: SqlDatabase, uses: readonly ApiKeyUse[]): Promise<void> {
  const counted = countById(uses);
  // In one order, so that two who write at the same time wait for each other only in one direction.
  const ids = [...counted.keys()].toSorted();
  for (let from = 0; from < ids.length; from += CHUNK) {
    await writeChunk(database, ids.slice(from, from + CHUNK), counted);
  }
}

/** See `ApiKeyStore.usage`. */
export async function readUses(database: SqlDatabase, id: string, firstDay: string): Promise<ApiKeyDay[]> {
  const { tables } = database;
  const rows = await database.read((db) =>
    db
      .selectFrom(tables.uses)
      .select(['day', 'uses'])
      .where('key_id', '=', id)
      .where('day', '>=', firstDay)
      .orderBy('day')
      .execute(),
  );
  const days = rows.map((row) => ({ day: dayOf(row), uses: Number(row.uses) }));
  const newest = days.at(-1)?.day;
  // Those that are older may still be there: they are removed now and then.
  return newest === undefined ? days : days.filter(({ day }) => day >= oldestDay(Date.parse(newest)));
}

function countById(uses: readonly ApiKeyUse[]): Map<string, Counted> {
  const counted = new Map<string, Counted>();
  for (const use of uses) {
    const known = counted.get(use.id) ?? { last: use, days: new Map<string, number>() };
    if (use.lastUsedAt >= known.last.lastUsedAt) known.last = use;
    const day = new Date(use.lastUsedAt).toISOString().slice(0, 10);
    known.days.set(day, (known.days.get(day) ?? 0) + use.uses);
    counted.set(use.id, known);
  }
  return counted;
}

async function writeChunk(
  database: SqlDatabase,
  wanted: readonly string[],
  counted: ReadonlyMap<string, Counted>,
): Promise<void> {
  const { tables, dialect } = database;
  await database.write(async (db) => {
    const rows = await db
      .selectFrom(tables.keys)
      .select(['id', 'last_used_at'])
      .where('id', 'in', wanted)
      .orderBy('id')
      .$if(dialect.locksRows, (query) => query.forUpdate())
      .execute();
    if (rows.length === 0) return;
    const known = rows.map((row) => ({ ...counted.get(idOf(row))!, before: Number(row.last_used_at ?? 0) }));
    const moved = known.filter(({ last, before }) => last.lastUsedAt >= before).map(({ last }) => last);
    if (moved.length > 0) {
      await db
        .updateTable(tables.keys)
        .set({
          last_used_at: byId<number>(moved, ({ lastUsedAt }) => sql.lit(lastUsedAt)),
          last_used_from: byId<string | null>(moved, ({ lastUsedFrom }) => sql`${lastUsedFrom ?? null}`),
        })
        .where(
          'id',
          'in',
          moved.map(({ id }) => id),
        )
        .execute();
    }
    const ids = known.map(({ last }) => last.id);
    const added = known.flatMap(({ last, days }) =>
      [...days].map(([day, uses]): UseRow => ({ key_id: last.id, day, uses })),
    );
    await dialect.addUses(db, tables, added);
    // By the key that was longest without use, which removes too little for the others, never too much.
    const newest = Math.min(...known.map(({ last, before }) => Math.max(last.lastUsedAt, before)));
    await db
      .deleteFrom(tables.uses)
      .where('key_id', 'in', ids)
      .where('day', '<', oldestDay(newest))
      .execute();
  });
}

/** A value for each key, in one statement. */
function byId<T>(uses: readonly ApiKeyUse[], value: (use: ApiKeyUse) => RawBuilder<unknown>): RawBuilder<T> {
  const cases = uses.map((use) => sql`when ${use.id} then ${value(use)}`);
  return sql<T>`case id ${sql.join(cases, sql` `)} end`;
}

const oldestDay = (newest: number): string =>
  new Date(newest - (USAGE_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
