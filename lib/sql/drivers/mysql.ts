import { CompiledQuery, type Dialect, MysqlDialect, type MysqlPool, type MysqlPoolConnection } from 'kysely';
import type { Pool, PoolConnection } from 'mysql2';

import { GRACE_MS, loadDriver, type PoolSettings } from './load-driver.js';

/** Requests that may wait for a connection. */
const MAX_WAITING = 10_000;

/** A pool of connections by `mysql2`. */
export async function mysqlDialect(url: string, settings: PoolSettings): Promise<Dialect> {
  const { default: mysql } = await loadDriver('mysql2', () => import('mysql2'));
  const pool = mysql.createPool({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    charset: 'utf8mb4',
    connectionLimit: settings.poolSize,
    connectTimeout: settings.connectTimeoutMs,
    queueLimit: MAX_WAITING,
    enableKeepAlive: true,
  });
  return new MysqlDialect({
    pool: new GuardedPool(pool, settings),
    onCreateConnection: async (connection) => {
      const seconds = Math.ceil(settings.statementTimeoutMs / 1_000);
      // What does not fit is refused, not cut; and no other mode gets in the way of the driver's quoting.
      const modes = `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = ${seconds}`;
      await connection.executeQuery(CompiledQuery.raw(modes));
    },
  });
}

/** Bounds the wait for a connection and for an answer, neither of which the driver does by itself. */
class GuardedPool implements MysqlPool {
  /** Connections that there are. */
  readonly #guarded = new Map<PoolConnection, MysqlPoolConnection>();

  constructor(
    private readonly pool: Pool,
    private readonly settings: PoolSettings,
  ) {}

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    const nothing = undefined as unknown as MysqlPoolConnection;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      callback(new Error('no connection to the database within the time'), nothing);
    }, this.settings.connectTimeoutMs);
    this.pool.getConnection((error, connection) => {
      clearTimeout(timer);
      if (late) {
        if (!error) connection.release();
      } else if (error) callback(error, nothing);
      else callback(null, this.#guard(connection));
    });
  }

  /** A connection that is lost, or was never made, is ended too, and one that does not answer is not waited for. */
  end(callback: (error: unknown) => void): void {
    let ended = false;
    const finish = () => {
      if (!ended) callback(null);
      ended = true;
      clearTimeout(timer);
    };
    const timer = setTimeout(() => {
      for (const connection of this.#guarded.keys()) connection.destroy();
      finish();
    }, this.settings.connectTimeoutMs);
    this.pool.end(finish);
  }

  #guard(connection: PoolConnection): MysqlPoolConnection {
    const known = this.#guarded.get(connection);
    if (known) return known;
    const timeout = this.settings.statementTimeoutMs + GRACE_MS;
    const forget = () => this.#guarded.delete(connection);
    let broken = false;
    const guard = {
      query(sql: string, values: unknown[], callback: (error: unknown, result: never) => void): void {
        if (broken) {
          callback(new Error('the connection did not answer in time'), undefined as never);
          return;
        }
        connection.query({ sql, values, timeout }, (error, result) => {
          broken ||= (error as { code?: string } | null)?.code === 'PROTOCOL_SEQUENCE_TIMEOUT';
          callback(error, result as never);
        });
      },
      release(): void {
        // What comes next on it would wait behind what was not answered.
        if (!broken) connection.release();
        else {
          forget();
          connection.destroy();
        }
      },
    } as MysqlPoolConnection;
    this.#guarded.set(connection, guard);
    connection.once('end', forget).once('error', forget);
    return guard;
  }
}
