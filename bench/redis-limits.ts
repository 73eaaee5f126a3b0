// Limits in Redis side by side: checks per second of 64 callers against one real server, and commands per check.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import { createMeter, type LimitMeter } from 'nestjs-api-security';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { RateLimiterRedis } from 'rate-limiter-flexible';

import { median } from './measure/statistics.js';

const CALLERS = 64;
const SUBJECTS = 1_000;
const ROUNDS = 9;
const ROUND_MS = 600;
const LIMIT = 100_000_000;
const WINDOWS = [1_000, 60_000, 3_600_000];
const PEER = '@nest-lab/throttler-storage-redis@1.2.0';
/** Checks after which a caller whose answers are there at once lets the event loop turn, as a server's requests do. */
const TURN = 50;

interface Contestant {
  readonly name: string;
  readonly check: (subject: string) => unknown;
  readonly close: () => unknown;
}

interface ThrottlerStorage {
  increment(key: string, ttl: number, limit: number, blockMs: number, name: string): Promise<unknown>;
}

async function startServer(): Promise<{ child: ChildProcess; port: number }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return { child, port };
}

/** Its peer range stops before this version of Nest, so it gets a folder of its own. */
function installPeer(): {
  folder: string;
  service: new (client: unknown) => ThrottlerStorage;
  Client: typeof Redis;
} {
  const folder = mkdtempSync(join(tmpdir(), 'redis-limits-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const flags = ['--prefix', folder, '--force', '--no-audit', '--no-fund', '--loglevel', 'error'];
  execFileSync('npm', ['install', ...flags, PEER, 'ioredis@6.0.0'], { stdio: 'inherit' });
  const require = createRequire(join(folder, 'index.js'));
  const { ThrottlerStorageRedisService } = require('@nest-lab/throttler-storage-redis') as {
    ThrottlerStorageRedisService: new (client: unknown) => ThrottlerStorage;
  };
  const { Redis: Client } = require('ioredis') as { Redis: typeof Redis };
  return { folder, service: ThrottlerStorageRedisService, Client };
}

const meters = (count: number, mode: LimitMeter['mode'] = 'exact') =>
  WINDOWS.slice(0, count).map((windowMs, i) =>
    createMeter({ bucket: `GET:/orders:${i}`, limit: LIMIT, windowMs, mode }),
  );

function ours(
  name: string,
  client: ConstructorParameters<typeof RedisRateLimitStorage>[0],
  limits: readonly LimitMeter[],
  close: () => unknown,
): Contestant {
  const storage = new RedisRateLimitStorage(client, { prefix: `${name}:` });
  return {
    name,
    check: (subject) => storage.consume(limits.map((meter) => ({ meter, subject, cost: 1 }))),
    close: async () => {
      await storage.close();
      await close();
    },
  };
}

async function contestants(port: number): Promise<Contestant[]> {
  const ioredis = () => new Redis(port, '127.0.0.1');
  const nodeRedis = async () => {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const { service, Client } = installPeer();
  const peer = (count: number): Contestant => {
    const client = new Client(port, '127.0.0.1');
    const storage = new service(client);
    const check = async (subject: string): Promise<void> => {
      // As the throttler's guard does: one limit after the other.
      for (const windowMs of WINDOWS.slice(0, count))
        await storage.increment(subject, windowMs, LIMIT, windowMs, `limit${windowMs}`);
    };
    return { name: `@nest-lab/throttler-storage-redis, ${count}`, check, close: () => client.disconnect() };
  };
  const flexible = ioredis();
  const limiter = new RateLimiterRedis({ storeClient: flexible, points: LIMIT, duration: 60 });
  const mine = (name: string, count: number, mode?: LimitMeter['mode']) => {
    const client = ioredis();
    return ours(name, client, meters(count, mode), () => client.disconnect());
  };
  const other = async (name: string, count: number) => {
    const client = await nodeRedis();
    return ours(name, client, meters(count), () => client.destroy());
  };
  return [
    mine('exact, ioredis, 1', 1),
    mine('exact, ioredis, 3', 3),
    await other('exact, node-redis, 1', 1),
    await other('exact, node-redis, 3', 3),
    mine('lease, ioredis, 1', 1, 'lease'),
    {
      name: 'rate-limiter-flexible, 1',
      check: (key) => limiter.consume(key),
      close: () => flexible.disconnect(),
    },
    peer(3),
  ];
}

interface Load {
  readonly rate: number;
  /** CPU of this process, which has the client, and of the server, in microseconds of a check: other work on the machine hardly changes it. */
  readonly clientUs: number;
  readonly serverUs: number;
}

async function serverUs(client: Redis): Promise<number> {
  const info = await client.info('cpu');
  const seconds = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

async function load({ check }: Contestant, subjects: number, client: Redis): Promise<Load> {
  let checks = 0;
  const serverBefore = await serverUs(client);
  const clientBefore = process.cpuUsage();
  const started = performance.now();
  const end = started + ROUND_MS;
  const call = async (caller: number): Promise<void> => {
    for (let i = caller; performance.now() < end; i += CALLERS) {
      await check(`k:${(i * 7_919) % subjects}`);
      checks++;
      if (checks % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)));
  const rate = (checks / (performance.now() - started)) * 1_000;
  const { user, system } = process.cpuUsage(clientBefore);
  const server = (await serverUs(client)) - serverBefore;
  return { rate, clientUs: (user + system) / checks, serverUs: server / checks };
}

/** Script calls that the server has seen. */
async function scripts(client: Redis): Promise<number> {
  const stats = await client.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return calls.reduce((sum, count) => sum + count, 0);
}

/** One request after the other, as a client that waits sends them. @returns commands per check, milliseconds of a check */
async function alone({ check }: Contestant, client: Redis): Promise<[commands: number, ms: number]> {
  const before = await scripts(client);
  const times: number[] = [];
  for (let i = 0; i < 300; i++) {
    const started = performance.now();
    await check('alone');
    times.push(performance.now() - started);
  }
  return [((await scripts(client)) - before) / 300, median(times)];
}

/** 1 000 requests a second on one key. @returns commands per check */
async function paced({ check }: Contestant, client: Redis): Promise<number> {
  const before = await scripts(client);
  const started = performance.now();
  let checks = 0;
  while (performance.now() - started < 5_000) {
    const pending: unknown[] = [];
    for (; checks < performance.now() - started; checks++) pending.push(check('paced'));
    await Promise.all(pending.map((one) => Promise.resolve(one)));
    await sleep(1);
  }
  return ((await scripts(client)) - before) / checks;
}

const { child, port } = await startServer();
const control = new Redis(port, '127.0.0.1');
const all = await contestants(port);
const loads = all.map((): Load[] => []);
for (const one of all) await load(one, SUBJECTS, control);
for (let round = 0; round < ROUNDS; round++)
  for (const [index, one] of all.entries()) loads[index]!.push(await load(one, SUBJECTS, control));
const medianOf = (index: number, field: keyof Load) => median(loads[index]!.map((one) => one[field]));
const indexOf = (name: string) => all.findIndex((one) => one.name.startsWith(name));
/** In each round by itself, so that a slow moment of the machine hits both. */
const ratio = (name: string, other: string) =>
  median(loads[indexOf(name)]!.map(({ rate }, round) => rate / loads[indexOf(other)]![round]!.rate));
const cpu = (name: string) => medianOf(indexOf(name), 'clientUs') + medianOf(indexOf(name), 'serverUs');

console.log(`\n### Limits in Redis, ${CALLERS} callers, ${SUBJECTS} subjects\n`);
console.log(
  '| storage, limits | checks per second | CPU of a check, client + server, µs | script calls per check, one by one | ms of a check, one by one |',
);
console.log('| --- | ---: | ---: | ---: | ---: |');
for (const [index, one] of all.entries()) {
  const [commands, ms] = await alone(one, control);
  const us = `${medianOf(index, 'clientUs').toFixed(1)} + ${medianOf(index, 'serverUs').toFixed(1)}`;
  console.log(
    `| ${one.name} | ${medianOf(index, 'rate').toFixed(0)} | ${us} | ${commands.toFixed(2)} | ${ms.toFixed(3)} |`,
  );
}
const lease = all.find(({ name }) => name.startsWith('lease'))!;
const oneKey: number[] = [];
for (let round = 0; round < ROUNDS; round++)
  oneKey.push((await load(lease, 1, control)).rate / (await load(all[0]!, 1, control)).rate);
const [mine1, mine3, peer3, flexible1] = [
  'exact, ioredis, 1',
  'exact, ioredis, 3',
  '@nest-lab',
  'rate-limiter',
];
const rows: [string, number, string][] = [
  ['exact with three limits ÷ @nest-lab', ratio(mine3, peer3), '≥ 3'],
  ['the same by CPU', cpu(peer3) / cpu(mine3), ''],
  ['exact with one limit ÷ rate-limiter-flexible', ratio(mine1, flexible1), '> 1'],
  ['the same by CPU', cpu(flexible1) / cpu(mine1), ''],
  [`lease ÷ exact, ${SUBJECTS} subjects`, ratio('lease', mine1), ''],
  ['lease ÷ exact, one subject', median(oneKey), '≥ 10'],
  [
    'round trips per check of a lease, 1 000 requests a second on a key',
    await paced(lease, control),
    '≤ 0.05',
  ],
];
console.log('\n| ratio | figure | target |\n| --- | ---: | ---: |');
for (const [name, figure, target] of rows) console.log(`| ${name} | ${figure.toFixed(3)} | ${target} |`);
for (const { close } of all) await close();
control.disconnect();
child.kill('SIGKILL');
process.exit(0);
