import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type PostgresServer, startPostgres } from '../support/servers/postgres.js';
import { QuickstartClient } from './quickstart-client.js';
import { type Quickstart, QuickstartBuild } from './quickstart-process.js';

const LIMITS = { READ_LIMIT: '1000000', WRITE_LIMIT: '1000000' };

let build: QuickstartBuild;
beforeAll(() => {
  build = new QuickstartBuild();
});
afterAll(() => build.remove());

const statusOf = async (app: Quickstart, token: string) =>
  (await new QuickstartClient(app).get('/auth/me', { as: token })).status;

describe.each(['express', 'fastify'])('sessions of the quickstart on %s', (ADAPTER) => {
  it('R-RT-08 R-JW-26 outlive a process that is killed, and so does their end', async () => {
    const environment = { ...LIMITS, ADAPTER, DATABASE_URL: `file:data/killed-${ADAPTER}.db` };
    const first = await build.start(environment);
    const [ada, bob] = await Promise.all([
      new QuickstartClient(first).logIn('ada'),
      new QuickstartClient(first).logIn('bob'),
    ]);
    await new QuickstartClient(first).send('POST', '/auth/logout', { as: bob.accessToken });
    await first.kill();
    const second = await build.start(environment);
    expect([await statusOf(second, ada.accessToken), await statusOf(second, bob.accessToken)]).toEqual([
      200, 401,
    ]);
    const client = new QuickstartClient(second);
    const { status, body } = await client.post('/auth/refresh', { refreshToken: ada.refreshToken });
    expect(status).toBe(200);
    expect((await client.post('/auth/refresh', { refreshToken: bob.refreshToken })).status).toBe(401);
    const sessions = await client.get('/auth/sessions', { as: String(body['accessToken']) });
    expect(sessions.body).toMatchObject([{ current: true, address: expect.any(String) as unknown }]);
    await second.stop();
  });
});

describe('sessions of two processes of the quickstart over PostgreSQL', () => {
  let server: PostgresServer;
  let one: Quickstart;
  let other: Quickstart;
  beforeAll(async () => {
    server = await startPostgres();
    const environment = { ...LIMITS, DATABASE_URL: server.url };
    [one, other] = await Promise.all([build.start(environment), build.start(environment)]);
  });
  afterAll(async () => {
    await Promise.all([one.stop(), other.stop()]);
    await server.close();
  });

  it('R-JW-22 R-RT-08 a logout on one is a logout on the other in a moment', async () => {
    const { accessToken } = await new QuickstartClient(one).logIn('ada');
    expect(await statusOf(other, accessToken)).toBe(200);
    const began = performance.now();
    await new QuickstartClient(one).send('POST', '/auth/logout', { as: accessToken });
    await expect.poll(() => statusOf(other, accessToken), { interval: 5, timeout: 5_000 }).toBe(401);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('R-JW-26 both publish the same keys', async () => {
    const sets = await Promise.all(
      [one, other].map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).json()),
    );
    expect(sets[0]).toEqual(sets[1]);
  });

  it('R-RT-11 no request hangs or fails with 500 while the database is gone, and all is well when it is back', async () => {
    const { accessToken, refreshToken } = await new QuickstartClient(one).logIn('bob');
    await server.stop();
    await expect.poll(() => statusOf(one, accessToken), { timeout: 15_000 }).toBe(503);
    const began = performance.now();
    const refreshed = await new QuickstartClient(one).post('/auth/refresh', { refreshToken });
    expect([refreshed.status, refreshed.headers.get('retry-after')]).toEqual([503, '5']);
    expect(performance.now() - began).toBeLessThan(6_000);
    await server.start();
    await expect.poll(() => statusOf(one, accessToken), { timeout: 15_000 }).toBe(200);
    expect((await new QuickstartClient(other).post('/auth/refresh', { refreshToken })).status).toBe(200);
  });
});
