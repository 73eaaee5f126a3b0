import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Redis } from 'ioredis';
import { RedisRateLimitStorage } from 'nestjs-api-security/redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { chargeOf, consume } from '../rate-limit/plain-charge.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { startRedisSentinel } from '../support/servers/redis-sentinel.js';
import { scriptCalls } from './command-stats.js';
import { ioredisSentinel, nodeRedisSentinel } from './redis-stores.js';

let server: RedisServer;
let client: Redis;
let storage: RedisRateLimitStorage;
let prefixes = 0;
let prefix: string;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.close();
});
beforeEach(() => {
  prefix = `server ${prefixes++}:`;
  storage = new RedisRateLimitStorage(client, { prefix });
});
afterEach(() => storage.close());

const minute = { limit: 5, windowMs: 60_000, cost: 1 };

describe('what limits ask of a Redis server', () => {
  it('R-RL-10 one command for all limits of a request, and one for all requests of a turn', async () => {
    await consume(storage, [{ key: 'warm', ...minute }]);
    await vi.waitFor(() => expect(storage.nodes).toBe(1));
    const charges = (key: string) => [
      { key, ...minute },
      { key, ...minute, windowMs: 1_000 },
      { key: 'all', ...minute, limit: 100, windowMs: 3_600_000, algorithm: 'token-bucket' as const },
    ];
    const before = await scriptCalls(client);
    await consume(storage, charges('alone'));
    expect((await scriptCalls(client)) - before).toBe(1);
    await Promise.all(Array.from({ length: 30 }, async (_, i) => consume(storage, charges(`together ${i}`))));
    expect((await scriptCalls(client)) - before).toBe(2);
    await Promise.all(Array.from({ length: 100 }, async (_, i) => consume(storage, charges(`many ${i}`))));
    expect((await scriptCalls(client)) - before).toBe(6);
  });

  it('R-RL-20 names carry application, version, a digest of the subject, the limit and its kind', async () => {
    await consume(storage, [{ key: 'who', ...minute }]);
    await consume(storage, [{ key: 'who', ...minute, algorithm: 'fixed-window' }]);
    await consume(storage, [{ key: 'who', ...minute, algorithm: 'token-bucket' }]);
    const names = (await client.keys(`${prefix}*`)).filter((name) => name.includes('{'));
    const tag = createHash('sha256').update('who').digest('base64url').slice(0, 22);
    expect(names.toSorted()).toEqual(
      ['b', 'f', 's'].map((kind) => `${prefix}rl:2:{${tag}}:test:${kind}1aao`),
    );
  });

  it('R-RL-17 what has lapsed is gone, and what is given back whole is gone at once', async () => {
    const kinds = ['sliding-window', 'fixed-window', 'token-bucket'] as const;
    const charges = kinds.map((algorithm) => ({ key: 'x', ...minute, windowMs: 300, algorithm }));
    await storage.close();
    storage = new RedisRateLimitStorage(client, { prefix, clockStepMs: 0 });
    await consume(storage, charges);
    expect(await client.keys(`${prefix}rl:2:{*`)).toHaveLength(3);
    await vi.waitFor(async () => expect(await client.keys(`${prefix}rl:2:{*`)).toEqual([]), 1_500);
    const decision = await consume(storage, charges);
    await storage.refund(charges.map(chargeOf), decision);
    expect(await client.keys(`${prefix}rl:2:{*`)).toEqual([]);
  });

  it('R-RL-17 what has lapsed is kept for as long as the clock may step, and not longer', async () => {
    await consume(storage, [{ key: 'x', ...minute }]);
    const [name] = await client.keys(`${prefix}rl:2:{*`);
    const hour = 3_600_000;
    expect(await client.pttl(name!)).toBeGreaterThan(hour + minute.windowMs - 1_000);
    expect(await client.pttl(name!)).toBeLessThanOrEqual(hour + (minute.windowMs * 7) / 6 + 10);
  });

  it('a value that is none of its own stands for no value', async () => {
    await consume(storage, [{ key: 'x', ...minute }]);
    const [name] = await client.keys(`${prefix}rl:2:{*`);
    await client.set(name!, 'something else');
    expect((await consume(storage, [{ key: 'x', ...minute }])).states[0]!.remaining).toBe(4);
  });

  it('a server that has forgotten the script is told again, in the middle of everything', async () => {
    const decisions: boolean[] = [];
    for (let i = 0; i < 6; i++) {
      await client.script('FLUSH');
      const { allowed } = await consume(storage, [{ key: 'flushed', ...minute }]);
      decisions.push(allowed);
    }
    expect(decisions).toEqual([true, true, true, true, true, false]);
    await client.script('FLUSH');
    const charge = chargeOf({ key: 'flushed', ...minute });
    await storage.refund([charge], { allowed: true, states: [], at: Date.now() });
    await storage.reset(charge.meter, charge.subject);
  });

  it('numbers that a client gives as texts are numbers', async () => {
    const texts = new Redis(server.url, { stringNumbers: true });
    const other = new RedisRateLimitStorage(texts, { prefix });
    try {
      const { states, at } = await consume(other, [{ key: 'x', ...minute }]);
      expect(states[0]).toMatchObject({ allowed: true, remaining: 4 });
      expect(at).toBeGreaterThan(1e12);
    } finally {
      await other.close();
      texts.disconnect();
    }
  });

  it('knows how many nodes there are, and that one has gone', async () => {
    const other = new RedisRateLimitStorage(client, { prefix });
    expect(storage.nodes).toBe(1);
    await consume(storage, [{ key: 'x', ...minute }]);
    await consume(other, [{ key: 'x', ...minute }]);
    await vi.waitFor(() => expect([storage.nodes, other.nodes]).toEqual([2, 2]), 5_000);
    await other.close();
    await vi.waitFor(() => expect(storage.nodes).toBe(1), 5_000);
    await storage.close();
    expect(await client.exists(`${prefix}rl:2:nodes`)).toBe(0);
  }, 15_000);

  it('a server that is gone rejects, and counters that it kept are there again', async () => {
    const own = await startRedis({ persistent: true });
    const lost = new Redis(own.url, {
      enableOfflineQueue: false,
      retryStrategy: () => 50,
      maxRetriesPerRequest: 0,
    });
    lost.on('error', () => undefined);
    await vi.waitFor(() => expect(lost.status).toBe('ready'), 5_000);
    const kept = new RedisRateLimitStorage(lost, { prefix });
    try {
      await consume(kept, [{ key: 'x', ...minute, cost: 3 }]);
      await own.stop();
      await expect(consume(kept, [{ key: 'x', ...minute }])).rejects.toThrow(Error);
      await expect(consume(kept, [{ key: 'y', ...minute, mode: 'lease' }])).rejects.toThrow(Error);
      await own.start();
      await vi.waitFor(() => expect(lost.status).toBe('ready'), 5_000);
      expect((await consume(kept, [{ key: 'x', ...minute }])).states[0]!.remaining).toBe(1);
    } finally {
      await kept.close();
      lost.disconnect();
      await own.close();
    }
  });

  it('warns of a server that may drop counters when its memory is full', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const full = await startRedis({ settings: { 'maxmemory-policy': 'volatile-lru' } });
    const own = await RedisRateLimitStorage.open(full.url);
    try {
      await consume(own, [{ key: 'x', ...minute }]);
      await vi.waitFor(() => expect(warned).toHaveBeenCalledOnce());
      expect(String(warned.mock.calls[0]![0])).toContain('counters of rate limits');
    } finally {
      warned.mockRestore();
      await own.close();
      await full.close();
    }
  });

  it('is opened by a URL, and closes what it has opened', async () => {
    const own = await RedisRateLimitStorage.open(server.url, { prefix });
    expect((await consume(own, [{ key: 'x', ...minute }])).allowed).toBe(true);
    await own.close();
    await expect(consume(own, [{ key: 'x', ...minute }])).rejects.toThrow(Error);
    await expect(RedisRateLimitStorage.open('http://127.0.0.1')).rejects.toThrow(TypeError);
  });
});

describe.each([
  ['ioredis', ioredisSentinel],
  ['node-redis', nodeRedisSentinel],
])('limits over Sentinel by %s', (name, connect) => {
  it('R-RL-10 go on with their counters when the master is gone, on a server that has never seen the script', async () => {
    const sentinel = await startRedisSentinel();
    const opened = await connect(sentinel);
    const limits = new RedisRateLimitStorage(opened.client, { prefix: `failover ${name}:` });
    const charge = { key: 'x', ...minute, windowMs: 600_000 };
    try {
      for (let i = 0; i < 3; i++) await consume(limits, [charge]);
      const replica = new Redis(sentinel.replica.url);
      await vi.waitFor(async () => expect(await replica.keys('*{*')).toHaveLength(1), 5_000);
      replica.disconnect();
      await sentinel.master.stop();
      const look = async () => {
        const answer = consume(limits, [{ ...charge, cost: 0 }]);
        return Promise.race([answer, sleep(1_000).then(() => Promise.reject(new Error('no answer')))]);
      };
      await vi.waitFor(async () => expect((await look()).states[0]!.remaining).toBe(2), {
        timeout: 25_000,
        interval: 200,
      });
      expect((await consume(limits, [{ ...charge, cost: 2 }])).allowed).toBe(true);
      expect((await consume(limits, [charge])).allowed).toBe(false);
    } finally {
      await Promise.race([limits.close(), sleep(1_000)]);
      opened.close();
      await sentinel.close();
    }
  }, 60_000);
});
