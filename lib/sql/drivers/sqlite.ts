import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { type Dialect, type SqliteDatabase, SqliteDialect } from 'kysely';
import type libsql from 'libsql';

import { isConflict } from '../sql-error.js';
import { loadDriver } from './load-driver.js';

/**
 * How long a statement waits for another process's write, in milliseconds. Short, because nothing else in this process
 * goes on meanwhile; the transaction is tried again after a pause in which it does.
 */
const BUSY_MS = 20;
const OPEN_MS = 5_000;
const PAUSE_MS = 20;

type Database = InstanceType<typeof libsql>;
type Statement = ReturnType<SqliteDatabase['prepare']>;

/** One connection to a file by `libsql`; the file is made at its first use, for this user only. */
export async function sqliteDialect(path: string): Promise<Dialect> {
  const { default: Database } = await loadDriver('libsql', () => import('libsql'));
  return new SqliteDialect({
    database: async () => {
      if (path !== ':memory:') prepareFile(path);
      const database = new Database(path);
      try {
        database.exec(`pragma busy_timeout = ${BUSY_MS}`);
        // A revocation that was answered must outlive a loss of power.
        database.exec('pragma synchronous = full');
        await patiently(() => database.prepare('pragma journal_mode = wal').all([]));
      } catch (error) {
        database.close();
        throw error;
      }
      return {
        prepare: (text) => statement(database, text),
        close: () => database.close(),
      };
    },
  });
}

/**
 * `libsql` leaves a prepared statement open that met another's lock, and until it is collected as garbage nothing of its connection is
 * committed. So what may meet one is not prepared: beginning and ending a transaction, in which each change is made.
 */
function statement(database: Database, text: string): Statement {
  if (/^(begin|commit|rollback)/.test(text)) return unprepared(() => database.exec(text));
  const prepared = database.prepare(text);
  if (/^select\b/.test(text)) return prepared;
  return {
    reader: prepared.reader,
    all: (parameters) => changing(database, () => prepared.all(parameters)),
    run: (parameters) => changing(database, () => prepared.run(parameters)),
    iterate: (parameters) => prepared.iterate(parameters),
  };
}

function unprepared(run: () => void): Statement {
  return {
    reader: false,
    all: () => [],
    run: () => {
      run();
      return { changes: 0, lastInsertRowid: 0 };
    },
    iterate: () => [][Symbol.iterator](),
  };
}

function changing<T>(database: Database, change: () => T): T {
  if (database.inTransaction) return change();
  database.exec('begin immediate');
  try {
    const outcome = change();
    database.exec('commit');
    return outcome;
  } catch (error) {
    if (database.inTransaction) database.exec('rollback');
    throw error;
  }
}

function prepareFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}

/** The journal's mode cannot be set while another process does so, and waiting for that is not built in. */
async function patiently(work: () => unknown): Promise<void> {
  const deadline = performance.now() + OPEN_MS;
  for (;;) {
    try {
      work();
      return;
    } catch (error) {
      if (!isConflict(error) || performance.now() > deadline) throw error;
    }
    await delay(Math.random() * PAUSE_MS);
  }
}
