import type { ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { serverBinary } from './server-binary.js';
import {
  type DatabaseServer,
  freePort,
  kill,
  launch,
  runAs,
  serverFolder,
  serverUser,
} from './server-process.js';

export type PostgresServer = DatabaseServer;

const PASSWORD = 'p@ss:word/ä with spaces';
/** What was committed outlives a crash of the server, though not one of the machine. */
const FAST = { fsync: 'off', full_page_writes: 'off', shared_buffers: '16MB' };

/** Starts PostgreSQL with an empty database. @throws Error with the command that installs it */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<DatabaseServer> {
  const find = (name: string) => serverBinary([`/usr/lib/postgresql/*/bin/${name}`, name], 'postgresql');
  const [initdb, postgres] = [await find('initdb'), await find('postgres')];
  const user = serverUser();
  const folder = serverFolder('postgres', user);
  const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
  writeFileSync(passwordFile, PASSWORD, { mode: 0o644 });
  await runAs(
    user,
    initdb,
    [
      '-D',
      data,
      '-U',
      'app',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ],
    folder,
  );
  const port = await freePort();
  const url = `postgres://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`;
  const all = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ...FAST,
    ...settings,
  };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let child: ChildProcess | undefined;
  const server: DatabaseServer = {
    port,
    url,
    password: PASSWORD,
    async start() {
      child ??= await launch(user, [postgres, '-D', data, ...options], folder, () => answers(url));
    },
    async stop() {
      const running = child;
      child = undefined;
      // Ends the connections' processes too, which would outlive a SIGKILL.
      if (running) await kill(running, 'SIGQUIT');
    },
    async close() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

async function answers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
