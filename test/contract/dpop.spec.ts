import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { Controller, Get, Module, Post } from '@nestjs/common';
import {
  ApiKeyAuth,
  CurrentPrincipal,
  JwtAuth,
  OAuth2Auth,
  type Principal,
  RequireDpop,
  SecurityModule,
  type SecurityOptions,
  StepUp,
} from 'nestjs-api-security';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type ProofMaker, proofMaker } from '../authentication/oauth2/proofs.js';
import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send, type SendOptions } from '../support/http-client.js';
import { accessToken, AUDIENCE, ISSUER } from '../support/reference-app.js';

const SERVER = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const OWN = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const AS = 'https://as.example.test';
const API = 'https://api.example.test';

@Controller()
class AccountController {
  @OAuth2Auth() @Get('account') account(@CurrentPrincipal() { id, clientId, binding }: Principal) {
    return { id, clientId, jkt: binding?.jkt };
  }

  @OAuth2Auth() @JwtAuth() @ApiKeyAuth() @Get('shared/:id') shared() {
    return { ok: true };
  }

  @OAuth2Auth('pay') @RequireDpop() @Post('payments') pay() {
    return { ok: true };
  }

  @OAuth2Auth() @StepUp({ maxAge: '5m' }) @Get('fresh') fresh() {
    return { ok: true };
  }
}

function moduleWith(oauth2: Partial<NonNullable<SecurityOptions['oauth2']>> = {}) {
  @Module({
    imports: [
      SecurityModule.forRoot({
        https: 'off',
        logger: false,
        apiKeys: {},
        rateLimit: { read: '100000/minute', write: '100000/minute', failedAuthentication: false },
        jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: OWN.publicKey },
        oauth2: { resource: API, issuers: [{ issuer: AS, publicKey: SERVER.publicKey }], ...oauth2 },
      }),
    ],
    controllers: [AccountController],
  })
  class AccountModule {}
  return AccountModule;
}

const issue = (claims: Record<string, unknown> = {}) =>
  accessToken({ iss: AS, aud: API, client_id: 'app-1', scope: 'pay', ...claims }, {}, SERVER.privateKey);
const SHARED = `realm="api", resource_metadata="${API}/.well-known/oauth-protected-resource"`;
const ALGS = 'algs="ES256 ES384 PS256 EdDSA Ed25519"';

describe.each(ADAPTERS)('R-DP DPoP on %s', (adapter) => {
  let app: RunningApp;
  let client: ProofMaker;
  let token: string;

  beforeAll(async () => {
    app = await startApp(adapter, moduleWith());
    client = await proofMaker();
    token = await issue({ cnf: { jkt: client.jkt } });
  });
  afterAll(() => app.close());

  const call = (
    method: string,
    path: string,
    proof: string | readonly string[] | undefined,
    { scheme = 'DPoP', sent = token, ...options }: SendOptions & { scheme?: string; sent?: string } = {},
  ) =>
    send(app.port, method, path, {
      ...options,
      headers: {
        authorization: `${scheme} ${sent}`,
        ...(proof === undefined ? {} : { dpop: proof as string }),
        ...options.headers,
      },
    });

  it('R-DP-01 R-DP-05 R-AU-11 a bound token works with a proof for this request, once', async () => {
    const proof = await client.proof('GET', `${API}/account`, token);
    const answer = await call('GET', '/account', proof);
    expect([answer.status, answer.json]).toEqual([200, { id: 'user-1', clientId: 'app-1', jkt: client.jkt }]);
    const again = await call('GET', '/account', proof);
    expect(again.status).toBe(401);
    expect(again.header('www-authenticate')).toContain('error="invalid_dpop_proof"');
  });

  it.each(['ES384', 'PS256', 'EdDSA'])('R-DP-03 a proof may be signed with %s', async (alg) => {
    const pair =
      alg === 'PS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : alg === 'ES384'
          ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
          : generateKeyPairSync('ed25519');
    const other = await proofMaker(alg, pair);
    const sent = await issue({ cnf: { jkt: other.jkt } });
    const proof = await other.proof('GET', `${API}/account`, sent);
    expect((await call('GET', '/account', proof, { sent })).status).toBe(200);
  });

  it('R-DP-01 R-DP-02 R-DP-03 R-DP-04 R-DP-05 R-DP-06 every point of RFC 9449 §4.3 can fail', async () => {
    const now = Math.floor(Date.now() / 1000);
    const uri = `${API}/account`;
    const good = () => client.proof('GET', uri, token);
    const withClaims = (claims: Record<string, unknown>) => client.proof('GET', uri, token, claims);
    const withHeader = (header: Record<string, unknown>) => client.proof('GET', uri, token, {}, header);
    const stranger = await proofMaker();
    const flipped = (text: string) => text.slice(0, -4) + (text.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    const rsa = await proofMaker('PS256', generateKeyPairSync('rsa', { modulusLength: 2048 }));
    const attacks: Record<string, string | readonly string[] | undefined> = {
      missing: undefined,
      'two proofs in a line': `${await good()}, ${await good()}`,
      'no JWT': 'abc',
      'too long': await withClaims({ filler: 'x'.repeat(4_000) }),
      'wrong typ': await withHeader({ typ: 'JWT' }),
      'typ in capitals': await withHeader({ typ: 'DPOP+JWT' }),
      'no jwk': await withHeader({ jwk: undefined }),
      'private jwk': await withHeader({ jwk: { ...client.jwk, d: 'AAAA' } }),
      'jwk that is text': await withHeader({ jwk: 'x' }),
      'symmetric jwk': await withHeader({ jwk: { kty: 'oct', k: 'AAAA' } }),
      'jku beside jwk': await withHeader({ jku: 'https://evil.example' }),
      'embedded certificate': await withHeader({ x5c: ['AAAA'] }),
      'crit of nothing known': await withHeader({ crit: ['b64'], b64: true }),
      'other algorithm than the key': (await rsa.proof('GET', uri, token)).replace(
        /^[^.]+/,
        Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'dpop+jwt', jwk: rsa.jwk })).toString('base64url'),
      ),
      'alg none': [
        ...[{ alg: 'none', typ: 'dpop+jwt', jwk: client.jwk }, { htm: 'GET' }].map((one) =>
          Buffer.from(JSON.stringify(one)).toString('base64url'),
        ),
        'AA',
      ].join('.'),
      'bad signature': flipped(await good()),
      'key of somebody else': await stranger.proof('GET', uri, token),
      'method in small letters': await withClaims({ htm: 'get' }),
      'other method': await withClaims({ htm: 'POST' }),
      'other path': await withClaims({ htu: `${API}/other` }),
      'other host': await withClaims({ htu: 'https://evil.example/account' }),
      'plain http': await withClaims({ htu: 'http://api.example.test/account' }),
      'other port': await withClaims({ htu: 'https://api.example.test:8443/account' }),
      'user in the uri': await withClaims({ htu: 'https://me@api.example.test/account' }),
      'relative uri': await withClaims({ htu: '/account' }),
      'no jti': await withClaims({ jti: undefined }),
      'long jti': await withClaims({ jti: 'x'.repeat(257) }),
      'no iat': await withClaims({ iat: undefined }),
      'iat as text': await withClaims({ iat: String(now) }),
      old: await withClaims({ iat: now - 62 }),
      'from the future': await withClaims({ iat: now + 60 }),
      'no ath': await withClaims({ ath: undefined }),
      'ath of another token': await withClaims({ ath: 'x'.repeat(43) }),
      'ath of as many other letters': await withClaims({ ath: 'é'.repeat(43) }),
    };
    for (const [name, proof] of Object.entries(attacks)) {
      const { status, headers } = await call('GET', '/account', proof);
      expect([name, status, headers['www-authenticate']]).toEqual([
        name,
        401,
        `Bearer ${SHARED}, DPoP ${SHARED}, error="invalid_dpop_proof", ${ALGS}`,
      ]);
    }
    expect((await call('GET', '/account', await good())).status).toBe(200);
  });

  it('R-DP-02 two header lines are refused before anybody looks at them', async () => {
    const proofs = [1, 2].map(() => client.proof('GET', `${API}/account`, token));
    expect((await call('GET', '/account', await Promise.all(proofs))).status).toBe(400);
  });

  it('R-DP-04 the URI is compared after normalisation, without query and fragment', async () => {
    const uris = [
      'HTTPS://API.example.test:443/shared/%7Ea?x=1#y',
      `${API}/x/../shared/~a`,
      `${API}/shared/%7ea`,
      `${API}/shared/%7Ea`,
    ];
    for (const uri of uris) {
      const proof = await client.proof('GET', uri, token);
      expect([uri, (await call('GET', '/shared/~a', proof)).status]).toEqual([uri, 200]);
    }
    // What a client says about hosts changes nothing.
    const proof = await client.proof('GET', 'https://evil.example/account', token);
    const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    expect((await call('GET', '/account', proof, { headers })).status).toBe(401);
  });

  it('R-DP-04 R-AU-16 a proof for GET is none for HEAD, and the other way round', async () => {
    for (const [method, other] of [
      ['GET', 'HEAD'],
      ['HEAD', 'GET'],
    ] as const) {
      const proof = () => client.proof(method, `${API}/account`, token);
      expect((await call(other, '/account', await proof())).status).toBe(401);
      expect((await call(method, '/account', await proof())).status).toBe(200);
    }
  });

  it('R-DP-06 of one proof sent a hundred times at once one passes', async () => {
    const proof = await client.proof('GET', `${API}/account`, token);
    const answers = await Promise.all(Array.from({ length: 100 }, () => call('GET', '/account', proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(99);
  });

  it('R-DP-07 no downgrade: a bound token is no bearer token, and an unbound one is not bound by a proof', async () => {
    const proof = await client.proof('GET', `${API}/account`, token);
    const asBearer = await call('GET', '/account', undefined, { scheme: 'Bearer' });
    expect(asBearer.status).toBe(401);
    expect(
      asBearer.rawHeaders.filter(([name]) => name.toLowerCase() === 'www-authenticate').map(([, v]) => v),
    ).toEqual([
      expect.stringMatching(/^Bearer .*error="invalid_token"/),
      expect.stringMatching(/^DPoP .*algs=/),
    ]);
    expect((await call('GET', '/account', proof, { scheme: 'Bearer' })).status).toBe(401);
    const unbound = await issue();
    const forUnbound = await client.proof('GET', `${API}/account`, unbound);
    expect((await call('GET', '/account', forUnbound, { sent: unbound })).status).toBe(401);
    expect((await call('GET', '/account', undefined, { scheme: 'Bearer', sent: unbound })).status).toBe(200);
    // The application's own tokens are never bound, so they cannot come as if they were.
    const own = await accessToken({}, {}, OWN.privateKey);
    const forOwn = await client.proof('GET', `${API}/shared/1`, own);
    expect((await call('GET', '/shared/1', forOwn, { sent: own })).status).toBe(401);
    expect((await call('GET', '/shared/1', undefined, { scheme: 'Bearer', sent: own })).status).toBe(200);
  });

  it('R-DP-07 a route that requires DPoP refuses every bearer token', async () => {
    const unbound = await issue();
    const refused = await call('POST', '/payments', undefined, { scheme: 'Bearer', sent: unbound });
    expect(refused.status).toBe(401);
    expect(refused.header('www-authenticate')).toMatch(/^DPoP /);
    const proof = await client.proof('POST', `${API}/payments`, token);
    expect((await call('POST', '/payments', proof)).status).toBe(201);
  });

  it('R-DP-01 what is missing beside the proof is told under the scheme that was used', async () => {
    const poor = await issue({ cnf: { jkt: client.jkt }, scope: 'other' });
    const proof = await client.proof('POST', `${API}/payments`, poor);
    const answer = await call('POST', '/payments', proof, { sent: poor });
    expect(answer.status).toBe(403);
    expect(answer.header('www-authenticate')).toMatch(/^DPoP .*error="insufficient_scope", scope="pay"/);
    const stale = await client.proof('GET', `${API}/fresh`, token);
    const fresh = await call('GET', '/fresh', stale);
    expect(fresh.status).toBe(401);
    expect(fresh.header('www-authenticate')).toMatch(
      /^Bearer [^ ]+ [^ ]+ DPoP .*error="insufficient_user_authentication", max_age="300"/,
    );
  });

  it('R-DP-05 a binding that is not understood refuses the token', async () => {
    for (const cnf of [
      {},
      { jkt: 1 },
      { jkt: 'short' },
      { kid: 'x' },
      { jkt: client.jkt, kid: 'x' },
      'x',
      null,
    ]) {
      const sent = await issue({ cnf });
      const proof = await client.proof('GET', `${API}/account`, sent);
      expect([cnf, (await call('GET', '/account', proof, { sent })).status]).toEqual([cnf, 401]);
      expect((await call('GET', '/account', undefined, { sent, scheme: 'Bearer' })).status).toBe(401);
    }
  });

  it('R-PM-01 the metadata say which proofs are taken', async () => {
    const { json } = await send(app.port, 'GET', '/.well-known/oauth-protected-resource');
    expect(json).toMatchObject({
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'],
      dpop_bound_access_tokens_required: false,
    });
  });
});

describe.each(ADAPTERS)('R-DP DPoP with nonces, for every token, on %s', (adapter) => {
  let app: RunningApp;
  let client: ProofMaker;
  let token: string;
  let now = Date.now();

  beforeAll(async () => {
    const nonces = { secret: randomBytes(32) };
    const clock = { now: () => now, monotonic: () => performance.now() };
    @Module({
      imports: [
        SecurityModule.forRoot({
          https: 'off',
          logger: false,
          clock,
          oauth2: {
            resource: `${API}/v1`,
            issuers: [{ issuer: AS, jwks: { keys: [await exportJWK(SERVER.publicKey)] } }],
            dpop: {
              required: true,
              nonces,
              publicUrl: `${API}/v1`,
              algorithms: ['ES256'],
            },
          },
        }),
      ],
      controllers: [PlainController],
    })
    class NonceModule {}
    app = await startApp(adapter, NonceModule, { configure: (nest) => nest.enableCors() });
    client = await proofMaker();
    token = await issue({ aud: `${API}/v1`, cnf: { jkt: client.jkt } });
  });
  afterAll(() => app.close());

  const call = async (nonce: string | undefined) =>
    send(app.port, 'GET', '/plain', {
      headers: {
        authorization: `DPoP ${token}`,
        dpop: await client.proof('GET', `${API}/v1/plain`, token, {
          nonce,
          iat: Math.floor(now / 1000),
        }),
      },
    });

  it('R-DP-08 a proof needs a nonce of this server, which is given with the refusal', async () => {
    const first = await call(undefined);
    expect(first.status).toBe(401);
    expect(first.header('www-authenticate')).toMatch(/^DPoP .*error="use_dpop_nonce"/);
    expect(first.header('cache-control')).toBe('no-store');
    const nonce = first.header('dpop-nonce');
    expect(nonce).toMatch(/^[\w-]{24}$/);
    expect((await call(nonce)).status).toBe(200);
    expect((await call('made-up-nonce-of-24-chars')).header('www-authenticate')).toContain('use_dpop_nonce');
    now += 150_000;
    const later = await call(nonce);
    expect(later.status).toBe(200);
    expect(later.header('dpop-nonce')).not.toBe(nonce);
    now += 300_000;
    expect((await call(nonce)).status).toBe(401);
  });

  it('R-DP-07 R-PM-01 unbound tokens are refused on every route', async () => {
    const sent = await issue({ aud: `${API}/v1` });
    const answer = await send(app.port, 'GET', '/plain', { headers: { authorization: `Bearer ${sent}` } });
    expect(answer.status).toBe(401);
    expect(answer.header('www-authenticate')).toMatch(/^DPoP realm="api", .*algs="ES256"$/);
  });

  it('R-DP-09 scripts of other origins may send proofs, and see what they need', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    const preflight = await send(app.port, 'OPTIONS', '/plain', {
      headers: { ...headers, 'access-control-request-headers': 'authorization,dpop' },
    });
    expect(preflight.header('access-control-allow-headers')?.toLowerCase()).toContain('dpop');
    const answer = await send(app.port, 'GET', '/plain', { headers: { origin: 'https://app.example' } });
    expect(answer.header('access-control-expose-headers')).toMatch(/WWW-Authenticate.*DPoP-Nonce/);
  });
});

@Controller()
class PlainController {
  @OAuth2Auth() @Get('plain') plain() {
    return { ok: true };
  }
}

describe('R-DP the options', () => {
  it('R-DP-06 a replay store that fails is 503, never a second use', async () => {
    const replayStore = { use: () => Promise.reject(new Error('gone')) };
    const app = await startApp('express', moduleWith({ dpop: { replayStore } }));
    try {
      const client = await proofMaker();
      const token = await issue({ cnf: { jkt: client.jkt } });
      const dpop = await client.proof('GET', `${API}/account`, token);
      const headers = { authorization: `DPoP ${token}`, dpop };
      const { status, headers: sent } = await send(app.port, 'GET', '/account', { headers });
      expect([status, sent['retry-after']]).toEqual([503, '5']);
    } finally {
      await app.close();
    }
  });

  it('R-DP-06 only a clear yes of the store lets a proof pass, and it is remembered for longer than it is good', async () => {
    const client = await proofMaker();
    const token = await issue({ cnf: { jkt: client.jkt } });
    const ttls: number[] = [];
    let says: unknown;
    const replayStore = {
      use: (_: string, ttlMs: number) => {
        ttls.push(ttlMs);
        return says as boolean;
      },
    };
    const app = await startApp('express', moduleWith({ dpop: { replayStore, maxAge: '1m' } }));
    try {
      const status = async (answer: unknown) => {
        says = answer;
        const dpop = await client.proof('GET', `${API}/account`, token);
        const headers = { authorization: `DPoP ${token}`, dpop };
        return (await send(app.port, 'GET', '/account', { headers })).status;
      };
      for (const answer of [false, undefined, null, 0, 1, 'OK', {}])
        expect([answer, await status(answer)]).toEqual([answer, 401]);
      expect(await status(Promise.resolve(true))).toBe(200);
      // A minute back and ten seconds ahead, and what clocks of nodes may differ.
      expect(Math.min(...ttls)).toBeGreaterThan(70_000);
    } finally {
      await app.close();
    }
  });

  it('R-CF-01 bad options stop the boot, each with its fix', async () => {
    const bad = {
      required: 'yes',
      algorithms: ['HS256'],
      maxAge: '1h',
      replayStore: {},
      nonces: { secret: 'short' },
      publicUrl: 'ftp://x',
      more: 1,
    } as never;
    await expect(
      startApp('express', moduleWith({ dpop: bad, mtls: { certificateHeader: 'a b' } })),
    ).rejects.toThrow(
      /oauth2\.dpop\.option\.unknown[^]*oauth2\.dpop\.publicUrl\.invalid[^]*oauth2\.dpop\.replayStore\.invalid[^]*oauth2\.dpop\.required\.type[^]*oauth2\.dpop\.algorithms\.unknown[^]*oauth2\.dpop\.maxAge\.bounds[^]*oauth2\.dpop\.nonces\.refused[^]*oauth2\.mtls\.certificateHeader\.invalid/,
    );
  });

  it('R-DP-07 @RequireDpop() beside another scheme stops the boot', async () => {
    @Controller()
    class MixedController {
      @OAuth2Auth() @JwtAuth() @RequireDpop() @Get('mixed') mixed() {
        return {};
      }
    }
    @Module({
      imports: [
        SecurityModule.forRoot({
          https: 'off',
          logger: false,
          jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: OWN.publicKey },
          oauth2: { resource: API, issuers: [{ issuer: AS, publicKey: SERVER.publicKey }] },
        }),
      ],
      controllers: [MixedController],
    })
    class MixedModule {}
    await expect(startApp('express', MixedModule)).rejects.toThrow('policy.dpop.other-scheme');
  });
});
