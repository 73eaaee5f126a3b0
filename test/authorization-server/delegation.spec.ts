import { generateKeyPairSync } from 'node:crypto';

import { Controller, Get, Module, Post } from '@nestjs/common';
import {
  CurrentPrincipal,
  OAuth2Auth,
  type Principal,
  SecurityModule,
  type SecurityOptions,
  StepUp,
} from 'nestjs-api-security';
import { ApplicationsService } from 'nestjs-api-security/authorization-server';
import { exportJWK } from 'jose';
import * as oauth4webapi from 'oauth4webapi';
import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { ALICE, API, OPAQUE_API, REDIRECT, SCOPES, type ServerApp, startServer } from './server-app.js';
import { authorize, Visitor } from './visitor.js';

@Controller()
class DelegatedController {
  @OAuth2Auth('users:read') @Get('users') list(
    @CurrentPrincipal() { type, id, clientId, issuer, sessionId }: Principal,
  ) {
    return { type, id, clientId, issuer, sessionId };
  }

  @OAuth2Auth('users:write') @Post('users') create() {
    return { ok: true };
  }

  @OAuth2Auth('files:read') @Get('files') files(@CurrentPrincipal() { id }: Principal) {
    return { id };
  }

  @OAuth2Auth('users:read') @StepUp({ maxAge: '30s', acr: 'strong' }) @Get('secrets') secrets(
    @CurrentPrincipal() { acr, amr }: Principal,
  ) {
    return { acr, amr };
  }
}

type Issuer = NonNullable<SecurityOptions['oauth2']>['issuers'][number];

/** An API, in an application of its own. */
function startApi(
  adapter: (typeof ADAPTERS)[number],
  resource: string,
  issuer: Issuer,
  scopes: Record<string, string> = SCOPES,
): Promise<RunningApp> {
  const rateLimit = { failedAuthentication: false } as const;
  @Module({
    imports: [
      SecurityModule.forRoot({
        https: 'off',
        logger: false,
        rateLimit,
        oauth2: { resource, issuers: [issuer], scopes, dpop: { publicUrl: API } },
      }),
    ],
    controllers: [DelegatedController],
  })
  class ApiModule {}
  return startApp(adapter, ApiModule);
}

describe.each(ADAPTERS)('delegation, end to end, on %s', (adapter) => {
  let server: ServerApp;
  let api: RunningApp;
  let files: RunningApp;
  beforeAll(async () => {
    server = await startServer(adapter, {
      authenticate: ({ password, acrValues }) =>
        password === ALICE.password
          ? { id: ALICE.id, ...(acrValues.includes('strong') && { acr: 'strong', amr: ['pwd', 'otp'] }) }
          : undefined,
    });
    const reader = await server.register({ redirectUris: [], scopes: [], resourceServer: OPAQUE_API });
    const [clientId, clientSecret] = [reader.clientId, reader.clientSecret!];
    api = await startApi(adapter, API, { issuer: server.issuer });
    files = await startApi(adapter, OPAQUE_API, {
      issuer: server.issuer,
      introspection: { clientId, clientSecret, cacheFor: 0 },
    });
  });
  afterAll(() => Promise.all([server.close(), api.close(), files.close()]));

  const client = (id: string, secret: string) =>
    oauth.discovery(new URL(server.issuer), id, undefined, oauth.ClientSecretBasic(secret), {
      algorithm: 'oauth2',
      execute: [oauth.allowInsecureRequests],
    });

  /** The whole way by openid-client, with a visitor who allows what `allow` picks. */
  async function tokensOf(
    parameters: Record<string, string> = {},
    allow?: (scopes: readonly string[]) => readonly string[],
    visitor = new Visitor(server.port, server.issuer),
    registered?: { clientId: string; clientSecret?: string },
  ) {
    const app =
      registered ?? (await server.register({ scopes: Object.keys(SCOPES), resources: [API, OPAQUE_API] }));
    const config = await client(app.clientId, app.clientSecret!);
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const url = oauth.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT,
      scope: 'users:read users:write',
      resource: API,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      ...parameters,
    });
    const back = await authorize(visitor, url.href, ALICE, allow);
    const tokens = await oauth.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    return { app, config, tokens };
  }
  const call = (on: RunningApp, method: string, path: string, token: string) =>
    send<Record<string, unknown>>(on.port, method, path, { headers: { authorization: `Bearer ${token}` } });

  it('R-AS-11 R-JW-20 openid-client gets what the user allows, and the API lets it do that and no more', async () => {
    const { app, tokens } = await tokensOf({}, (scopes) =>
      scopes.filter((one) => one.startsWith('users:read')),
    );
    expect(tokens.scope).toBe('users:read');
    const list = await call(api, 'GET', '/users', tokens.access_token);
    expect([list.status, list.json]).toMatchObject([
      200,
      { type: 'user', id: ALICE.id, clientId: app.clientId, issuer: server.issuer },
    ]);
    const refused = await call(api, 'POST', '/users', tokens.access_token);
    expect([refused.status, refused.header('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('error="insufficient_scope", scope="users:write"'),
    ]);
    // A token for one API is good for nothing at the other.
    expect((await call(files, 'GET', '/files', tokens.access_token)).status).toBe(401);
  });

  it('R-IN-02 R-AS-18 opaque tokens are looked up at the server', async () => {
    const { tokens } = await tokensOf({ scope: 'files:read', resource: OPAQUE_API });
    expect((await call(files, 'GET', '/files', tokens.access_token)).json).toEqual({ id: ALICE.id });
    expect((await call(files, 'GET', '/users', tokens.access_token)).status).toBe(403);
    expect((await call(api, 'GET', '/users', tokens.access_token)).status).toBe(401);
  });

  it('R-AS-13 R-AS-17 access that is withdrawn ends at once, and what came from it', async () => {
    const { app, config, tokens } = await tokensOf({ scope: 'files:read', resource: OPAQUE_API });
    const applications = server.app.get(ApplicationsService, { strict: false });
    const mine = (await applications.list(ALICE.id)).find(({ clientId }) => clientId === app.clientId)!;
    expect(mine).toMatchObject({
      clientName: 'Printer',
      access: [{ resource: OPAQUE_API, scopes: ['files:read'] }],
    });
    expect(await applications.withdraw('user-bob', mine.id)).toBe(false);
    expect((await call(files, 'GET', '/files', tokens.access_token)).status).toBe(200);
    expect(await applications.withdraw(ALICE.id, mine.id)).toBe(true);
    expect((await call(files, 'GET', '/files', tokens.access_token)).status).toBe(401);
    await expect(oauth.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await applications.withdraw(ALICE.id, mine.id)).toBe(false);
  });

  it('R-RT-07 openid-client refreshes and revokes', async () => {
    const { config, tokens } = await tokensOf();
    const fresh = await oauth.refreshTokenGrant(config, tokens.refresh_token!, { scope: 'users:read' });
    expect(fresh.scope).toBe('users:read');
    expect((await call(api, 'GET', '/users', fresh.access_token)).status).toBe(200);
    await oauth.tokenRevocation(config, fresh.refresh_token!);
    await expect(oauth.refreshTokenGrant(config, fresh.refresh_token!)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('R-JW-25 step-up: the API says what it wants, and the server gets it from the user', async () => {
    const visitor = new Visitor(server.port, server.issuer);
    const { app, tokens } = await tokensOf({}, undefined, visitor);
    const weak = await call(api, 'GET', '/secrets', tokens.access_token);
    expect(weak.header('www-authenticate')).toContain(
      'error="insufficient_user_authentication", acr_values="strong", max_age="30"',
    );
    const again = await tokensOf({ acr_values: 'strong', max_age: '30' }, undefined, visitor, app);
    const strong = await call(api, 'GET', '/secrets', again.tokens.access_token);
    expect([strong.status, strong.json]).toEqual([200, { acr: 'strong', amr: ['pwd', 'otp'] }]);
    const never = tokensOf({ acr_values: 'stronger' }, undefined, visitor, app);
    await expect(never).rejects.toMatchObject({ error: 'unmet_authentication_requirements' });
  });

  it('R-AS-09 R-AS-21 R-AS-23 R-DP-01 oauth4webapi: pushed, bound by DPoP, with a signed assertion', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1' };
    const registered = await server.register({
      authentication: 'private-key',
      jwks: { keys: [jwk] },
      pushedRequests: true,
      dpopBound: true,
    });
    const insecure = { [oauth4webapi.allowInsecureRequests]: true } as const;
    const issuer = new URL(server.issuer);
    const as = await oauth4webapi.processDiscoveryResponse(
      issuer,
      await oauth4webapi.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    );
    const me: oauth4webapi.Client = { client_id: registered.clientId };
    const key = await crypto.subtle.importKey(
      'jwk',
      privateKey.export({ format: 'jwk' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    );
    const authentication = oauth4webapi.PrivateKeyJwt({ key, kid: 'key-1' });
    const DPoP = oauth4webapi.DPoP(me, await oauth4webapi.generateKeyPair('ES256'));
    const verifier = oauth4webapi.generateRandomCodeVerifier();
    const parameters = new URLSearchParams({
      client_id: me.client_id,
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: 'users:read',
      resource: API,
      state: 'state-2',
      code_challenge: await oauth4webapi.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const pushed = await oauth4webapi.processPushedAuthorizationResponse(
      as,
      me,
      await oauth4webapi.pushedAuthorizationRequest(as, me, authentication, parameters, {
        DPoP,
        ...insecure,
      }),
    );
    const question = new URL(as.authorization_endpoint!);
    question.searchParams.set('client_id', me.client_id);
    question.searchParams.set('request_uri', pushed.request_uri);
    const visitor = new Visitor(server.port, server.issuer);
    const back = await authorize(visitor, question.href, ALICE);
    const checked = oauth4webapi.validateAuthResponse(as, me, back, 'state-2');
    const tokens = await oauth4webapi.processAuthorizationCodeResponse(
      as,
      me,
      await oauth4webapi.authorizationCodeGrantRequest(as, me, authentication, checked, REDIRECT, verifier, {
        DPoP,
        ...insecure,
      }),
    );
    expect(tokens.token_type).toBe('dpop');
    // The proof names the API as it is known outside; the request goes to where this test runs it.
    const there = (url: string, init: RequestInit) => fetch(url.replace(API, api.url), init);
    const answer = await oauth4webapi.protectedResourceRequest(
      tokens.access_token,
      'GET',
      new URL('/users', API),
      undefined,
      undefined,
      { DPoP, [oauth4webapi.customFetch]: there as never },
    );
    expect(answer.status).toBe(200);
    expect((await call(api, 'GET', '/users', tokens.access_token)).status).toBe(401);
  });

  it('R-AS-14 R-AS-13 another user of the same browser takes the place of the first', async () => {
    const visitor = new Visitor(server.port, server.issuer);
    const { app } = await tokensOf({}, undefined, visitor);
    const again = await tokensOf({ prompt: 'login' }, undefined, visitor, app);
    expect(again.tokens.access_token).toBeDefined();
  });
});

describe('delegation when the server is down', () => {
  it('R-IN-03 R-IN-04 R-OA-08 what is known goes on to its bound, everything else is 401 or 503', async () => {
    const server = await startServer('express');
    const reader = await server.register({ redirectUris: [], scopes: [], resourceServer: OPAQUE_API });
    const introspection = {
      clientId: reader.clientId,
      clientSecret: reader.clientSecret!,
      cacheFor: '6s',
    } as const;
    const [api, files, late] = await Promise.all([
      startApi('express', API, { issuer: server.issuer }),
      startApi('express', OPAQUE_API, { issuer: server.issuer, introspection }),
      startApi('express', API, { issuer: server.issuer }),
    ]);
    try {
      const visitor = new Visitor(server.port, server.issuer);
      const robot = await server.register({
        redirectUris: [],
        scopes: ['users:read', 'files:read'],
        resources: [API, OPAQUE_API],
      });
      const token = async (scope: string, resource: string): Promise<string> => {
        const { json } = await send<{ access_token: string }>(server.port, 'POST', '/oauth/token', {
          headers: {
            authorization: `Basic ${Buffer.from(`${robot.clientId}:${robot.clientSecret}`).toString('base64')}`,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }).toString(),
        });
        return json.access_token;
      };
      const [jwt, unseenJwt] = [await token('users:read', API), await token('users:read', API)];
      const [opaque, unseenOpaque] = [
        await token('files:read', OPAQUE_API),
        await token('files:read', OPAQUE_API),
      ];
      const get = async (on: RunningApp, path: string, value: string) =>
        (await send(on.port, 'GET', path, { headers: { authorization: `Bearer ${value}` } })).status;
      expect(await get(api, '/users', jwt)).toBe(200);
      expect(await get(files, '/files', opaque)).toBe(200);
      expect((await visitor.get('/oauth/jwks')).status).toBe(200);
      await server.close();
      expect(await get(api, '/users', jwt)).toBe(200);
      expect(await get(api, '/users', unseenJwt)).toBe(200);
      expect(await get(late, '/users', jwt)).toBe(503);
      expect(await get(files, '/files', opaque)).toBe(200);
      expect(await get(files, '/files', unseenOpaque)).toBe(503);
      expect(await get(files, '/users', opaque)).toBe(403);
      await new Promise((done) => setTimeout(done, 6_200));
      expect(await get(files, '/files', opaque)).toBe(503);
    } finally {
      await Promise.all([api.close(), files.close(), late.close()]);
    }
  });
});
