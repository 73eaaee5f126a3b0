import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Redis } from 'ioredis';

import { launchRedis, type RedisServer, startRedis } from './redis.js';
import { serverBinary } from './server-binary.js';
import { freePort, kill } from './server-process.js';

/** A master, its replica, and a sentinel that makes the replica the master when the other is gone. */
export interface RedisSentinel {
  /** What the sentinel calls the master. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  close(): Promise<void>;
}

/** Starts all three; the replica follows. @throws Error with the command that installs the server */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const binary = await serverBinary(['redis-server', 'valkey-server'], 'redis-server');
  const [master, replica] = await Promise.all([startRedis(), startRedis()]);
  await follow(replica, master);
  const [name, host, port] = ['main', '127.0.0.1', await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-'));
  const file = join(folder, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      `bind ${host}`,
      `dir ${folder}`,
      `sentinel monitor ${name} ${host} ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 2000`,
      '',
    ].join('\n'),
  );
  const child = await launchRedis(binary, [file, '--sentinel'], `redis://${host}:${port}`);
  await untilFound(host, port, name);
  return {
    name,
    host,
    port,
    master,
    replica,
    async close() {
      await kill(child, 'SIGKILL');
      await Promise.all([master.close(), replica.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  const client = new Redis(replica.url);
  try {
    await client.replicaof('127.0.0.1', master.port);
    await until(async () => (await client.info('replication')).includes('master_link_status:up'));
  } finally {
    client.disconnect();
  }
}

/** A sentinel hears of replicas from the master, in its own time. */
async function untilFound(host: string, port: number, name: string): Promise<void> {
  const client = new Redis(port, host);
  try {
    await until(async () => ((await client.call('SENTINEL', 'REPLICAS', name)) as unknown[]).length === 1);
  } finally {
    client.disconnect();
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('the servers did not come together');
    await delay(50);
  }
}
