import { sql } from 'kysely';

import type { StoredKeyRing } from '../authentication/jwt/key-ring-store.js';
import type { Revocation, RevocationPage } from '../authentication/jwt/revocation-store.js';
import {
  MAX_SESSIONS_OF_SUBJECT,
  type RefreshTokenDigests,
  type Rotation,
  type RotationOutcome,
  type TokenSession,
} from '../authentication/jwt/session-store.js';
import type { TokenStore } from '../authentication/jwt/token-store.js';
import { sha256 } from '../authentication/sha256.js';
import { isStorable, textOf } from './column-text.js';
import { DatabaseUse } from './database-use.js';
import { readRevocations, writeRevocations } from './revocations.js';
import { columnsOf, sessionOf } from './session-row.js';
import type { SqlDatabase } from './sql-database.js';
import type { SqlTransaction } from './sql-dialect.js';
import type { SessionRow } from './sql-schema.js';

/** Sessions that one statement removes. */
const CHUNK = 500;

/**
 * Sessions, revocations and signing keys in PostgreSQL, MySQL, MariaDB or SQLite, beside the API keys. The tables come by
 * themselves at the first use, unless the database was opened with `migrate: false`.
 *
 * @example
 * const database = await openSqlDatabase('postgres://app@db.internal/app');
 * SecurityModule.forRoot({ jwt, tokens: { store: new SqlTokenStore(database) } })
 */
export class SqlTokenStore implements TokenStore {
  /** There for PostgreSQL that was opened by URL, or with `listen`. */
  declare readonly subscribe?: NonNullable<TokenStore['subscribe']>;
  readonly #database: SqlDatabase;
  readonly #use: DatabaseUse;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.#use = new DatabaseUse(database);
    const { listenUrl, tables } = database;
    if (listenUrl === undefined) return;
    this.subscribe = (listener) => this.#use.listen(listenUrl, tables.revocations, listener, listener);
  }

  async createSession(session: TokenSession, { family, token }: RefreshTokenDigests): Promise<void> {
    const { sessions } = this.#database.tables;
    const row = { ...columnsOf(session), family, newest: token };
    await this.#database.write(async (db) => {
      await db.insertInto(sessions).values(row).execute();
      const surplus = await db
        .selectFrom(sessions)
        .select('id')
        .where('subject', '=', session.subject)
        .orderBy('last_used_at', 'desc')
        .orderBy('id')
        .limit(CHUNK)
        .offset(MAX_SESSIONS_OF_SUBJECT)
        .execute();
      await this.#remove(db, surplus.map(idOf));
    });
  }

  async findSession(family: string, now: number): Promise<TokenSession | undefined> {
    if (!isStorable(family)) return undefined;
    const { sessions } = this.#database.tables;
    const row = await this.#database.read((db) =>
      db
        .selectFrom(sessions)
        .selectAll()
        .where('family', '=', family)
        .where('idle_until', '>', now)
        .executeTakeFirst(),
    );
    return row && sessionOf(row);
  }

  async rotateSession(rotation: Rotation): Promise<RotationOutcome> {
    const { family, token } = rotation.presented;
    if (!isStorable(family) || !isStorable(token)) return { status: 'unknown' };
    // One statement for what nearly every refresh comes to.
    return (await this.#replaceNewest(rotation)) ? { status: 'rotated' } : this.#judgeSpent(rotation);
  }

  async endSession(sessionId: string, revocation: Revocation): Promise<TokenSession | undefined> {
    const { sessions } = this.#database.tables;
    return this.#database.write(async (db) => {
      const row = isStorable(sessionId)
        ? await this.#locking(
            db.selectFrom(sessions).selectAll().where('id', '=', sessionId),
          ).executeTakeFirst()
        : undefined;
      if (row) await this.#remove(db, [sessionId]);
      await writeRevocations(this.#database, db, [revocation]);
      return row && sessionOf(row);
    });
  }

  async endSessionsOf(subject: string, revocation: Revocation): Promise<readonly TokenSession[]> {
    const { sessions } = this.#database.tables;
    return this.#database.write(async (db) => {
      // In one order, so that two who do this at the same time wait for each other instead of both.
      const rows = await this.#locking(
        db.selectFrom(sessions).selectAll().where('subject', '=', subject).orderBy('id'),
      ).execute();
      const ended = rows.map(sessionOf);
      await this.#remove(
        db,
        ended.map(({ id }) => id),
      );
      const each = ended.map(({ id }): Revocation => ({ ...revocation, kind: 'session', name: id }));
      await writeRevocations(this.#database, db, [revocation, ...each]);
      return ended;
    });
  }

  async listSessions(subject: string, now: number): Promise<readonly TokenSession[]> {
    if (!isStorable(subject)) return [];
    const { sessions } = this.#database.tables;
    const rows = await this.#database.read((db) =>
      db
        .selectFrom(sessions)
        .selectAll()
        .where('subject', '=', subject)
        .where('idle_until', '>', now)
        .orderBy('last_used_at', 'desc')
        .orderBy('id')
        .limit(MAX_SESSIONS_OF_SUBJECT)
        .execute(),
    );
    return rows.map(sessionOf);
  }

  async revoke(revocation: Revocation): Promise<void> {
    await this.#database.write((db) => writeRevocations(this.#database, db, [revocation]));
  }

  revocationsSince(cursor: string | undefined, now: number): Promise<RevocationPage> {
    return readRevocations(this.#database, cursor, now);
  }

  async keyRing(issuer: string): Promise<StoredKeyRing | undefined> {
    const { keyRings } = this.#database.tables;
    const row = await this.#database.read((db) =>
      db.selectFrom(keyRings).selectAll().where('id', '=', sha256(issuer)).executeTakeFirst(),
    );
    return row && { version: row.version, content: textOf(row.content) };
  }

  async replaceKeyRing(issuer: string, { version, content }: StoredKeyRing): Promise<boolean> {
    const { tables, dialect, kind } = this.#database;
    const id = sha256(issuer);
    return this.#database.write(async (db) => {
      const replaced =
        version === 1
          ? await dialect.addKeyRing(db, tables, { id, version, content })
          : await db
              .updateTable(tables.keyRings)
              .set({ version, content })
              .where('id', '=', id)
              .where('version', '=', version - 1)
              .executeTakeFirst()
              .then(({ numUpdatedRows }) => numUpdatedRows === 1n);
      if (replaced && kind === 'postgres') await sql`select pg_notify(${tables.revocations}, '')`.execute(db);
      return replaced;
    });
  }

  async purge(now: number, limit: number): Promise<number> {
    const { sessions, revocations } = this.#database.tables;
    return this.#database.write(async (db) => {
      const lapsed = await this.#locking(
        db
          .selectFrom(sessions)
          .select('id')
          .where('idle_until', '<=', now)
          .orderBy('id')
          .limit(Math.min(limit, CHUNK)),
      ).execute();
      await this.#remove(db, lapsed.map(idOf));
      const over = await this.#locking(
        db
          .selectFrom(revocations)
          .select('id')
          .where('ends_at', '<=', now)
          .orderBy('id')
          .limit(Math.min(limit, CHUNK) - lapsed.length),
      ).execute();
      if (over.length > 0) await db.deleteFrom(revocations).where('id', 'in', over.map(idOf)).execute();
      return lapsed.length + over.length;
    });
  }

  close(): Promise<void> {
    return this.#use.end();
  }

  async #replaceNewest(rotation: Rotation): Promise<boolean> {
    const { presented, successor, grace, now, idleUntil, address } = rotation;
    const { sessions } = this.#database.tables;
    const end = sql<number>`case when expires_at < ${sql.lit(idleUntil)} then expires_at else ${sql.lit(idleUntil)} end`;
    const { numUpdatedRows } = await this.#database.read((db) =>
      db
        .updateTable(sessions)
        .set({
          newest: successor,
          previous: grace ? presented.token : null,
          salt: grace?.salt ?? null,
          grace_until: grace?.until ?? null,
          last_used_at: now,
          idle_until: end,
          ...(address !== undefined && { last_address: address }),
        })
        .where('family', '=', presented.family)
        .where('newest', '=', presented.token)
        .where('idle_until', '>', now)
        .executeTakeFirst(),
    );
    return numUpdatedRows === 1n;
  }

  /** What holds of a token that was not the newest a moment ago, and so never will be again. */
  #judgeSpent({ presented, now, ifReused }: Rotation): Promise<RotationOutcome> {
    const { sessions } = this.#database.tables;
    return this.#database.write(async (db): Promise<RotationOutcome> => {
      const row = await this.#locking(
        db
          .selectFrom(sessions)
          .selectAll()
          .where('family', '=', presented.family)
          .where('idle_until', '>', now),
      ).executeTakeFirst();
      if (!row) return { status: 'unknown' };
      const isPrevious = row.previous !== null && textOf(row.previous) === presented.token;
      if (isPrevious && now < Number(row.grace_until)) return { status: 'repeated', salt: textOf(row.salt) };
      await this.#remove(db, [textOf(row.id)]);
      await writeRevocations(this.#database, db, [ifReused]);
      return { status: 'reused', session: sessionOf(row) };
    });
  }

  async #remove(db: SqlTransaction, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await db.deleteFrom(this.#database.tables.sessions).where('id', 'in', ids).execute();
  }

  /** Rows that nobody else changes until the transaction is through. */
  #locking<Q extends { forUpdate(): Q }>(query: Q): Q {
    return this.#database.dialect.locksRows ? query.forUpdate() : query;
  }
}

const idOf = ({ id }: Pick<SessionRow, 'id'>): string => textOf(id);
