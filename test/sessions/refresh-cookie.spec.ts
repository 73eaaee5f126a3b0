import { CSRF_HEADER, REFRESH_COOKIE } from 'nestjs-api-security/sessions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { type Answer, type SessionsApp, startSessions } from './sessions-app.js';

const BROWSER = { [CSRF_HEADER]: '1', 'sec-fetch-site': 'same-origin' };
const cookieOf = ({ headers }: Answer): string => headers['set-cookie'] ?? '';
const pairOf = (answer: Answer): string => cookieOf(answer).split(';')[0]!;

describe.each(ADAPTERS)('a refresh token in a cookie, on %s', (adapter) => {
  let app: SessionsApp;
  beforeAll(async () => {
    app = await startSessions(adapter, {
      transport: 'cookie',
      limits: { account: '1000/minute', refresh: '1000/minute', login: '1000/minute' },
    });
  });
  afterAll(() => app.close());

  const login = (headers: object = BROWSER) =>
    app.login('ada@example.com', 'right', { headers: headers as Record<string, string> });
  const refresh = (cookie?: string | readonly string[], headers: object = BROWSER) =>
    app.ask('POST', '/auth/refresh', {
      headers: { ...headers, ...(cookie !== undefined && { cookie }) },
    });

  it('R-RT-09 is for this host, HTTPS, and no script', async () => {
    const answer = await login();
    expect(cookieOf(answer)).toMatch(
      /^__Host-refresh=rt_[\w-]{65}; Max-Age=1209600; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(REFRESH_COOKIE).toBe('__Host-refresh');
    expect(Object.keys(answer.json).toSorted()).toEqual(['accessToken', 'expiresIn', 'tokenType']);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('R-RT-03 is exchanged for the next one', async () => {
    const first = pairOf(await login());
    const second = await refresh(`theme=dark; ${first}; x=y`);
    expect(second.status).toBe(200);
    expect(pairOf(second)).toMatch(/^__Host-refresh=rt_/);
    expect(pairOf(second)).not.toBe(first);
    expect(second.text).not.toContain('refreshToken');
    expect((await app.ask('GET', '/auth/sessions', { as: second.json.accessToken })).status).toBe(200);
  });

  it('R-RT-04 is forgotten by the browser when it is not good any more', async () => {
    const first = pairOf(await login());
    await refresh(first);
    const replay = await refresh(first);
    expect([replay.status, cookieOf(replay)]).toEqual([
      401,
      '__Host-refresh=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict',
    ]);
  });

  it('R-RT-08 is forgotten at the logout', async () => {
    const answer = await login();
    const out = await app.ask('POST', '/auth/logout', { as: answer.json.accessToken });
    expect([out.status, cookieOf(out).startsWith('__Host-refresh=; Max-Age=0')]).toEqual([204, true]);
    expect((await refresh(pairOf(answer))).status).toBe(401);
  });

  it('R-RT-09 is of no use to pages of other sites', async () => {
    const cookie = pairOf(await login());
    const forgeries = [
      {},
      { 'sec-fetch-site': 'same-origin' },
      { ...BROWSER, 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of forgeries) {
      const answer = await refresh(cookie, headers);
      expect([answer.status, answer.json.error.code]).toEqual([403, 'FORBIDDEN']);
      expect((await login(headers)).status).toBe(403);
    }
    expect((await refresh(cookie)).status).toBe(200);
  });

  it('R-RT-09 must come once, in a cookie and nowhere else', async () => {
    const cookie = pairOf(await login());
    expect((await refresh(`${cookie}; ${cookie}`)).status).toBe(400);
    expect((await refresh(`${cookie}; __Host-refresh=other`)).status).toBe(400);
    for (const none of [
      undefined,
      '',
      '__Host-refresh',
      '__host-refresh=x',
      'x__Host-refresh=x',
      '__Host-refresh=',
    ]) {
      expect((await refresh(none)).status).toBe(401);
    }
    const [, refreshToken] = cookie.split('=');
    const inBody = await app.ask('POST', '/auth/refresh', { json: { refreshToken }, headers: BROWSER });
    expect(inBody.status).toBe(401);
    expect((await refresh(cookie)).status).toBe(200);
  });
});

describe.each(ADAPTERS)('both ways, on %s', (adapter) => {
  it('R-RT-09 serves browsers by cookie and others by body', async () => {
    const app = await startSessions(adapter, { transport: 'both' });
    const browser = await app.login('ada@example.com', 'right', { headers: BROWSER });
    expect([browser.json.refreshToken, pairOf(browser)]).toEqual([undefined, expect.stringMatching(/=rt_/)]);
    const program = await app.login();
    expect([typeof program.json.refreshToken, cookieOf(program)]).toEqual(['string', '']);
    const { refreshToken } = program.json;
    expect((await app.ask('POST', '/auth/refresh', { json: { refreshToken } })).status).toBe(200);
    // A form of another site sends the cookie perhaps, but not the header: then the cookie does not count.
    const forged = await app.ask('POST', '/auth/refresh', { headers: { cookie: pairOf(browser) } });
    expect(forged.status).toBe(400);
    const refreshed = await app.ask('POST', '/auth/refresh', {
      headers: { ...BROWSER, cookie: pairOf(browser) },
    });
    expect(refreshed.status).toBe(200);
    await app.close();
  });
});
