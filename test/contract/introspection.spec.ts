import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { Controller, Get, Module } from '@nestjs/common';
import {
  CurrentPrincipal,
  MemoryTokenStore,
  OAuth2Auth,
  type Principal,
  SecurityEvents,
  SecurityModule,
  type SecurityOptions,
  TokenService,
} from 'nestjs-api-security';
import { jwtVerify, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { proofMaker } from '../authentication/oauth2/proofs.js';
import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { accessToken } from '../support/reference-app.js';
import { AnsweringServer } from '../support/servers/answering-server.js';

const API = 'https://api.example.test';
const CLIENT = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const JWT_KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });

@Controller()
class MailController {
  @OAuth2Auth('mail:read') @Get('mail') mail(@CurrentPrincipal() { type, id, clientId, issuer }: Principal) {
    return { type, id, clientId, issuer };
  }
}

type Issuer = NonNullable<SecurityOptions['oauth2']>['issuers'][number];

const server = new AnsweringServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const good = (claims: Record<string, unknown> = {}) => ({
  active: true,
  iss: server.url,
  aud: API,
  sub: 'user-1',
  client_id: 'app-1',
  scope: 'mail:read',
  token_type: 'Bearer',
  exp: Math.floor(Date.now() / 1000) + 600,
  ...claims,
});

describe.each(ADAPTERS)('R-IN opaque tokens on %s', (adapter) => {
  let app: RunningApp | undefined;
  let offset = 0;
  beforeEach(() => {
    server.asked.length = 0;
    server.looks = 0;
    server.tellsMetadata = true;
    offset = 0;
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  async function start(
    introspection: Record<string, unknown> = {},
    more: readonly Issuer[] = [],
    extra: Partial<Issuer> = {},
    rateLimit: SecurityOptions['rateLimit'] = {},
    options: Partial<SecurityOptions> = {},
  ): Promise<(token?: string, headers?: Record<string, string>) => ReturnType<typeof send>> {
    const issuer = {
      ...extra,
      issuer: server.url,
      introspection: { clientId: 'api', clientSecret: 'a secret/with:signs', ...introspection },
    };
    @Module({
      imports: [
        SecurityModule.forRoot({
          https: 'off',
          logger: false,
          rateLimit: {
            read: '1000000/minute',
            address: '1000000/minute',
            failedAuthentication: false,
            ...rateLimit,
          },
          clock: { now: () => Date.now() + offset, monotonic: () => performance.now() + offset },
          oauth2: { resource: API, issuers: [issuer, ...more] },
          ...options,
        }),
      ],
      controllers: [MailController],
    })
    class MailModule {}
    const running = await startApp(adapter, MailModule);
    app = running;
    return (token = randomBytes(16).toString('hex'), headers = {}) =>
      send(running.port, 'GET', '/mail', { headers: { authorization: `Bearer ${token}`, ...headers } });
  }

  it('R-IN-01 R-AU-15 the question is a form with an authenticated client, at the place that the issuer names', async () => {
    const get = await start();
    server.says(good());
    const { status, json } = await get('the.opaque~token+1', {
      cookie: 'a=b',
      'x-forwarded-for': '192.0.2.1',
    });
    expect([status, json]).toEqual([
      200,
      { type: 'user', id: 'user-1', clientId: 'app-1', issuer: server.url },
    ]);
    const [{ headers, body }] = server.asked as [(typeof server.asked)[0]];
    expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(headers.authorization).toBe(
      `Basic ${Buffer.from('api:a+secret%2Fwith%3Asigns').toString('base64')}`,
    );
    expect(Object.keys(headers).toSorted()).toEqual([
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
    ]);
    expect(Object.fromEntries(body)).toEqual({
      token: 'the.opaque~token+1',
      token_type_hint: 'access_token',
    });
  });

  it('R-IN-01 or with an assertion that is signed for this issuer, once', async () => {
    const get = await start({ clientSecret: undefined, privateKey: CLIENT.privateKey });
    server.says(good());
    expect((await get()).status).toBe(200);
    const { headers, body } = server.asked[0]!;
    expect(headers.authorization).toBeUndefined();
    const { payload } = await jwtVerify(body.get('client_assertion')!, CLIENT.publicKey, {
      issuer: 'api',
      subject: 'api',
      audience: server.url,
    });
    expect(payload.exp! - payload.iat!).toBe(60);
    expect(payload.jti).toMatch(/^[\w-]{36}$/);
  });

  it('R-IN-02 R-AU-09 whatever is not clearly good for this API is refused, always in the same words', async () => {
    const get = await start();
    const now = Math.floor(Date.now() / 1000);
    const refused: Record<string, unknown>[] = [
      { active: false },
      good({ aud: 'https://other.example' }),
      good({ aud: undefined }),
      good({ aud: 7 }),
      good({ iss: 'https://other.example' }),
      good({ exp: now - 60 }),
      good({ exp: undefined }),
      good({ exp: String(now + 60) }),
      good({ nbf: now + 120 }),
      good({ client_id: undefined }),
      good({ sub: 7 }),
      good({ scope: ['mail:read'] }),
      good({ cnf: { kid: 'x' } }),
      good({ token_type: 'refresh_token' }),
      good({ token_type: 7 }),
    ];
    const answers = new Set<string>();
    for (const claims of refused) {
      server.says(claims);
      const { status, headers, text } = await get();
      expect([claims, status]).toEqual([claims, 401]);
      expect(headers['www-authenticate']).toContain('error="invalid_token"');
      answers.add(`${text} ${headers['www-authenticate']}`);
    }
    expect([...answers]).toHaveLength(1);
    server.says(good({ scope: 'other' }));
    expect((await get()).status).toBe(403);
    server.says(good({ sub: undefined, client_id: 'robot' }));
    expect((await get()).json).toMatchObject({ type: 'client', id: 'robot' });
  });

  it('R-IN-02 R-IN-03 what says nothing is 503, reported, and lets nobody in', async () => {
    const get = await start({ timeout: '1s' });
    const seen: string[] = [];
    app!.app.get(SecurityEvents).stream.subscribe((event) => {
      if (event.type === 'introspection.failed') seen.push(event.reason);
    });
    const lies: ((response: ServerResponse) => void)[] = [
      (response) => response.end('{"active":"true"}'),
      (response) => response.end('{"active":1}'),
      (response) => response.end('{}'),
      (response) => response.end('[true]'),
      (response) => response.end('{"active":false,"active":true}'),
      (response) => response.end('<html>'),
      (response) => response.end(`{"active":true,"x":"${'x'.repeat(200_000)}"}`),
      (response) => response.writeHead(500).end(JSON.stringify(good())),
      (response) => response.writeHead(401).end(),
      (response) => response.writeHead(403).end(),
      (response) => response.writeHead(302, { location: `${server.url}/else` }).end(),
      (response) => response.socket?.destroy(),
      () => {},
    ];
    for (const lie of lies) {
      server.answer = lie;
      const { status, headers } = await get();
      expect([lie.toString(), status, headers['retry-after']]).toEqual([lie.toString(), 503, '5']);
      server.says(good());
      expect((await get()).status).toBe(200);
    }
    expect(seen).toHaveLength(lies.length);
  });

  it('R-IN-04 a thousand first uses at once ask once; after that it is known for a while', async () => {
    const get = await start({ cacheFor: '3m' });
    server.answer = (response) => setTimeout(() => response.end(JSON.stringify(good())), 300);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => get('same')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(server.asked).toHaveLength(1);
    server.says({ active: false });
    offset = 120_000;
    expect((await get('same')).status).toBe(200);
    expect(server.asked).toHaveLength(1);
    offset = 200_000;
    expect((await get('same')).status).toBe(401);
    offset = 201_000;
    expect((await get('same')).status).toBe(401);
    expect(server.asked).toHaveLength(2);
    offset = 220_000;
    await get('same');
    expect(server.asked).toHaveLength(3);
  });

  it('R-IN-04 what was answered is believed from the question on, however long the answer took', async () => {
    const get = await start({ cacheFor: '5s' });
    server.answer = (response) => {
      offset += 2_500;
      response.end(JSON.stringify(good()));
    };
    expect((await get('slow')).status).toBe(200);
    offset += 1_000;
    expect((await get('slow')).status).toBe(200);
    expect(server.asked).toHaveLength(1);
    offset += 2_000;
    expect((await get('slow')).status).toBe(200);
    expect(server.asked).toHaveLength(2);
  });

  it('R-IN-04 nothing is believed beyond its own end, nor after it was revoked here', async () => {
    const get = await start({ cacheFor: '5m' });
    server.says(good({ exp: Math.floor(Date.now() / 1000) + 60, jti: 'token-1' }));
    expect((await get('short')).status).toBe(200);
    expect((await get('short')).status).toBe(200);
    await app!.app
      .get(TokenService)
      .revoke({ issuer: server.url, id: 'user-1', tokenId: 'token-1' } as Principal);
    expect((await get('short')).status).toBe(401);
    expect(server.asked).toHaveLength(1);
    server.says(good({ exp: Math.floor(Date.now() / 1000) + 60, jti: 'token-2' }));
    expect((await get('other')).status).toBe(200);
    offset = 91_000;
    expect((await get('other')).status).toBe(401);
    const underWay = good({ jti: 'token-4' });
    server.answer = (response) => setTimeout(() => response.end(JSON.stringify(underWay)), 300);
    const late = get('fourth');
    await expect.poll(() => server.asked.some(({ body }) => body.get('token') === 'fourth')).toBe(true);
    await app!.app
      .get(TokenService)
      .revoke({ issuer: server.url, id: 'user-1', tokenId: 'token-4' } as Principal);
    expect((await late).status).toBe(401);
    await app!.app.get(TokenService).revokeAllOf('user-1', server.url);
    server.says(good({ iat: undefined, jti: 'token-3' }));
    expect((await get('third')).status).toBe(401);
  });

  it('R-IN-01 R-IN-03 the place is looked up once for all, and stays where it was when the metadata are silent', async () => {
    const get = await start({ timeout: '1s', cacheFor: 0 });
    server.says(good());
    await Promise.all(Array.from({ length: 20 }, () => get()));
    expect(server.looks).toBe(1);
    server.tellsMetadata = false;
    offset = 3_700_000;
    server.says(good({ exp: Math.floor((Date.now() + offset) / 1000) + 60 }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => get()));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await get()).status).toBe(200);
    expect(server.looks).toBe(2);
  });

  it('R-IN-04 R-AU-13 with the server gone what is known goes on to its bound, and everything else is 503', async () => {
    const get = await start({ cacheFor: '1m' });
    server.says(good());
    expect((await get('known')).status).toBe(200);
    server.says({ active: false });
    expect((await get('unknown')).status).toBe(401);
    server.answer = (response) => response.socket?.destroy();
    for (offset of [0, 9_000, 59_000]) {
      expect((await get('known')).status).toBe(200);
      const { status, headers } = await get();
      expect([status, headers['retry-after']]).toEqual([503, '5']);
    }
    expect((await get('unknown')).status).toBe(503);
    offset = 61_000;
    expect((await get('known')).status).toBe(503);
  });

  it('R-IN-05 R-AU-14 of 5 000 made-up tokens from one address few are asked about, and the sender is told to wait', async () => {
    const get = await start({}, [], {}, { failedAuthentication: '20/minute' });
    server.says({ active: false });
    const statuses = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => get()));
      for (const { status } of answers) statuses.add(status);
    }
    expect([...statuses].every((status) => [401, 429, 503].includes(status))).toBe(true);
    // The budget, and those that were under way when it was used up.
    expect(server.asked.length).toBeLessThanOrEqual(20 + 25);
    expect((await get()).status).toBe(429);
  });

  it('R-JW-22 R-IN-04 while nobody knows what was revoked elsewhere no token is good, and none is asked about', async () => {
    const store = new MemoryTokenStore();
    let reachable = true;
    const shared = Object.assign(Object.create(store) as MemoryTokenStore, {
      revocationsSince: (...args: Parameters<MemoryTokenStore['revocationsSince']>) =>
        reachable ? store.revocationsSince(...args) : Promise.reject(new Error('gone')),
      purge: () => Promise.resolve(0),
    });
    const get = await start({}, [], {}, {}, { tokens: { store: shared, revokedWithin: '1s' } });
    server.says(good());
    expect((await get('known')).status).toBe(200);
    reachable = false;
    await expect.poll(async () => (await get('known')).status, { timeout: 5_000 }).toBe(503);
    for (let i = 0; i < 5; i++) expect((await get()).status).toBe(503);
    expect(server.asked).toHaveLength(1);
    reachable = true;
    await expect.poll(async () => (await get('known')).status, { timeout: 5_000 }).toBe(200);
  });

  it('R-IN-05 after five failures nobody waits any more, until one question finds the server back', async () => {
    const get = await start();
    server.answer = (response) => response.writeHead(500).end();
    for (let i = 0; i < 5; i++) expect((await get()).status).toBe(503);
    expect((await get()).status).toBe(503);
    expect(server.asked).toHaveLength(5);
    offset = 6_000;
    server.says({ error: 'unsupported_token_type' }, 400);
    for (let i = 0; i < 10; i++) expect((await get()).status).toBe(503);
    expect(server.asked).toHaveLength(15);
    server.says(good());
    expect((await get()).status).toBe(200);
    expect((await get()).status).toBe(200);
    expect(server.asked).toHaveLength(17);
    server.answer = (response) => response.writeHead(500).end();
    for (let i = 0; i < 5; i++) await get();
    server.answer = (response) => setTimeout(() => response.end(JSON.stringify(good())), 300);
    offset = 12_000;
    const answers = await Promise.all(Array.from({ length: 10 }, () => get()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(9);
    expect(server.asked).toHaveLength(17 + 5 + 1);
  });

  it('R-IN-05 places are few, one address takes half of them, and tokens that are none are not asked about', async () => {
    const get = await start({ maxConcurrent: 4, timeout: '8s' });
    server.answer = (response) => setTimeout(() => response.end(JSON.stringify(good())), 500);
    const answers = await Promise.all(Array.from({ length: 8 }, () => get()));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(6);
    server.asked.length = 0;
    expect((await get('x'.repeat(4_097))).status).toBe(401);
    expect((await get('nö')).status).toBe(400);
    expect(server.asked).toHaveLength(0);
  });

  it('R-IN-06 beside an issuer of JWTs, what has three parts is never asked about', async () => {
    const get = await start({}, [{ issuer: 'https://jwt.example.test', publicKey: JWT_KEYS.publicKey }]);
    server.says(good());
    expect((await get('a.b.c')).status).toBe(401);
    expect(server.asked).toHaveLength(0);
    const claims = { iss: 'https://jwt.example.test', aud: API, client_id: 'app-2', scope: 'mail:read' };
    const jwt = await accessToken(claims, {}, JWT_KEYS.privateKey);
    expect((await get(jwt)).json).toMatchObject({ clientId: 'app-2' });
    expect((await get('opaque')).json).toMatchObject({ clientId: 'app-1' });
  });

  it('R-IN-07 where answers have to be signed, nothing counts but what the issuer has signed for this API', async () => {
    const [ours, others] = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' })) as [
      typeof CLIENT,
      typeof CLIENT,
    ];
    const get = await start({ signed: true }, [], { publicKey: ours.publicKey });
    const now = () => Math.floor(Date.now() / 1000);
    const signed = (
      claims: Record<string, unknown> = {},
      header: Record<string, unknown> = {},
      key = ours.privateKey,
    ) =>
      new SignJWT({ iss: server.url, aud: 'api', iat: now(), token_introspection: good(), ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'token-introspection+jwt', ...header })
        .sign(key);
    const status = async (answer: string | Promise<string>) => {
      const text = await answer;
      server.answer = (response) => response.end(text);
      offset += 6_000;
      return (await get()).status;
    };
    const atOurTime = async (claims: Record<string, unknown> = {}) =>
      signed({ iat: now() + offset / 1000 + 6, ...claims });
    expect(await status(atOurTime())).toBe(200);
    expect(server.asked[0]!.headers.accept).toBe('application/token-introspection+jwt');
    expect(await status(atOurTime({ aud: [API] }))).toBe(200);
    expect(await status(atOurTime({ token_introspection: { active: false } }))).toBe(401);
    const refused: (string | Promise<string>)[] = [
      JSON.stringify(good()),
      signed({ iat: now() + offset / 1000 }, { typ: 'JWT' }),
      signed({ iat: now() + offset / 1000 }, {}, others.privateKey),
      atOurTime({ aud: 'somebody else' }),
      atOurTime({ aud: undefined }),
      atOurTime({ iss: 'https://other.example' }),
      atOurTime({ iat: undefined }),
      atOurTime({ iat: now() - 600 }),
      atOurTime({ token_introspection: 'active' }),
      atOurTime({ token_introspection: { active: 'true' } }),
      atOurTime().then((text) => `${text.slice(0, -4)}AAAA`),
      '',
    ];
    for (const one of refused) expect([await one, await status(one)]).toEqual([await one, 503]);
  });

  it('R-IN-07 R-OA-08 keys that verify answers have no more time than the answers, and their trouble is told', async () => {
    const get = await start({ signed: true, timeout: '500ms' }, [], {
      jwksUri: `${server.url}/keys`,
      keyRefresh: { timeout: '2s' },
    });
    const troubles: string[] = [];
    app!.app.get(SecurityEvents).stream.subscribe((event) => {
      if (event.type === 'key-set.failed') troubles.push(event.issuer);
    });
    const claims = { iss: server.url, aud: 'api', iat: Math.floor(Date.now() / 1000) };
    const text = await new SignJWT({ ...claims, token_introspection: good() })
      .setProtectedHeader({ alg: 'ES256', typ: 'token-introspection+jwt' })
      .sign(CLIENT.privateKey);
    server.answer = (response, token) => {
      if (token !== '') response.end(text);
    };
    const began = performance.now();
    expect((await get()).status).toBe(503);
    expect(performance.now() - began).toBeLessThan(1_500);
    await expect.poll(() => troubles, { timeout: 4_000 }).toEqual([server.url]);
  });

  it('R-DP-05 R-IN-02 an opaque token can be bound to a key', async () => {
    const get = await start();
    const client = await proofMaker();
    server.says(good({ cnf: { jkt: client.jkt }, token_type: 'DPoP' }));
    expect((await get('bound')).status).toBe(401);
    const dpop = await client.proof('GET', `${API}/mail`, 'bound');
    expect((await get('', { authorization: 'DPoP bound', dpop })).status).toBe(200);
  });

  it('R-IN-02 the audience may be left out only where the options say so', async () => {
    const get = await start({ requireAudience: false });
    server.says(good({ aud: undefined }));
    expect((await get()).status).toBe(200);
    server.says(good({ aud: 'https://other.example' }));
    expect((await get()).status).toBe(401);
  });
});

describe('R-IN the options', () => {
  const boot = (issuers: readonly unknown[]) => {
    @Module({
      imports: [
        SecurityModule.forRoot({
          https: 'off',
          logger: false,
          oauth2: { resource: API, issuers: issuers as Issuer[] },
        }),
      ],
      controllers: [MailController],
    })
    class BadModule {}
    return startApp('express', BadModule);
  };
  const one = { issuer: 'https://a.example', introspection: { clientId: 'x', clientSecret: 'y' } };

  it('R-CF-01 R-IN-06 what is wrong stops the boot', async () => {
    await expect(boot([one, { ...one, issuer: 'https://b.example' }])).rejects.toThrow(
      'introspection.several',
    );
    await expect(boot([one, { issuer: 'https://a.example' }])).rejects.toThrow('oauth2.issuer.repeated');
    await expect(boot([{ ...one, jwksUri: 'https://a.example/k' }])).rejects.toThrow('oauth2.option.unknown');
    await expect(boot([{ ...one, introspection: true }])).rejects.toThrow('oauth2.introspection.type');
    const bad = { endpoint: 'http://x.example', clientId: '', maxConcurrent: 0, requireAudience: 1, odd: 1 };
    await expect(boot([{ ...one, introspection: bad }])).rejects.toThrow(
      /option\.unknown[^]*endpoint\.insecure[^]*clientId\.missing[^]*maxConcurrent\.bounds[^]*requireAudience\.type[^]*authentication\.missing/,
    );
    await expect(boot([{ ...one, introspection: { clientId: 'x', privateKey: 'y' } }])).rejects.toThrow(
      'oauth2.introspection.privateKey.refused',
    );
    await expect(boot([{ ...one, introspection: { clientId: 'x', clientSecret: 7 } }])).rejects.toThrow(
      'oauth2.introspection.clientSecret.type',
    );
  });
});
