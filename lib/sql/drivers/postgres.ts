import {
  CompiledQuery,
  type Dialect,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
} from 'kysely';

import { GRACE_MS, loadDriver, type PoolSettings } from './load-driver.js';

/** A pool of connections by `pg`. */
export async function postgresDialect(url: string, settings: PoolSettings): Promise<Dialect> {
  const { poolSize, connectTimeoutMs, statementTimeoutMs } = settings;
  const { default: pg } = await loadDriver('pg', () => import('pg'));
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs + GRACE_MS,
    keepAlive: true,
    allowExitOnIdle: true,
    application_name: 'nestjs-api-security',
  });
  // A connection that is lost is replaced. Without a listener it would end the process: for those that are idle the pool
  // is told, for those at work the connection alone.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new PostgresDialect({
    pool: {
      connect: async () => guarded(await pool.connect()),
      end: () => pool.end(),
    } satisfies PostgresPool,
    onCreateConnection: async (connection) => {
      // Not when connecting: poolers in between refuse settings that they do not know.
      const timeouts = `set statement_timeout = ${statementTimeoutMs}; set idle_in_transaction_session_timeout = ${statementTimeoutMs + GRACE_MS}`;
      await connection.executeQuery(CompiledQuery.raw(timeouts));
    },
  });
}

type Client = PostgresPoolClient & {
  release(broken?: boolean): void;
  /** Ours, kept so that a connection is set up once. */
  guard?: PostgresPoolClient;
};

/** Lets go of a connection that did not answer in time: what comes next on it would wait behind that. */
function guarded(given: object): PostgresPoolClient {
  const client = given as Client;
  let broken = false;
  const query = async (text: unknown, values?: unknown): Promise<unknown> => {
    if (broken) throw new Error('the connection did not answer in time');
    try {
      return await client.query(text as string, values as unknown[]);
    } catch (error) {
      broken ||= error instanceof Error && error.message === 'Query read timeout';
      throw error;
    }
  };
  client.guard ??= { query: query as PostgresPoolClient['query'], release: () => client.release(broken) };
  return client.guard;
}
