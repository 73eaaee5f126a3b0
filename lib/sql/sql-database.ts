import { setTimeout as delay } from 'node:timers/promises';

import type { Kysely } from 'kysely';

import { migrate } from './migrator.js';
import { dialectOf, type SqlDialect, type SqlTransaction } from './sql-dialect.js';
import { isConflict, SqlError, sqlErrorOf } from './sql-error.js';
import type { SqlKind, SqlSchema, SqlTables } from './sql-schema.js';

/** Longest pause before a transaction that met another is tried again, in milliseconds. */
const MAX_PAUSE_MS = 50;

/** @internal What a database is made of. */
export interface SqlDatabaseParts {
  readonly kind: SqlKind;
  readonly kysely: Kysely<SqlSchema>;
  readonly tables: SqlTables;
  /** Whether stores bring the schema up to date at their first use. */
  readonly migrates: boolean;
  /** Whether `close()` ends the connections. */
  readonly owned: boolean;
  /** How long transactions that meet others are tried again, in milliseconds. */
  readonly patienceMs: number;
  /** Where PostgreSQL can be listened to. */
  readonly listenUrl: string | undefined;
  /** What no error may quote. */
  readonly secrets: readonly string[];
}

/** A database that stores keep their tables in; `openSqlDatabase()` opens one. Several stores may share it. */
export class SqlDatabase {
  readonly kind: SqlKind;
  /** @internal */
  readonly tables: SqlTables;
  /** @internal */
  readonly dialect: SqlDialect;
  readonly #parts: SqlDatabaseParts;
  #users = 0;
  #ready: Promise<unknown> | undefined;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(parts: SqlDatabaseParts) {
    this.#parts = parts;
    this.kind = parts.kind;
    this.tables = parts.tables;
    this.dialect = dialectOf(parts.kind);
  }

  /**
   * Creates the tables, or adds what this version of the package needs; does no harm if it runs twice, or in many processes
   * at once. A schema that is newer is left as it is, and works.
   *
   * @returns names of the migrations that were applied
   * @throws SqlError
   */
  migrate(): Promise<readonly string[]> {
    const { kysely, tables } = this.#parts;
    return this.#attempt(() => migrate(kysely, tables, this.dialect));
  }

  /** Ends all connections, unless the application brought its own `Kysely`. Stores do so when the last of them is closed. */
  close(): Promise<void> {
    this.#closed ??= this.#parts.owned ? this.#parts.kysely.destroy() : Promise.resolve();
    return this.#closed;
  }

  /** @internal A store begins to use it. */
  retain(): void {
    this.#users++;
  }

  /** @internal A store uses it no more. */
  async release(): Promise<void> {
    if (--this.#users === 0) await this.close();
  }

  /** @internal Where PostgreSQL can be listened to, if it is one. */
  get listenUrl(): string | undefined {
    return this.kind === 'postgres' ? this.#parts.listenUrl : undefined;
  }

  /** @internal Asks, outside of a transaction. @throws SqlError */
  async read<T>(question: (db: Kysely<SqlSchema>) => Promise<T>): Promise<T> {
    await this.#prepared();
    return this.#attempt(() => question(this.#parts.kysely));
  }

  /** @internal Does all of it or nothing, once more if another transaction was in the way. @throws SqlError */
  async write<T>(work: (db: SqlTransaction) => Promise<T>): Promise<T> {
    await this.#prepared();
    return this.#attempt(() => this.dialect.transaction(this.#parts.kysely, work));
  }

  /** @internal An error as it may be shown. */
  errorOf(error: unknown): SqlError {
    return sqlErrorOf(error, this.#parts.secrets);
  }

  /** Stores wait for the schema; what failed is tried again with the next call. */
  async #prepared(): Promise<void> {
    if (!this.#parts.migrates) return;
    this.#ready ??= this.migrate();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#parts.patienceMs;
    for (let pause = 2; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!isConflict(error) || performance.now() > deadline) throw this.errorOf(error);
      }
      await delay(Math.random() * pause);
    }
  }
}
