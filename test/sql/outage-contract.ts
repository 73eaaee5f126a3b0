import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { openSqlDatabase, SqlApiKeyStore } from '../../lib/sql/index.js';
import { keyRecord } from '../authentication/api-key/store-contract.js';
import type { DatabaseServer } from '../support/servers/server-process.js';
import { StallingProxy } from './stalling-proxy.js';

const BOUND_MS = 2_500;

/** What holds for a database that can be down. */
export function describeOutage(name: string, server: () => DatabaseServer): void {
  describe(`${name} that is down`, () => {
    it('R-AK-19 rejects quickly while the server is down, and goes on by itself when it is back', async () => {
      const { url, password } = server();
      const store = new SqlApiKeyStore(await openSqlDatabase(url, { tablePrefix: 'outage_' }));
      const [one, other] = [keyRecord(), keyRecord()];
      await store.insert(one);
      await Promise.all(Array.from({ length: 8 }, () => store.find(one.id)));
      await server().stop();
      for (let round = 0; round < 2; round++) {
        const began = performance.now();
        const calls = [
          ...Array.from({ length: 12 }, () => store.find(one.id)),
          store.insert(other),
          store.update(one.id, { revokedAt: 1 }, 'revokedAt'),
          store.recordUses([{ id: one.id, uses: 1, lastUsedAt: 1, lastUsedFrom: undefined }]),
        ];
        for (const outcome of await Promise.allSettled(calls)) {
          expect(outcome.status).toBe('rejected');
          const text = inspect(outcome, { depth: 10, showHidden: true });
          expect(text).not.toContain(password);
          expect(text).not.toContain(encodeURIComponent(password));
          expect(text).toMatch(/SqlError: .{5}/);
        }
        expect(performance.now() - began).toBeLessThan(BOUND_MS);
      }
      await server().start();
      await expect.poll(() => store.find(one.id).catch(() => 'down'), { timeout: 5_000 }).toStrictEqual(one);
      await store.insert(other);
      await Promise.all(Array.from({ length: 20 }, () => store.find(other.id)));
      await store.close();
    });

    it('R-AK-19 begins while the server is down, and makes its tables when it is back', async () => {
      const { url } = server();
      await server().stop();
      const store = new SqlApiKeyStore(await openSqlDatabase(url, { tablePrefix: 'late_' }));
      await expect(store.find('x')).rejects.toThrow(/./);
      await server().start();
      await expect.poll(() => store.find('x').catch(() => 'down'), { timeout: 5_000 }).toBeUndefined();
      await store.close();
    });

    it('R-AK-19 rejects when nothing is heard from the server, and goes on with new connections', async () => {
      const { url, port } = server();
      const proxy = new StallingProxy(port);
      const through = url.replace(`:${port}/`, `:${await proxy.start()}/`);
      const options = {
        tablePrefix: 'stalled_',
        poolSize: 3,
        connectTimeout: '300ms',
        statementTimeout: '300ms',
      } as const;
      const store = new SqlApiKeyStore(await openSqlDatabase(through, options));
      const one = keyRecord();
      await store.insert(one);
      await Promise.all(Array.from({ length: 6 }, () => store.find(one.id)));
      proxy.stall();
      for (let round = 0; round < 2; round++) {
        const began = performance.now();
        const calls = [
          store.update(one.id, { name: 'x' }),
          ...Array.from({ length: 6 }, () => store.find(one.id)),
        ];
        const outcomes = await Promise.allSettled(calls);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([]);
        expect(performance.now() - began).toBeLessThan(BOUND_MS);
      }
      proxy.resume();
      await expect.poll(() => store.find(one.id).catch(() => 'down'), { timeout: 5_000 }).toStrictEqual(one);
      await Promise.all(Array.from({ length: 6 }, () => store.find(one.id)));
      await store.close();
      proxy.stop();
    });

    it.each(['gone', 'silent'])('R-AK-19 closes in time when the server is %s', async (state) => {
      const { url, port } = server();
      for (let round = 0; round < 3; round++) {
        const proxy = new StallingProxy(port);
        const through = url.replace(`:${port}/`, `:${await proxy.start()}/`);
        const options = { tablePrefix: 'closed_', poolSize: 4, connectTimeout: '300ms' } as const;
        const store = new SqlApiKeyStore(await openSqlDatabase(through, options));
        await Promise.all(Array.from({ length: 8 }, () => store.find('x')));
        if (state === 'gone') proxy.stop();
        else proxy.stall();
        const began = performance.now();
        await store.close();
        expect(performance.now() - began).toBeLessThan(BOUND_MS);
        proxy.stop();
      }
    });

    it('R-AK-17 quotes the password in no error, whatever is wrong with the URL', async () => {
      const { url, password } = server();
      const written = encodeURIComponent(password);
      const wrong = [
        url.replace('app:', 'nobody:'),
        url.replace(written, `${written}x`),
        url.replace(/\/\w+$/, '/missing'),
        url.replace(/:\d+\//, ':1/'),
        url.replace('127.0.0.1', 'host.invalid'),
      ];
      for (const one of wrong) {
        const store = new SqlApiKeyStore(await openSqlDatabase(one));
        const error: unknown = await store.find('x').catch((caught: unknown) => caught);
        expect(error).toMatchObject({ name: 'SqlError', message: expect.stringMatching(/./) as unknown });
        const text = inspect([error, store, await openSqlDatabase(one)], { depth: 10, showHidden: true });
        expect(text).not.toContain(password);
        expect(text).not.toContain(written);
        await store.close();
      }
      for (const one of [
        url.replace('@', '@:@['),
        url.replace(/^\w+/, 'oracle'),
        url.replace('://', ':/ /'),
      ]) {
        const error: unknown = await openSqlDatabase(one).catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(TypeError);
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(written);
      }
    });
  });
}
