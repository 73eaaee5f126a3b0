// API keys: what a verification costs from the cache and from a store, with few keys and with a million, and what reaches a store at all.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';

import {
  API_KEY_PATTERN,
  type ApiKeyRecord,
  ApiKeyService,
  type ApiKeyStore,
  MemoryApiKeyStore,
  SecurityModule,
} from 'nestjs-api-security';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import pg from 'pg';

const OWN_KEYS = 1_000;
const VERIFICATIONS = 5_000;
const SIZES = [1_000, 1_000_000];

const { values } = parseArgs({ options: { postgres: { type: 'string' }, redis: { type: 'string' } } });

/** Counts what a store is asked for. */
class CountingStore extends MemoryApiKeyStore {
  finds = 0;

  override find(id: string): Promise<ApiKeyRecord | undefined> {
    this.finds++;
    return super.find(id);
  }
}

async function serviceOver(
  store: ApiKeyStore,
  cacheTtl: number,
): Promise<{ service: ApiKeyService; close: () => Promise<void> }> {
  class BenchModule {}
  Module({
    imports: [SecurityModule.forRoot({ apiKeys: { store, cacheTtl }, https: 'off', logger: false })],
  })(BenchModule);
  const app = await NestFactory.createApplicationContext(BenchModule, { logger: false });
  return { service: app.get(ApiKeyService), close: () => app.close() };
}

function cpuNanos(times: number, run: () => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / times;
}

async function fromCache(): Promise<void> {
  const store = new CountingStore();
  const { service, close } = await serviceOver(store, 60_000);
  const { key } = await service.issue({ owner: 'ada', name: 'bench', scopes: ['a'] });
  const verify = async (times: number) => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) await service.verify(key);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / times;
  };
  const hash = () => createHash('sha256').update(key).digest('base64url');
  await verify(50_000);
  cpuNanos(50_000, hash);
  const [verified, hashed] = [await verify(300_000), cpuNanos(300_000, hash)];
  console.log('\n### From the cache\n\n| | CPU ns |\n| --- | ---: |');
  console.log(`| SHA-256 of the key | ${hashed.toFixed(0)} |\n| verify() | ${verified.toFixed(0)} |`);
  const over = verified - hashed;
  console.log(
    `\n- ${over.toFixed(0)} ns more than the hash; at most 2000: **${over <= 2_000 ? 'met' : 'missed'}**`,
  );
  await close();
}

async function storeCalls(): Promise<void> {
  const store = new CountingStore();
  const { service, close } = await serviceOver(store, 5_000);
  const { key } = await service.issue({ owner: 'ada', name: 'bench', scopes: ['a'] });
  store.finds = 0;
  for (let i = 0; i < 10_000; i++) await service.verify(garbage(i));
  const ofGarbage = store.finds;
  await Promise.all(Array.from({ length: 50 }, () => service.verify(key)));
  console.log('\n### What reaches the store\n\n| | calls | at most |\n| --- | ---: | ---: |');
  console.log(`| 10 000 keys of the right form, made up | ${ofGarbage} | 0 |`);
  console.log(`| 50 verifications of one cold key at once | ${store.finds - ofGarbage} | 1 |`);
  await close();
}

/** Looks like a key, but for its checksum. */
function garbage(seed: number): string {
  const text = createHash('sha512').update(String(seed)).digest('hex');
  const key = `sk_live_${text.slice(0, 16)}_${text.slice(16, 65)}`;
  if (!new RegExp(`^${API_KEY_PATTERN}$`).test(key)) throw new Error('not the form of a key');
  return key;
}

/** Verifies known keys in a row, nothing remembered. */
async function cold(service: ApiKeyService, keys: readonly string[]): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  for (let i = 0; i < VERIFICATIONS + 500; i++) {
    const key = keys[(i * 7_919) % keys.length]!;
    const began = performance.now();
    const principal = await service.verify(key);
    if (!principal) throw new Error('a good key was refused');
    if (i >= 500) times.push(performance.now() - began);
  }
  times.sort((one, other) => one - other);
  return { p50: times[times.length >> 1]!, p99: times[Math.floor(times.length * 0.99)]! };
}

async function fromStore(
  name: string,
  open: () => Promise<{
    store: ApiKeyStore;
    fill: (like: string, from: number, to: number) => Promise<void>;
  }>,
): Promise<void> {
  const { store, fill } = await open();
  const { service, close } = await serviceOver(store, 0);
  const issued = [];
  for (let i = 0; i < OWN_KEYS; i++)
    issued.push(await service.issue({ owner: `owner-${i % 50}`, name: 'bench', scopes: ['orders:read'] }));
  let filled = OWN_KEYS;
  for (const size of SIZES) {
    if (size > filled) await fill(issued[0]!.id, filled, size);
    filled = size;
    const { p50, p99 } = await cold(
      service,
      issued.map(({ key }) => key),
    );
    console.log(`| ${name} | ${size} | ${(p50 * 1_000).toFixed(0)} | ${(p99 * 1_000).toFixed(0)} |`);
  }
  await close();
}

/** @param url of an empty database */
async function postgres(url: string) {
  const { openSqlDatabase, SqlApiKeyStore } = await import('nestjs-api-security/sql');
  const store = new SqlApiKeyStore(await openSqlDatabase(url));
  const fill = async (like: string, from: number, to: number) => {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      "select column_name as name from information_schema.columns where table_name = 'security_api_keys'",
    );
    const columns = rows.map(({ name }) => name);
    const copied = columns.map((column) => (column === 'id' ? "lpad(n::text, 16, '0')" : column));
    await client.query(
      `insert into security_api_keys (${columns.join()}) select ${copied.join()} from security_api_keys, generate_series($2::int, $3::int) n where id = $1`,
      [like, from, to - 1],
    );
    await client.query('vacuum analyze security_api_keys');
    await client.end();
  };
  return { store, fill };
}

/** @param url of an empty server */
async function redis(url: string) {
  const { RedisApiKeyStore } = await import('nestjs-api-security/redis');
  const client = new Redis(url);
  const store = await RedisApiKeyStore.open(url);
  const fill = async (like: string, from: number, to: number) => {
    const [name = ''] = await client
      .keys(`*${like}*`)
      .then((names) => names.filter((one) => !one.includes('uses')));
    const script = `local fields = redis.call('HGETALL', KEYS[1])
      for i = ARGV[1], ARGV[2] do redis.call('HSET', ARGV[3] .. string.format('%016d', i) .. ARGV[4], unpack(fields)) end`;
    const [before = '', after = ''] = name.split(like);
    for (let i = from; i < to; i += 10_000)
      await client.eval(script, 1, name, i, Math.min(i + 9_999, to - 1), before, after);
    client.disconnect();
  };
  return { store, fill };
}

await fromCache();
await storeCalls();
const { postgres: postgresUrl, redis: redisUrl } = values;
console.log('\n### From the store: random keys, nothing remembered\n');
if (postgresUrl === undefined && redisUrl === undefined)
  console.log('Give `--postgres URL` and `--redis URL` of empty servers.');
else {
  console.log('| store | keys | p50, µs | p99, µs |\n| --- | ---: | ---: | ---: |');
  if (postgresUrl !== undefined) await fromStore('PostgreSQL', () => postgres(postgresUrl));
  if (redisUrl !== undefined) await fromStore('Redis', () => redis(redisUrl));
}
process.exit(0);
