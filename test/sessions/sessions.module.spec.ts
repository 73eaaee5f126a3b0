import { IsString, MaxLength } from 'class-validator';
import { decodeJwt } from 'jose';
import { SecurityConfigurationError, SecurityError } from 'nestjs-api-security';
import { SessionsModule } from 'nestjs-api-security/sessions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type SessionsApp, startSessions } from './sessions-app.js';

interface SessionView {
  readonly id: string;
  readonly current: boolean;
  readonly device?: string;
  readonly address?: string;
  readonly lastAddress?: string;
  readonly createdAt: string;
}

let addresses = 0;
/** An address that nobody has used. */
const fresh = () => `203.0.${113 + Math.floor(addresses / 250)}.${(addresses++ % 250) + 1}`;

describe.each(ADAPTERS)('session routes on %s', (adapter) => {
  let app: SessionsApp;
  beforeAll(async () => {
    app = await startSessions(adapter);
  });
  afterAll(() => app.close());

  const begin = async (email?: string) => (await app.login(email, 'right', { from: fresh() })).json;
  const listed = async (as: string) =>
    (await app.ask('GET', '/auth/sessions', { as })).json as unknown as SessionView[];

  it('R-RT-09 a login gives a pair that no cache keeps', async () => {
    const { status, json, headers } = await app.login('ada@example.com', 'right', { from: fresh() });
    expect(status).toBe(200);
    expect(Object.keys(json).toSorted()).toEqual(['accessToken', 'expiresIn', 'refreshToken', 'tokenType']);
    expect(json).toMatchObject({ tokenType: 'Bearer', expiresIn: 900 });
    expect([headers['cache-control'], headers['pragma']]).toEqual(['no-store', 'no-cache']);
    expect(headers['set-cookie']).toBeUndefined();
    expect(decodeJwt(json.accessToken)).toMatchObject({
      sub: 'ada@example.com',
      iss: 'https://own.example.test',
    });
  });

  it('R-AU-09 tells a wrong password and an unknown account apart in no way', async () => {
    const seen: unknown[] = [];
    const listening = app.events.stream.subscribe((event) => seen.push(event));
    const from = fresh();
    const wrong = await app.login('ada@example.com', 'wrong', { from });
    const unknown = await app.login('eve@example.com', 'right', { from });
    listening.unsubscribe();
    expect([wrong.status, wrong.json]).toEqual([unknown.status, unknown.json]);
    expect([wrong.status, wrong.json.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'authentication.failed', reason: 'credentials.wrong', address: from }),
    );
  });

  it.each([
    {},
    { email: 'x', password: 'y' },
    { email: 'ada@example.com', password: 'right', admin: true },
    [],
  ])('R-IV-10 %j is no login', async (json) => {
    expect((await app.ask('POST', '/auth/token', { json, from: fresh() })).status).toBe(400);
  });

  it('R-RT-03 R-RT-04 a refresh gives a new pair, a second use ends the session', async () => {
    const first = await begin();
    const { status, json, headers } = await app.ask('POST', '/auth/refresh', {
      json: { refreshToken: first.refreshToken },
    });
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(json.refreshToken).not.toBe(first.refreshToken);
    const again = await app.ask('POST', '/auth/refresh', { json: { refreshToken: first.refreshToken } });
    expect([again.status, again.json.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect((await app.ask('GET', '/auth/sessions', { as: json.accessToken })).status).toBe(401);
  });

  it('R-RT-02 what is no refresh token is refused as it should be', async () => {
    const { accessToken } = await begin();
    for (const [json, status] of [
      [{ refreshToken: accessToken }, 400],
      [{ refreshToken: 'x' }, 401],
      [{}, 400],
      [{ refreshToken: 'x', scope: 'admin' }, 400],
    ] as const) {
      const answer = await app.ask('POST', '/auth/refresh', { json, from: fresh() });
      expect([JSON.stringify(json).slice(0, 30), answer.status]).toEqual([
        JSON.stringify(json).slice(0, 30),
        status,
      ]);
    }
  });

  it('R-RT-08 a logout ends the session and no other', async () => {
    const [one, other] = [await begin(), await begin()];
    expect((await app.ask('POST', '/auth/logout', { as: one.accessToken })).status).toBe(204);
    expect((await app.ask('GET', '/auth/sessions', { as: one.accessToken })).status).toBe(401);
    const refreshed = await app.ask('POST', '/auth/refresh', { json: { refreshToken: one.refreshToken } });
    expect(refreshed.status).toBe(401);
    expect((await app.ask('GET', '/auth/sessions', { as: other.accessToken })).status).toBe(200);
  });

  it('R-RT-12 lists sessions with device, addresses and times, and ends one, or all others', async () => {
    const agents = ['Firefox/1 (Lïnux)\u0009', 'x'.repeat(300), ''];
    const pairs = [];
    for (const agent of agents) {
      const headers = agent === '' ? {} : { 'user-agent': Buffer.from(agent).toString('latin1') };
      pairs.push((await app.login('bob@example.com', 'right', { from: '198.51.100.7', headers })).json);
    }
    const [one, two, three] = pairs.map(({ accessToken }) => accessToken) as [string, string, string];
    await app.ask('POST', '/auth/refresh', {
      json: { refreshToken: pairs[0]!.refreshToken },
      from: '198.51.100.8',
    });
    const sessions = await listed(two);
    expect(sessions.map(({ device }) => device)).toEqual(['Firefox/1 (Lnux)', undefined, 'x'.repeat(100)]);
    expect(sessions.map(({ current }) => current)).toEqual([false, false, true]);
    expect(sessions[0]).toMatchObject({ address: '198.51.100.7', lastAddress: '198.51.100.8' });
    expect(new Date(sessions[0]!.createdAt).toISOString()).toBe(sessions[0]!.createdAt);
    expect((await app.ask('DELETE', `/auth/sessions/${sessions[0]!.id}`, { as: two })).status).toBe(204);
    expect((await app.ask('GET', '/auth/sessions', { as: one })).status).toBe(401);
    expect((await app.ask('DELETE', '/auth/sessions', { as: two })).status).toBe(204);
    expect((await app.ask('GET', '/auth/sessions', { as: three })).status).toBe(401);
    expect(await listed(two)).toHaveLength(1);
  });

  it('R-RT-12 nobody ends somebody else’s session, nor learns of it', async () => {
    const [ada, bob] = [await begin(), await begin('bob@example.com')];
    const [own] = await listed(ada.accessToken);
    for (const id of [own!.id, 'never', 'x'.repeat(64)]) {
      const { status, json } = await app.ask('DELETE', `/auth/sessions/${id}`, { as: bob.accessToken });
      expect([status, json.error.code]).toEqual([404, 'NOT_FOUND']);
    }
    expect((await app.ask('GET', '/auth/sessions', { as: ada.accessToken })).status).toBe(200);
    for (const path of ['/auth/sessions', '/auth/logout']) {
      expect((await app.ask(path.endsWith('t') ? 'POST' : 'GET', path)).status).toBe(401);
    }
  });

  it('R-RT-10 50 random tokens from one address are stopped, a genuine one from another is not', async () => {
    const { refreshToken } = await begin();
    const from = fresh();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        app.ask('POST', '/auth/refresh', { json: { refreshToken: 'x' }, from }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    expect((await app.ask('POST', '/auth/refresh', { json: { refreshToken }, from: fresh() })).status).toBe(
      200,
    );
  });

  it('R-RT-10 a session is refreshed no more than 30 times a minute, from wherever', async () => {
    let { refreshToken } = await begin();
    for (let i = 0; i < 30; i++) {
      const { json } = await app.ask('POST', '/auth/refresh', { json: { refreshToken }, from: fresh() });
      ({ refreshToken } = json);
    }
    const { status, headers } = await app.ask('POST', '/auth/refresh', {
      json: { refreshToken },
      from: fresh(),
    });
    expect([status, Number(headers['retry-after']) > 0]).toEqual([429, true]);
  });

  it('R-RL-19 one address has five tries a minute for an account, however its name is written', async () => {
    const from = fresh();
    for (const email of [
      'eve@example.com',
      'EVE@example.com',
      'eve@Example.com',
      'Eve@example.com',
      'ｅve@example.com',
    ]) {
      expect([400, 401]).toContain((await app.login(email, 'wrong', { from })).status);
    }
    expect((await app.login('eve@example.com', 'wrong', { from })).status).toBe(429);
    expect((await app.login('ada@example.com', 'right', { from })).status).toBe(200);
  });
});

describe.each(ADAPTERS)('an account that is attacked, on %s', (adapter) => {
  let app: SessionsApp;
  beforeAll(async () => {
    app = await startSessions(adapter);
    expect((await app.login('ada@example.com', 'right', { from: '198.51.100.1' })).status).toBe(200);
    for (let i = 1; i <= 200; i++) {
      const answer = await app.login('ada@example.com', 'guess', { from: `203.0.113.${i}` });
      expect(answer.status).toBe(401);
    }
  });
  afterAll(() => app.close());

  it('R-RT-10 R-RL-19 slows strange addresses down to one try, whatever it is', async () => {
    const from = '192.0.2.1';
    expect((await app.login('ada@example.com', 'guess', { from })).status).toBe(401);
    const { status, headers, json } = await app.login('ada@example.com', 'right', { from });
    expect([status, json.error.code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(800);
  });

  it('R-RT-10 R-RL-19 lets its owner in from any address with the first try, and goes on as usual where he was before', async () => {
    expect((await app.login('ada@example.com', 'right', { from: '192.0.2.2' })).status).toBe(200);
    for (const password of ['typo', 'right', 'right']) {
      const answer = await app.login('ada@example.com', password, { from: '198.51.100.1' });
      expect(answer.status).toBe(password === 'right' ? 200 : 401);
    }
    expect((await app.login('bob@example.com', 'right', { from: '192.0.2.1' })).status).toBe(200);
  });
});

describe('an application’s own credentials', () => {
  class PinDto {
    @IsString()
    @MaxLength(20)
    card!: string;

    @IsString()
    @MaxLength(8)
    pin!: string;
  }

  it('R-IV-10 are validated by its own class, and its grant is what the session gets', async () => {
    const app = await startSessions('express', {
      path: 'bank/session',
      credentials: PinDto as never,
      account: (({ card }: Partial<PinDto>) => card) as never,
      authenticate: (({ card, pin }: PinDto) => {
        if (pin === 'stop') throw new SecurityError('FORBIDDEN', 'The card is blocked');
        return pin === '1234'
          ? { subject: card, scopes: ['pay'], roles: ['holder'], claims: { acr: 'card' }, device: 'ATM' }
          : undefined;
      }) as never,
    });
    const post = (json: unknown) => app.ask('POST', '/bank/session/token', { json });
    expect((await post({ email: 'ada@example.com', password: 'right' })).status).toBe(400);
    expect((await post({ card: '1', pin: '0' })).status).toBe(401);
    expect((await post({ card: '1', pin: 'stop' })).status).toBe(403);
    const { json } = await post({ card: '1', pin: '1234' });
    expect(decodeJwt(json.accessToken)).toMatchObject({
      sub: '1',
      scope: 'pay',
      roles: ['holder'],
      acr: 'card',
    });
    const [session] = (await app.ask('GET', '/bank/session/sessions', { as: json.accessToken }))
      .json as unknown as SessionView[];
    expect(session).toMatchObject({ device: 'ATM', current: true });
    await app.close();
  });

  it('R-RT-10 R-RL-18 counters that cannot be asked let nobody try', async () => {
    const storage = { consume: () => Promise.reject(new Error('gone')), reset: () => undefined };
    const app = await startSessions('express', { storage });
    const json = { email: 'ada@example.com', password: 'right' };
    const answer = await app.ask('POST', '/auth/token', { json });
    expect([answer.status, answer.header('retry-after'), answer.json.error.code]).toEqual([
      503,
      '5',
      'UNAVAILABLE',
    ]);
    await app.close();
  });

  it('R-IV-09 an account function that trips over hostile input costs nothing', async () => {
    const app = await startSessions('fastify', {
      account: ((body: { email: { toUpperCase(): string } }) => body.email.toUpperCase()) as never,
    });
    for (const json of [{ email: 7 }, { email: null }, [], 'x']) {
      expect((await app.ask('POST', '/auth/token', { json })).status).toBe(400);
    }
    await app.close();
  });

  it('R-CF-01 refuses options that are none', () => {
    const authenticate = () => undefined;
    for (const wrong of [
      { path: '/a b' },
      { credentials: {} },
      { account: 'email' },
      { transport: 'header' },
      { limits: { logins: '5/minute' } },
      { limits: { account: 'many' } },
      { storage: {} },
      { decorators: ['x'] },
      { cookies: true },
    ]) {
      expect(() => SessionsModule.forRoot({ authenticate, ...wrong } as never)).toThrow(
        SecurityConfigurationError,
      );
    }
  });
});
