import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ApiKeyRecord } from '../../lib/authentication/api-key/api-key-store.js';
import { reasonAgainst } from '../../lib/authentication/api-key/key-standing.js';
import { RedisApiKeyStore } from '../../lib/redis/redis-api-key-store.js';
import type { RedisClient } from '../../lib/redis/redis-connection.js';
import { keyRecord } from '../authentication/api-key/store-contract.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';
import { type Death, dyingClient } from './failing-client.js';
import { serviceOver } from './redis-key-service.js';

const NOW = Date.UTC(2026, 10, 24, 12);
const OVERLAP_END = NOW + 60_000;
const DEATHS: readonly Death[] = ['before the command', 'before the answer'];

describe('RedisApiKeyStore', () => {
  let server: RedisServer;
  let redis: Redis;
  let store: RedisApiKeyStore;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.close();
  });
  beforeEach(async () => {
    await redis.flushall();
    store = new RedisApiKeyStore(redis);
  });
  afterEach(() => store.close());

  const works = (record: ApiKeyRecord | undefined): boolean =>
    record !== undefined && reasonAgainst(record, NOW) === undefined;

  /** Everything that the server holds, names and values. */
  async function everything(): Promise<string> {
    const parts: unknown[] = [];
    for (const key of await redis.keys('*')) {
      const type = await redis.type(key);
      parts.push(
        key,
        type === 'hash' ? await redis.hgetall(key) : await redis.zrange(key, '0', '-1', 'WITHSCORES'),
      );
    }
    return JSON.stringify(parts);
  }

  it('R-AK-04 holds no secret, nor anything that it could be told from', async () => {
    const service = await serviceOver(store, { pepper: 'pepper '.repeat(8) });
    const issued = await service.issue({ owner: 'ada', name: 'CI', scopes: ['a'], metadata: { team: 'x' } });
    expect(await service.verify(issued.key, '127.0.0.1')).toBeDefined();
    const successor = await service.rotate(issued.id);
    await service.stop();
    const dump = await everything();
    expect(dump).toContain(issued.id);
    expect(dump).toContain(successor.id);
    for (const { key } of [issued, successor]) {
      const secret = key.split('_')[3]!;
      expect(dump).not.toContain(key);
      for (let i = 0; i + 8 <= secret.length; i++) expect(dump).not.toContain(secret.slice(i, i + 8));
    }
  });

  describe('when a process dies', () => {
    it.each(DEATHS)('R-AK-11 in the middle of a rotation, %s, the old key or both work', async (death) => {
      const seen = new Set<string>();
      for (let step = 1; ; step++) {
        const [old, successor] = [
          keyRecord({ owner: `${death} ${step}` }),
          keyRecord({ owner: `${death} ${step}` }),
        ];
        await store.insert(old);
        const client = dyingClient(redis, step, death);
        const outcome = await new RedisApiKeyStore(client)
          .rotate(old.id, successor, OVERLAP_END)
          .catch(() => 'died');
        const [one, other] = [await store.find(old.id), await store.find(successor.id)];
        expect(works(one)).toBe(true);
        const listed = (await store.list(old.owner, 9)).keys.map(({ id }) => id).toSorted();
        if (one?.successor === undefined) {
          expect(outcome).toBe('died');
          expect(one).toStrictEqual(old);
          expect(listed).toEqual([old.id]);
          // Nothing stands in the way of the next attempt.
          expect(await store.rotate(old.id, keyRecord({ owner: old.owner }), OVERLAP_END)).toBe(true);
          seen.add('old');
        } else {
          expect(one.successor).toBe(successor.id);
          expect(works(other)).toBe(true);
          expect(listed).toEqual([old.id, successor.id].toSorted());
          expect(await store.rotate(old.id, keyRecord(), OVERLAP_END)).toBe(false);
          seen.add('both');
        }
        const revoked = await store.revokeAllOf(old.owner, NOW);
        expect(revoked).toHaveLength(2);
        for (const id of [old.id, successor.id]) expect(works(await store.find(id))).toBe(false);
        if (!client.died) {
          expect(outcome).toBe(true);
          break;
        }
      }
      expect([...seen].toSorted()).toEqual(['both', 'old']);
    });

    it.each(DEATHS)(
      'R-AK-10 in the middle of an insertion, %s, there is a key with all or none',
      async (death) => {
        for (let step = 1; ; step++) {
          const record = keyRecord({ owner: `${death} ${step}`, expiresAt: NOW + 1 });
          const client = dyingClient(redis, step, death);
          await new RedisApiKeyStore(client).insert(record).catch(() => undefined);
          const found = await store.find(record.id);
          expect((await store.list(record.owner, 9)).keys).toStrictEqual(found ? [record] : []);
          expect(await store.revokeAllOf(record.owner, NOW)).toEqual(found ? [record.id] : []);
          expect(await store.purge(NOW + 1, 9)).toBe(found ? 1 : 0);
          if (!client.died) break;
        }
      },
    );

    it('R-AK-11 a link that the client sends a second time is the same link', async () => {
      const [old, successor] = [keyRecord(), keyRecord()];
      await store.insert(old);
      // As ioredis does by itself when a connection comes back: what has no answer yet is sent again.
      const twice = (source: string, keys: number, ...rest: string[]) =>
        redis
          .eval(source, keys, ...rest)
          .then((reply) => (source.includes('overlapEndsAt') ? redis.eval(source, keys, ...rest) : reply));
      const client: RedisClient = { ...dyingClient(redis, Infinity, 'before the answer'), eval: twice };
      expect(await new RedisApiKeyStore(client).rotate(old.id, successor, NOW)).toBe(true);
      expect(works(await store.find(successor.id))).toBe(true);
    });
  });

  it('R-AK-19 goes on after the server has forgotten all scripts', async () => {
    const record = keyRecord();
    for (const act of [
      () => store.insert(record),
      () => store.find(record.id),
      () => store.update(record.id, { name: 'x' }),
      () => store.recordUses([{ id: record.id, uses: 1, lastUsedAt: NOW, lastUsedFrom: undefined }]),
      () => store.list('ada', 5),
    ]) {
      await redis.script('FLUSH');
      await act();
    }
    expect(await store.find(record.id)).toMatchObject({ name: 'x', lastUsedAt: NOW });
  });

  it('R-AK-19 a damaged record is an error, never a key', async () => {
    const record = keyRecord({ limits: [{ limit: 1, window: 2 }], expiresAt: NOW });
    const name = `security:key:{${record.id}}`;
    const damages: [string, string][] = [
      ['revokedAt', 'x'],
      ['expiresAt', '"2026"'],
      ['expiresAt', 'null'],
      ['scopes', '"admin"'],
      ['scopes', '{}'],
      ['roles', '[1]'],
      ['metadata', '[]'],
      ['limits', '[{"limit":1}]'],
      ['environment', '"prod"'],
      ['id', '"0000000000000000"'],
    ];
    for (const [field, value] of damages) {
      await redis.flushall();
      await store.insert(record);
      await redis.hset(name, field, value);
      await expect(store.find(record.id)).rejects.toThrow('damaged');
      await expect(store.list('ada', 5)).rejects.toThrow('damaged');
    }
    for (const field of ['digest', 'scopes', 'allowedAddresses', 'owner', 'createdAt']) {
      await redis.flushall();
      await store.insert(record);
      await redis.hdel(name, field);
      await expect(store.find(record.id)).rejects.toThrow(`damaged: ${field}`);
    }
    await redis.flushall();
    await redis.set(name, 'a text');
    await expect(store.find(record.id)).rejects.toThrow('WRONGTYPE');
  });

  it('R-AK-04 passes over fields that a later version has added', async () => {
    const record = keyRecord();
    await store.insert(record);
    await redis.hset(`security:key:{${record.id}}`, 'colour', '"red"', 'shape', 'round');
    expect(await store.find(record.id)).toStrictEqual(record);
  });

  it('R-AK-05 a list passes over what is in the index only', async () => {
    const records = [1, 2, 3, 4].map((time) => keyRecord({ createdAt: NOW + time }));
    for (const record of records) await store.insert(record);
    for (const { id } of [records[1]!, records[3]!]) await redis.del(`security:key:{${id}}`);
    const first = await store.list('ada', 1);
    expect(first).toStrictEqual({ keys: [records[2]], next: records[2]!.id });
    expect(await store.list('ada', 1, first.next)).toStrictEqual({ keys: [records[0]], next: undefined });
  });

  it('R-AK-08 an owner whose name is no text that can be written is nobody else', async () => {
    const owners = ['\uD800', '\uD801', '\uFFFD', '\0', '', '{', '}{', '\n', 'security:ends'];
    const records = owners.map((owner) => keyRecord({ owner }));
    for (const record of records) await store.insert(record);
    for (const [index, owner] of owners.entries()) {
      expect((await store.list(owner, 5)).keys).toStrictEqual([records[index]]);
      expect(await store.revokeAllOf(owner, NOW)).toEqual([records[index]!.id]);
    }
  });

  it('R-AK-04 two stores with different prefixes are strangers', async () => {
    const other = new RedisApiKeyStore(redis, { prefix: 'other{}:' });
    const record = keyRecord();
    await store.insert(record);
    await other.insert({ ...record, name: 'other' });
    await other.revokeAllOf('ada', NOW);
    expect(await store.find(record.id)).toStrictEqual(record);
  });

  it('R-AK-04 says what it was given in place of a client', () => {
    for (const wrong of [{}, { get: () => undefined }, new Map()]) {
      expect(() => new RedisApiKeyStore(wrong as unknown as RedisClient)).toThrow(TypeError);
    }
  });

  describe('the warning of lost keys', () => {
    const warnings = async (act: () => Promise<unknown>): Promise<unknown[]> => {
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      try {
        await act();
        await new Promise((resolve) => setTimeout(resolve, 30));
        return warn.mock.calls.map(([text]) => text);
      } finally {
        warn.mockRestore();
      }
    };
    afterEach(() => redis.config('SET', 'maxmemory-policy', 'noeviction'));

    it.each(['allkeys-lru', 'allkeys-random'])('R-AK-19 is given once under %s', async (policy) => {
      await redis.config('SET', 'maxmemory-policy', policy);
      const given = await warnings(async () => {
        await store.insert(keyRecord());
        await store.insert(keyRecord());
      });
      expect(given).toEqual([expect.stringContaining(policy)]);
    });

    it.each(['noeviction', 'volatile-lru'])('R-AK-19 is not given under %s', async (policy) => {
      await redis.config('SET', 'maxmemory-policy', policy);
      expect(await warnings(() => store.insert(keyRecord()))).toEqual([]);
    });
  });
});
