import { sql } from 'kysely';

import {
  type Revocation,
  REVOCATION_PAGE,
  type RevocationPage,
} from '../authentication/jwt/revocation-store.js';
import { sha256 } from '../authentication/sha256.js';
import { textOf } from './column-text.js';
import type { SqlDatabase } from './sql-database.js';
import type { NewRevocation, SqlTransaction } from './sql-dialect.js';
import type { RevocationRow } from './sql-schema.js';

/** Rows that one statement writes. */
const CHUNK = 500;
/**
 * How far each look reaches behind the last one, in milliseconds: what was noted then may have been committed since. A
 * transaction notes revocations with its last statement, so this is the longest wait for a commit.
 */
const OVERLAP_MS = 15_000;

/** Where a page begins: behind a row, or at a time. `started` is when its first page was read, by the database's clock. */
interface Position {
  readonly started: number;
  readonly after: readonly [notedAt: number, id: string] | undefined;
}

/** Writes revocations, and wakes those who listen as soon as the transaction is through. */
export async function writeRevocations(
  { tables, dialect, kind }: SqlDatabase,
  db: SqlTransaction,
  revocations: readonly Revocation[],
): Promise<void> {
  // One statement must not have the same row twice.
  const rows = [...new Map(revocations.map((one) => [idOf(one), rowOf(one)])).values()];
  for (let i = 0; i < rows.length; i += CHUNK) {
    await dialect.addRevocations(db, tables, rows.slice(i, i + CHUNK));
  }
  if (kind === 'postgres') await sql`select pg_notify(${tables.revocations}, '')`.execute(db);
}

/** Reads the next page. */
export async function readRevocations(
  database: SqlDatabase,
  cursor: string | undefined,
  now: number,
): Promise<RevocationPage> {
  const { tables } = database;
  const { started, after } = positionOf(cursor) ?? { started: undefined, after: undefined };
  // Before the rows are read: what is noted later belongs to the next look.
  const time = after ? started : await timeOf(database);
  const rows = await database.read((db) => {
    const live = db.selectFrom(tables.revocations).selectAll().where('ends_at', '>', now);
    const from = after
      ? live.where((is) =>
          is.or([
            is('noted_at', '>', after[0]),
            is.and([is('noted_at', '=', after[0]), is('id', '>', after[1])]),
          ]),
        )
      : live.where('noted_at', '>=', (started ?? 0) - OVERLAP_MS);
    return from
      .orderBy('noted_at')
      .orderBy('id')
      .limit(REVOCATION_PAGE + 1)
      .execute();
  });
  const more = rows.length > REVOCATION_PAGE;
  const page = rows.slice(0, REVOCATION_PAGE);
  const last = page.at(-1);
  const next = more && last ? `${time} ${Number(last.noted_at)} ${textOf(last.id)}` : `${time}`;
  return { revocations: page.map(revocationOf), cursor: next, more };
}

async function timeOf(database: SqlDatabase): Promise<number> {
  const query = sql<{ time: unknown }>`select ${database.dialect.now} as time`;
  const { rows } = await database.read((db) => query.execute(db));
  return Number(rows[0]?.time);
}

function positionOf(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [started = '0', notedAt, id] = cursor.split(' ');
  return {
    started: Number(started),
    after: notedAt === undefined || id === undefined ? undefined : [Number(notedAt), id],
  };
}

const idOf = ({ kind, issuer, name }: Revocation): string =>
  sha256(`${kind} ${issuer.length} ${issuer} ${name}`);

const rowOf = (revocation: Revocation): NewRevocation => {
  const { kind, issuer, name, at, until } = revocation;
  return { id: idOf(revocation), kind, issuer, name, revoked_at: at, ends_at: until };
};

const revocationOf = ({ kind, issuer, name, revoked_at: at, ends_at: until }: RevocationRow): Revocation => ({
  kind: textOf(kind) as Revocation['kind'],
  issuer: textOf(issuer),
  name: textOf(name),
  at: Number(at),
  until: Number(until),
});
