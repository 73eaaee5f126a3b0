import { fileURLToPath } from 'node:url';

import { type Dialect, Kysely } from 'kysely';

import { type Duration, parseDuration } from '../configuration/units.js';
import type { PoolSettings } from './drivers/load-driver.js';
import { mysqlDialect } from './drivers/mysql.js';
import { postgresDialect } from './drivers/postgres.js';
import { sqliteDialect } from './drivers/sqlite.js';
import { SqlDatabase } from './sql-database.js';
import { type SqlKind, type SqlSchema, tablesWith } from './sql-schema.js';

/** A database that the application has opened itself, by a `Kysely` or a dialect of Kysely. */
export type SqlSource =
  | string
  | {
      /** A `Kysely`, whatever its tables. Stays open when the store is closed; its plugins are not used. */
      readonly kysely: { withoutPlugins(): object };
      readonly kind: SqlKind;
    }
  | {
      /** Closed with the last store. */
      readonly dialect: Dialect;
      readonly kind: SqlKind;
    };

/** How a database is used. */
export interface SqlDatabaseOptions {
  /** What the names of the tables begin with; `'security_'` by default. */
  readonly tablePrefix?: string;
  /** Whether stores create and change the tables by themselves, at their first use; true by default. */
  readonly migrate?: boolean;
  /** Most connections at once, 10 by default; for databases that are opened by URL, and not for SQLite, which has one. */
  readonly poolSize?: number;
  /** Longest wait for a connection, `'2s'` by default; for databases that are opened by URL. */
  readonly connectTimeout?: Duration;
  /** Longest time for one statement, `'5s'` by default, and longest that transactions which meet others are tried again. */
  readonly statementTimeout?: Duration;
  /**
   * PostgreSQL only: URL of a connection on which changes are listened to, past any pooler; by default that of the database.
   * `false` listens to none, and neither does a database that was not opened by URL: changes count from the end of
   * `cacheTtl` on.
   */
  readonly listen?: string | false;
}

const KINDS: Readonly<Record<string, SqlKind>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'file:': 'sqlite',
  'sqlite:': 'sqlite',
};
const USAGE = 'use postgres://…, mysql://…, mariadb://…, file:/path.db, sqlite:path.db or :memory:';

/**
 * Opens a database for `SqlApiKeyStore`. Connects when it is first used, not before.
 *
 * @param source `postgres://`, `postgresql://`, `mysql://`, `mariadb://`, `file:`, `sqlite:`, `:memory:`; or a database of the application's own
 * @throws TypeError for a URL or an option that is none; Error if the driver is not installed; neither quotes the URL
 *
 * @example
 * const store = new SqlApiKeyStore(await openSqlDatabase(process.env.DATABASE_URL));
 */
export async function openSqlDatabase(
  source: SqlSource,
  options: SqlDatabaseOptions = {},
): Promise<SqlDatabase> {
  const { tablePrefix = 'security_', migrate = true, poolSize = 10, listen } = options;
  const tables = tablesWith(tablePrefix);
  if (!Number.isSafeInteger(poolSize) || poolSize < 1)
    throw new TypeError('poolSize must be a whole number from 1 on');
  const pool: PoolSettings = {
    poolSize,
    connectTimeoutMs: milliseconds('connectTimeout', options.connectTimeout ?? '2s'),
    statementTimeoutMs: milliseconds('statementTimeout', options.statementTimeout ?? '5s'),
  };
  const url = typeof source === 'string' ? source : undefined;
  const kind = typeof source === 'string' ? kindOf(source) : source.kind;
  if (!Object.values(KINDS).includes(kind))
    throw new TypeError('kind must be "postgres", "mysql" or "sqlite"');
  const listenUrl = listen === false ? undefined : (listen ?? url);
  if (listen && kindOf(listen) !== 'postgres') throw new TypeError('listen must be a URL of PostgreSQL');
  return new SqlDatabase({
    kind,
    kysely: await kyselyOf(source, kind, pool),
    tables,
    migrates: migrate,
    owned: typeof source === 'string' || 'dialect' in source,
    patienceMs: pool.statementTimeoutMs,
    listenUrl,
    secrets: [url, listenUrl].flatMap(secretsOf),
  });
}

async function kyselyOf(source: SqlSource, kind: SqlKind, pool: PoolSettings): Promise<Kysely<SqlSchema>> {
  if (typeof source === 'object' && 'kysely' in source) {
    return source.kysely.withoutPlugins() as Kysely<SqlSchema>;
  }
  const dialect = typeof source === 'string' ? await dialectOf(source, kind, pool) : source.dialect;
  return new Kysely<SqlSchema>({ dialect });
}

function dialectOf(url: string, kind: SqlKind, pool: PoolSettings): Promise<Dialect> {
  if (kind === 'postgres') return postgresDialect(url, pool);
  return kind === 'mysql' ? mysqlDialect(url, pool) : sqliteDialect(pathOf(url));
}

function kindOf(url: string): SqlKind {
  if (url === ':memory:') return 'sqlite';
  const kind = KINDS[/^[a-z]+:/.exec(url)?.[0] ?? ''];
  // What `URL` throws has the whole URL in it.
  if (kind === undefined || (kind !== 'sqlite' && !(/^[a-z]+:\/\//.test(url) && URL.canParse(url)))) {
    throw new TypeError(`the URL of the database is not understood: ${USAGE}`);
  }
  return kind;
}

function pathOf(url: string): string {
  if (url === ':memory:') return url;
  if (url.startsWith('file://')) return fileURLToPath(url);
  const path = url.slice(url.indexOf(':') + 1).replace(/^\/\/(?=\/)/, '');
  if (path === '' || path.includes('?'))
    throw new TypeError(`the URL of the database names no file: ${USAGE}`);
  return path;
}

/** The password as it is written, and as it is meant. */
function secretsOf(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { password } = new URL(url);
  if (password === '') return [];
  try {
    return [url, password, decodeURIComponent(password)];
  } catch {
    return [url, password];
  }
}

function milliseconds(name: string, value: Duration): number {
  const parsed = parseDuration(value);
  if (parsed === undefined || parsed === 0) throw new TypeError(`${name} must be a duration such as "5s"`);
  return parsed;
}
