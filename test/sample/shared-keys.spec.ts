import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type PostgresServer, startPostgres } from '../support/servers/postgres.js';
import { QuickstartClient } from './quickstart-client.js';
import { QuickstartBuild } from './quickstart-process.js';

const ENVIRONMENT = { READ_LIMIT: '1000000', WRITE_LIMIT: '1000000', TRUST_PROXY: '1' };

let build: QuickstartBuild;
beforeAll(() => {
  build = new QuickstartBuild();
});
afterAll(() => build.remove());

/** Two processes over one store, and what is done with both. */
class Pair {
  #clients = 0;

  private constructor(
    readonly one: QuickstartClient,
    readonly other: QuickstartClient,
    private readonly token: string,
  ) {}

  static async start(databaseUrl: string): Promise<Pair> {
    const environment = { ...ENVIRONMENT, DATABASE_URL: databaseUrl };
    const [one, other] = await Promise.all([build.start(environment), build.start(environment)]);
    const client = new QuickstartClient(one);
    return new Pair(client, new QuickstartClient(other), (await client.logIn('ada')).accessToken);
  }

  async stop(): Promise<void> {
    await Promise.all([this.one.app.stop(), this.other.app.stop()]);
  }

  /** What a person's token gets on the process that issues keys. */
  async tokenStatus(): Promise<number> {
    return (await this.one.get('/auth/me', { as: this.token })).status;
  }

  /** Issues and revokes a key on one; tells how long the other went on taking it, and whether it ever took it again. */
  async revoke(): Promise<{ ms: number; again: boolean }> {
    // Each trial comes from an address of its own: refusals of one must not limit the next.
    const from = { 'x-forwarded-for': `192.0.2.${++this.#clients % 250}` };
    const issued = await this.one.post(
      '/api-keys',
      { name: 'trial', scopes: ['users:read'] },
      { as: this.token, headers: from },
    );
    const { id, key } = issued.body as { id: string; key: string };
    const use = async () => (await this.other.get('/users', { as: key, headers: from })).status;
    expect(await use()).toBe(200);
    const revoked = await this.one.send('DELETE', `/api-keys/${id}`, { as: this.token, headers: from });
    expect(revoked.status).toBe(204);
    const at = performance.now();
    while ((await use()) === 200) await new Promise((resolve) => setTimeout(resolve, 5));
    const ms = performance.now() - at;
    return { ms, again: (await use()) === 200 };
  }
}

describe('two processes over one PostgreSQL', () => {
  let server: PostgresServer;
  let pair: Pair;
  beforeAll(async () => {
    server = await startPostgres();
    pair = await Pair.start(server.url);
  });
  afterAll(async () => {
    await pair?.stop();
    await server?.close();
  });

  it('R-AK-10 refuse a revoked key on the other process, at once, in each of 200 trials', async () => {
    const slow: number[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const trials = await Promise.all(Array.from({ length: 20 }, () => pair.revoke()));
      for (const { ms, again } of trials) {
        expect(again).toBe(false);
        expect(ms).toBeLessThan(5_000);
        if (ms > 1_000) slow.push(ms);
      }
    }
    expect(slow).toEqual([]);
  });

  it('R-AK-19 go on with keys they know while the database is down, refuse nobody wrongly, and recover', async () => {
    const { apiKey } = pair.one.app;
    const unseen = pair.other.app.apiKey;
    const status = async (key: string) => (await pair.one.get('/users', { as: key })).status;
    expect(await status(apiKey)).toBe(200);
    await server.stop();
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect(await status(apiKey)).toBe(200);
    const refused = await pair.one.get('/users', { as: unseen });
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ error: { code: 'UNAVAILABLE', retryAfter: 5 } });
    expect(refused.headers.get('retry-after')).toBe('5');
    await server.start();
    await expect.poll(() => status(unseen), { timeout: 10_000, interval: 100 }).toBe(200);
    // Tokens are taken again once it is known what was revoked meanwhile.
    await expect.poll(() => pair.tokenStatus(), { timeout: 10_000, interval: 100 }).toBe(200);
    const { ms } = await pair.revoke();
    expect(ms).toBeLessThan(5_000);
  });
});

describe('two processes over one SQLite file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shared-keys-'));
  let pair: Pair;
  beforeAll(async () => {
    pair = await Pair.start(`file:${join(folder, 'keys.db')}`);
  });
  afterAll(async () => {
    await pair?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('R-AK-10 refuse a revoked key on the other process within 5 s', async () => {
    const trials = await Promise.all(Array.from({ length: 40 }, () => pair.revoke()));
    for (const { ms, again } of trials) {
      expect(again).toBe(false);
      expect(ms).toBeLessThan(5_500);
    }
  }, 30_000);

  it('R-AK-04 R-AK-10 keep keys over a restart', async () => {
    const { apiKey } = pair.one.app;
    await pair.stop();
    const restarted = new QuickstartClient(
      await build.start({ DATABASE_URL: `file:${join(folder, 'keys.db')}` }),
    );
    expect((await restarted.get('/users', { as: apiKey })).status).toBe(200);
    await restarted.app.stop();
  }, 30_000);
});
