import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { Controller, Get, Module } from '@nestjs/common';
import {
  CurrentPrincipal,
  type DpopOptions,
  OAuth2Auth,
  type Principal,
  SecurityModule,
  type SecurityOptions,
} from 'nestjs-api-security';
import { exportJWK } from 'jose';
import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../authorization-server/server-app.js';
import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { startOidcProvider } from '../support/servers/oidc-provider.js';

const JWT_API = 'https://jwt.example.test';
const OPAQUE_API = 'https://opaque.example.test';
const API_KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
@Controller()
class MailController {
  @OAuth2Auth('mail:read') @Get('mail') mail(@CurrentPrincipal() { type, id, clientId }: Principal) {
    return { type, id, clientId };
  }
}

type Issuer = NonNullable<SecurityOptions['oauth2']>['issuers'][number];

/** How far the clocks of our APIs are ahead. */
let offset = 0;

function apiWith(resource: string, issuer: Issuer, dpop: DpopOptions = {}) {
  @Module({
    imports: [
      SecurityModule.forRoot({
        https: 'off',
        logger: false,
        clock: { now: () => Date.now() + offset, monotonic: () => performance.now() + offset },
        oauth2: { resource, issuers: [issuer], dpop: { publicUrl: resource, ...dpop } },
      }),
    ],
    controllers: [MailController],
  })
  class MailModule {}
  return MailModule;
}

describe.each(ADAPTERS)('a plain oidc-provider in a process of its own, and our API on %s', (adapter) => {
  let stop: (() => Promise<void>) | undefined;
  let issuer: string;
  let config: oauth.Configuration;
  const apis: RunningApp[] = [];

  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://127.0.0.1:${port}`;
    const robot = {
      client_id: 'robot',
      client_secret: 'robot secret of more than enough letters',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    };
    const basic = { ...robot, client_id: 'api', client_secret: 'api secret: with/signs and letters' };
    const jwk = { ...(await exportJWK(API_KEYS.publicKey)), kid: 'api-key' };
    const signing = {
      ...robot,
      client_id: 'signing-api',
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [jwk] },
      introspection_signed_response_alg: 'RS256',
    };
    stop = await startOidcProvider({
      port,
      clients: [robot, basic, signing],
      resources: { [JWT_API]: 'jwt', [OPAQUE_API]: 'opaque' },
    });
    config = await oauth.discovery(
      new URL(issuer),
      'robot',
      undefined,
      oauth.ClientSecretBasic(robot.client_secret),
      { execute: [oauth.allowInsecureRequests] },
    );
  });
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.close()));
    await stop?.();
  });

  const tokenFor = async (resource: string, options?: { DPoP: oauth.DPoPHandle }) =>
    (await oauth.clientCredentialsGrant(config, { scope: 'mail:read', resource }, options)).access_token;
  async function start(resource: string, more: Partial<Issuer> = {}, dpop: DpopOptions = {}) {
    const api = await startApp(adapter, apiWith(resource, { issuer, ...more }, dpop));
    apis.push(api);
    return (token: string, headers: Record<string, string> = {}) =>
      send(api.port, 'GET', '/mail', { headers: { authorization: `Bearer ${token}`, ...headers } });
  }

  it('R-OA-01 R-JW-15 its JWTs are understood by discovery alone', async () => {
    const get = await start(JWT_API);
    const answer = await get(await tokenFor(JWT_API));
    expect([answer.status, answer.json]).toEqual([200, { type: 'client', id: 'robot', clientId: 'robot' }]);
    expect((await get(await tokenFor(OPAQUE_API))).status).toBe(401);
  });

  it('R-IN-01 R-IN-02 R-IN-07 its opaque tokens are looked up, with a secret, a signed assertion, or for signed answers', async () => {
    const clientSecret = 'api secret: with/signs and letters';
    const bySecret = await start(OPAQUE_API, { introspection: { clientId: 'api', clientSecret } });
    const byKey = await start(OPAQUE_API, {
      introspection: { clientId: 'signing-api', privateKey: API_KEYS.privateKey, keyId: 'api-key' },
    });
    const signed = await start(OPAQUE_API, {
      introspection: {
        clientId: 'signing-api',
        privateKey: API_KEYS.privateKey,
        keyId: 'api-key',
        signed: true,
      },
    });
    for (const get of [bySecret, byKey, signed]) {
      const answer = await get(await tokenFor(OPAQUE_API));
      expect([answer.status, answer.json]).toEqual([200, { type: 'client', id: 'robot', clientId: 'robot' }]);
      expect((await get('made-up')).status).toBe(401);
    }
    const wrong = await start(OPAQUE_API, { introspection: { clientId: 'api', clientSecret: 'wrong' } });
    expect((await wrong(await tokenFor(OPAQUE_API))).status).toBe(503);
  });

  it('R-DP-05 R-DP-08 its tokens are bound to a key by DPoP, JWTs and opaque ones, with nonces of ours', async () => {
    const DPoP = oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair());
    const clientSecret = 'api secret: with/signs and letters';
    const cases: [string, Partial<Issuer>][] = [
      [JWT_API, {}],
      [OPAQUE_API, { introspection: { clientId: 'api', clientSecret } }],
    ];
    for (const [resource, more] of cases) {
      const get = await start(resource, more, { nonces: { secret: randomBytes(32) } });
      const token = await tokenFor(resource, { DPoP });
      expect((await get(token)).status).toBe(401);
      const there = (url: string, init: RequestInit) => fetch(url.replace(resource, apis.at(-1)!.url), init);
      config[oauth.customFetch] = there as never;
      const url = new URL('/mail', resource);
      const answer = await oauth.fetchProtectedResource(config, token, url, 'GET', null, undefined, { DPoP });
      config[oauth.customFetch] = fetch as never;
      expect(answer.status).toBe(200);
    }
  });

  it('R-OA-08 R-IN-03 R-IN-04 with its process gone what is known goes on to its bound, and nobody else gets in', async () => {
    const introspection = { clientId: 'api', clientSecret: 'api secret: with/signs and letters' };
    const [byKey, bySecret] = [await start(JWT_API), await start(OPAQUE_API, { introspection })];
    const [jwt, freshJwt] = [await tokenFor(JWT_API), await tokenFor(JWT_API)];
    const [opaque, freshOpaque] = [await tokenFor(OPAQUE_API), await tokenFor(OPAQUE_API)];
    expect([(await byKey(jwt)).status, (await bySecret(opaque)).status]).toEqual([200, 200]);
    await stop?.();
    const statuses = async () =>
      [
        ...(await Promise.all([jwt, freshJwt, `${jwt.slice(0, -8)}AAAAAAAA`].map((one) => byKey(one)))),
        ...(await Promise.all([opaque, freshOpaque, 'made-up'].map((one) => bySecret(one)))),
      ].map(({ status }) => status);
    expect(await statuses()).toEqual([200, 200, 401, 200, 503, 503]);
    // Beyond the half minute for which an answer is believed.
    offset = 31_000;
    expect(await statuses()).toEqual([200, 200, 401, 503, 503, 503]);
    // Beyond the ends of the tokens.
    offset = 400_000;
    expect(await statuses()).toEqual([401, 401, 401, 503, 503, 503]);
    offset = 0;
  });
});
