import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { type Redis, Redis as RedisClient } from 'ioredis';

import { serverBinary } from './server-binary.js';
import { freePort, kill } from './server-process.js';

/** A real server in a process of its own, on a free port of 127.0.0.1. */
export interface RedisServer {
  readonly port: number;
  /** Where nodes of a cluster talk to each other. */
  readonly busPort: number;
  /** `redis://…`, with the password if there is one. */
  readonly url: string;
  /** Kills it, as a crash would, and waits until it is gone. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with what it has on disk. */
  start(): Promise<void>;
  /** Stops it and removes its files. */
  close(): Promise<void>;
}

export interface RedisServerOptions {
  /** Whether writes are in an append-only file before they are answered, and so outlive `stop()`; not by default. */
  readonly persistent?: boolean;
  readonly password?: string;
  /** Further settings of the server, such as `'maxmemory-policy': 'allkeys-lru'`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Whether it is to be a node of a cluster. */
  readonly clustered?: boolean;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a server that answers. @throws Error with the command that installs one */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let tries = 5; ; tries--) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // A port that was free a moment ago: connections of other tests take theirs from the same ones.
      if (tries === 1 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function startOnFreePorts(options: RedisServerOptions): Promise<RedisServer> {
  const { persistent = false, password, clustered = false } = options;
  const binary = await serverBinary(['redis-server', 'valkey-server'], 'redis-server');
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const [port, busPort] = [await freePort(), await freePort()];
  const credentials = password === undefined ? '' : `:${password}@`;
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    daemonize: 'no',
    save: '',
    appendonly: persistent ? 'yes' : 'no',
    appendfsync: 'always',
    loglevel: 'warning',
    ...(password === undefined ? {} : { requirepass: password }),
    // By default it is 10 000 above the port, which would not do for a high one.
    ...(clustered ? { 'cluster-enabled': 'yes', 'cluster-port': busPort } : {}),
    ...options.settings,
  };
  const command = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let child: ChildProcess | undefined;
  const url = `redis://${credentials}127.0.0.1:${port}`;
  const server: RedisServer = {
    port,
    busPort,
    url,
    async start() {
      child ??= await launchRedis(binary, command, url, options.env);
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
  await server.start().catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  return server;
}

/** Three masters that share the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  close(): Promise<void>;
}

/** Starts a cluster that answers. @throws Error with the command that installs the server */
export async function startRedisCluster(env: RedisServerOptions['env'] = {}): Promise<RedisCluster> {
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis({ env, clustered: true })));
  const bounds = [0, 5_461, 10_923, 16_384];
  const clients = nodes.map(({ url }) => new RedisClient(url));
  try {
    for (const [index, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', bounds[index]!, bounds[index + 1]! - 1);
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      if (index > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', nodes[0]!.port, nodes[0]!.busPort);
    }
    await Promise.all(clients.map(untilWhole));
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    nodes,
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

async function untilWhole(client: Redis): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const info = String(await client.call('CLUSTER', 'INFO'));
    if (info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')) return;
    if (Date.now() > deadline) throw new Error(`the cluster did not come together: ${info}`);
    await delay(50);
  }
}

/** Starts a program and waits until it answers. */
export async function launchRedis(
  binary: string,
  args: readonly string[],
  url: string,
  env: RedisServerOptions['env'] = {},
): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  // Nobody is left to stop it if the test process ends early.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)));
  const client = new RedisClient(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  const deadline = Date.now() + 10_000;
  for (;;) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await kill(child, 'SIGKILL');
      throw new Error(`${binary} did not start: ${output}`);
    }
    try {
      await client.connect();
      await client.ping();
      client.disconnect();
      return child;
    } catch {
      client.disconnect();
      await delay(20);
    }
  }
}
