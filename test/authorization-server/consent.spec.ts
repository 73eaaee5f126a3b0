import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { send } from '../support/http-client.js';
import { ALICE, BOB, REDIRECT, type ServerApp, startServer } from './server-app.js';
import { authorize, authorizeUrl, csrfIn, pkce, scopesIn, Visitor } from './visitor.js';

const CAROL = {
  id: 'user-carol',
  name: 'Carol',
  login: 'carol@example.test',
  password: 'no rights at all',
  scopes: [],
};

/** Somebody whose id is a client's: the application has not looked at it. */
const MALLORY = { id: 'client_mallory', name: 'Mallory', login: 'mallory@example.test', password: 'x' };

describe.each(ADAPTERS)('R-AS-13 who is asked, and what, on %s', (adapter) => {
  let server: ServerApp;
  let visitor: Visitor;
  const accounts = [ALICE, BOB, CAROL, MALLORY];
  beforeAll(async () => {
    server = await startServer(adapter, {
      authenticate: ({ login, password }) =>
        accounts.find((one) => one.login === login && one.password === password),
      findAccount: (id) => accounts.find((one) => one.id === id),
    });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    visitor = new Visitor(server.port, server.issuer);
  });

  const open = async (url: string, by = visitor) => by.follow(await by.get(url));
  const logIn = async (at: { answer: { text: string }; url: string }, { login, password } = ALICE) =>
    visitor.follow(await visitor.submit(at.url, { csrf: csrfIn(at.answer.text), login, password }));
  const subjectOf = async (
    back: string,
    verifier: string,
    client: { clientId: string; clientSecret?: string },
  ) => {
    const { json } = await send<{ access_token: string }>(server.port, 'POST', '/oauth/token', {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: new URL(back).searchParams.get('code') ?? '',
        redirect_uri: REDIRECT,
        code_verifier: verifier,
      }).toString(),
    });
    return decodeJwt(json.access_token).sub;
  };
  const tickedIn = (text: string) => [...text.matchAll(/name="scope" value="[^"]+" +checked/g)].length;

  it('R-AS-13 what was unticked stays so when the form comes back', async () => {
    const { clientId } = await server.register();
    const page = await logIn(await open(authorizeUrl(server.issuer, clientId, pkce())));
    expect(tickedIn(page.answer.text)).toBe(2);
    const again = await visitor.submit(page.url, { csrf: csrfIn(page.answer.text), action: 'allow' });
    expect([again.status, scopesIn(again.text).length, tickedIn(again.text)]).toEqual([400, 2, 0]);
  });

  it('R-AS-13 who was asked before sees what they have allowed', async () => {
    const { clientId } = await server.register();
    const url = authorizeUrl(server.issuer, clientId, pkce());
    await authorize(visitor, url, ALICE, ([first]) => [first!]);
    const { answer } = await open(url);
    expect(answer.text.match(/allowed before/g)).toHaveLength(1);
  });

  it('R-AS-11 who has none of the permissions is not asked, or can only deny', async () => {
    const web = await server.register();
    const refused = await logIn(await open(authorizeUrl(server.issuer, web.clientId, pkce())), CAROL);
    expect(new URL(refused.url).searchParams.get('error')).toBe('access_denied');
    // An installed application is always asked about.
    const redirectUris = ['com.example.app:/callback'];
    const native = await server.register({ authentication: 'none', redirectUris });
    const url = authorizeUrl(server.issuer, native.clientId, pkce(), { redirect_uri: redirectUris[0] });
    const page = await open(url);
    expect(page.answer.text).toContain('Your account has none of the permissions');
    expect(page.answer.text).not.toContain('value="allow"');
    expect(page.answer.header('content-security-policy')).toContain("form-action 'self' com.example.app:;");
    const csrf = csrfIn(page.answer.text);
    const scope = 'users:read https://api.example.test';
    expect((await visitor.submit(page.url, { csrf, action: 'allow', scope })).status).toBe(400);
    const denied = await visitor.follow(await visitor.submit(page.url, { csrf, action: 'deny' }));
    expect(new URL(denied.url).searchParams.get('error')).toBe('access_denied');
  });

  it('R-AS-16 nobody gets in under the name of a client', async () => {
    const { clientId } = await server.register();
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const url = authorizeUrl(server.issuer, clientId, pkce());
    const answer = await logIn(await open(url), MALLORY);
    expect([answer.answer.status, answer.answer.header('location')]).toEqual([500, undefined]);
    expect((await open(url)).answer.text).toContain('name="password"');
    quiet.mockRestore();
  });

  it('R-AS-11 who asks for no scope gets none', async () => {
    const client = await server.register();
    const url = authorizeUrl(server.issuer, client.clientId, pkce(), { scope: undefined });
    const answer = await logIn(await open(url));
    expect(new URL(answer.url).searchParams.get('error')).toBe('access_denied');
  });

  it('R-AS-13 somebody else than the one who is signed in can take over, and the first is signed out', async () => {
    const client = await server.register();
    const proof = pkce();
    const url = authorizeUrl(server.issuer, client.clientId, proof);
    const page = await logIn(await open(url));
    expect(page.answer.text).toContain('Signed in as <strong>Alice</strong>');
    const forged = await visitor.submit(page.url, { csrf: 'x', action: 'switch' });
    expect(forged.status).toBe(403);
    const login = await visitor.follow(
      await visitor.submit(page.url, { csrf: csrfIn(page.answer.text), action: 'switch' }),
    );
    expect(login.answer.text).toContain('name="password"');
    const consent = await logIn(login, BOB);
    expect(consent.answer.text).toContain('Signed in as <strong>Bob</strong>');
    const { text } = consent.answer;
    const done = await visitor.follow(
      await visitor.submit(consent.url, { csrf: csrfIn(text), scope: scopesIn(text), action: 'allow' }),
    );
    expect(await subjectOf(done.url, proof.verifier, client)).toBe(BOB.id);
  });

  it('R-JW-25 whose login is too old for a client logs in again', async () => {
    const { clientId } = await server.register();
    const url = authorizeUrl(server.issuer, clientId, pkce());
    await authorize(visitor, url, ALICE);
    await new Promise((done) => {
      setTimeout(done, 2_100);
    });
    const again = await open(`${url}&max_age=1`);
    expect(again.answer.text).toContain('name="password"');
    expect((await logIn(again)).url).toContain('code=');
    expect((await open(`${url}&max_age=3600`)).url).toContain('code=');
    const wrong = await open(`${url}&max_age=soon`);
    expect(new URL(wrong.url).searchParams.get('error')).toBe('invalid_request');
  });

  it('R-AS-13 two logins at once in two tabs: the later one counts', async () => {
    const client = await server.register();
    const proof = pkce();
    const url = authorizeUrl(server.issuer, client.clientId, proof);
    const tab = await open(url);
    const kept = new Map(visitor.cookies);
    const other = await open(authorizeUrl(server.issuer, client.clientId, pkce()));
    await logIn(other, BOB);
    // Each request has cookies of its own, by path; those of the first tab are still there.
    for (const [name, cookie] of kept) if (cookie.path !== '/') visitor.cookies.set(name, cookie);
    const consent = await logIn(tab, ALICE);
    expect(consent.answer.text).toContain('Signed in as <strong>Alice</strong>');
    const { text } = consent.answer;
    const done = await visitor.follow(
      await visitor.submit(consent.url, { csrf: csrfIn(text), scope: scopesIn(text), action: 'allow' }),
    );
    expect(await subjectOf(done.url, proof.verifier, client)).toBe(ALICE.id);
  });

  it('R-AS-13 who signs out on the page of applications is signed out altogether', async () => {
    const { clientId } = await server.register();
    const url = authorizeUrl(server.issuer, clientId, pkce());
    await authorize(visitor, url, ALICE);
    expect((await open(url)).url).toContain('code=');
    const page = await logIn(
      await open('/oauth/applications').then(({ answer }) => ({
        answer,
        url: '/oauth/applications',
      })),
    );
    const { text } = page.answer;
    const stolen = new Map(visitor.cookies);
    await visitor.submit('/oauth/applications', { csrf: csrfIn(text), action: 'logout' });
    expect((await open(url)).answer.text).toContain('name="password"');
    // Whoever has copied the cookie has nothing either.
    const copy = new Visitor(server.port, server.issuer);
    for (const [name, cookie] of stolen) if (name.startsWith('as-session')) copy.cookies.set(name, cookie);
    expect((await open(url, copy)).answer.text).toContain('name="password"');
  });
});
