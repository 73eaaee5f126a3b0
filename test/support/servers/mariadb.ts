import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import mysql from 'mysql2/promise';

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

const PASSWORD = 'p@ss:word/ä with spaces';

/** Starts MariaDB with an empty database. @throws Error with the command that installs it */
export async function startMariadb(): Promise<DatabaseServer> {
  const find = (...paths: string[]) => serverBinary(paths, 'mariadb-server');
  const install = await find('/usr/bin/mariadb-install-db', 'mariadb-install-db');
  const mariadbd = await find('/usr/sbin/mariadbd', 'mariadbd');
  const user = serverUser();
  const folder = serverFolder('mariadb', user);
  const [data, socket] = [join(folder, 'data'), join(folder, 'socket')];
  await runAs(
    user,
    install,
    ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    folder,
  );
  const port = await freePort();
  const url = `mariadb://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/app`;
  const command = [
    mariadbd,
    '--no-defaults',
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${socket}`,
    '--skip-name-resolve',
    // What was committed outlives a crash of the server, though not one of the machine.
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-buffer-pool-size=32M',
  ] as const;
  let child: ChildProcess | undefined;
  const server: DatabaseServer = {
    port,
    url,
    password: PASSWORD,
    async start() {
      child ??= await launch(user, command, folder, () => answers(socket));
    },
    async stop() {
      const running = child;
      child = undefined;
      if (running) await kill(running, 'SIGKILL');
    },
    async close() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Makes the user and the database too, if they are not there yet. */
async function answers(socket: string): Promise<void> {
  const connection = await mysql.createConnection({ socketPath: socket, user: 'root' });
  try {
    await connection.query('create database if not exists app character set utf8mb4');
    await connection.query(`create user if not exists app@127.0.0.1 identified by '${PASSWORD}'`);
    await connection.query('grant all on app.* to app@127.0.0.1');
  } finally {
    await connection.end();
  }
}
