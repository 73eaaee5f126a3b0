import { generateKeyPairSync } from 'node:crypto';

import { Controller, Get, Module } from '@nestjs/common';
import {
  CurrentPrincipal,
  JwtAuth,
  OAuth2Auth,
  type Principal,
  RequireRoles,
  RequireScopes,
  SecurityModule,
  type SecurityOptions,
} from 'nestjs-api-security';
import * as oauth4webapi from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { accessToken, AUDIENCE, ISSUER } from '../support/reference-app.js';

const OWN = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const FOREIGN = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const AUTHORIZATION_SERVER = 'https://as.example.test';

type CurrentRights = NonNullable<NonNullable<SecurityOptions['oauth2']>['currentRights']>;
/** What each user may do here; whoever is not named has no limits. */
const rights = new Map<string, ReturnType<CurrentRights>>();
const asked: string[] = [];
const currentRights: CurrentRights = (subject, issuer) => {
  asked.push(`${issuer} ${subject}`);
  if (subject === 'unlucky') return Promise.reject(new Error('down'));
  return rights.has(subject) ? rights.get(subject) : {};
};

@Controller()
class PhotosController {
  @OAuth2Auth('photos:read') @Get('photos') photos(
    @CurrentPrincipal() { type, id, clientId, scheme }: Principal,
  ) {
    return { type, id, clientId, scheme };
  }

  @OAuth2Auth('photos:audit') @Get('audit') audit() {
    return { ok: true };
  }

  @OAuth2Auth() @RequireRoles('admin') @Get('admin') admin() {
    return { ok: true };
  }

  @OAuth2Auth() @RequireScopes('photos:print') @Get('print') print() {
    return { ok: true };
  }

  // Takes any scheme that is configured.
  @RequireScopes('photos:share') @Get('share') share() {
    return { ok: true };
  }

  @JwtAuth('profile:edit') @Get('settings') settings() {
    return { ok: true };
  }

  @JwtAuth() @Get('profile') profile() {
    return { ok: true };
  }
}

@Module({
  imports: [
    SecurityModule.forRoot({
      https: 'off',
      logger: false,
      jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: OWN.publicKey },
      oauth2: {
        resource: 'https://api.example.test/v1',
        hiddenScopes: ['photos:audit'],
        currentRights,
        issuers: [{ issuer: AUTHORIZATION_SERVER, publicKey: FOREIGN.publicKey }],
      },
    }),
  ],
  controllers: [PhotosController],
})
class PhotosModule {}

describe.each(ADAPTERS)('CONTRACT-1 OAuth 2.0 access tokens on %s', (adapter) => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp(adapter, PhotosModule);
  });
  afterAll(() => app.close());

  const get = (path: string, token: string) =>
    send(app.port, 'GET', path, { headers: { authorization: `Bearer ${token}` } });
  const delegated = (claims: Record<string, unknown> = {}) =>
    accessToken(
      {
        iss: AUTHORIZATION_SERVER,
        aud: 'https://api.example.test/v1',
        client_id: 'printer',
        scope: 'photos:read',
        ...claims,
      },
      {},
      FOREIGN.privateKey,
    );

  it('CONTRACT-1 R-JW-20 a third party acts for a user, and the principal says so', async () => {
    expect((await get('/photos', await delegated())).json).toEqual({
      type: 'user',
      id: 'user-1',
      clientId: 'printer',
      scheme: 'oauth2',
    });
    expect((await get('/photos', await delegated({ sub: 'printer' }))).json).toMatchObject({
      type: 'client',
    });
  });

  it('CONTRACT-1 R-AU-10 R-JW-16 the issuer decides the scheme, and its own key alone verifies', async () => {
    expect((await get('/profile', await delegated())).status).toBe(401);
    expect((await get('/photos', await accessToken({}, {}, OWN.privateKey))).status).toBe(401);
    const crossed = await accessToken(
      { iss: AUTHORIZATION_SERVER, aud: 'https://api.example.test/v1' },
      {},
      OWN.privateKey,
    );
    expect((await get('/photos', crossed)).status).toBe(401);
    expect((await get('/photos', await delegated({ scope: 'other' }))).status).toBe(403);
  });

  it('CONTRACT-1 R-PM-03 challenges point to the metadata, whatever the request says about hosts', async () => {
    const { headers } = await send(app.port, 'GET', '/photos', {
      headers: { host: 'evil.example', 'x-forwarded-host': 'evil' },
    });
    expect(headers['www-authenticate']).toBe(
      ['Bearer', 'DPoP']
        .map(
          (scheme) =>
            `${scheme} realm="api", resource_metadata="https://api.example.test/.well-known/oauth-protected-resource/v1"`,
        )
        .join(', ')
        .concat(', algs="ES256 ES384 PS256 EdDSA Ed25519"'),
    );
  });

  it('R-AZ-08 a third party may do what its token says and the user may do as well, and nothing else', async () => {
    const status = async (sub: string, path: string, claims: Record<string, unknown> = {}) =>
      (await get(path, await delegated({ sub, ...claims }))).status;
    rights.set('reader', { scopes: ['photos:read'], roles: ['admin'] });
    rights.set('nobody', { scopes: [], roles: [] });
    rights.set('gone', undefined);
    const both = { scope: 'photos:read photos:audit', roles: ['admin'] };
    expect(await status('reader', '/photos', both)).toBe(200);
    expect(await status('reader', '/audit', both)).toBe(403);
    expect(await status('reader', '/admin', both)).toBe(200);
    // The user is an administrator, but has not made the application one.
    expect(await status('reader', '/admin', { roles: [] })).toBe(403);
    expect(await status('nobody', '/photos')).toBe(403);
    expect(await status('nobody', '/admin', both)).toBe(403);
    expect(await status('gone', '/photos')).toBe(401);
    expect(await status('unlucky', '/photos')).toBe(503);
    expect(await status('anybody', '/admin', both)).toBe(200);
    // A client for itself acts for nobody.
    rights.set('printer', undefined);
    expect(await status('printer', '/photos')).toBe(200);
    asked.length = 0;
    const token = await delegated({ sub: 'often' });
    for (let i = 0; i < 5; i++) expect((await get('/photos', token)).status).toBe(200);
    expect(asked).toEqual([`${AUTHORIZATION_SERVER} often`]);
    asked.length = 0;
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, i) => delegated({ sub: 'crowd', jti: `c${i}` })),
    );
    const answers = await Promise.all(tokens.map((one) => get('/photos', one)));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(asked).toEqual([`${AUTHORIZATION_SERVER} crowd`]);
  });

  it('R-AU-13 R-AZ-08 rights of the wrong form are no rights, and not all of them', async () => {
    const wrong: unknown[] = [
      true,
      'photos:read',
      { scopes: 'photos:read' },
      { scopes: null },
      { roles: {} },
    ];
    for (const [i, one] of wrong.entries()) {
      rights.set(`wrong-${i}`, one as ReturnType<CurrentRights>);
      const { status, headers } = await get('/photos', await delegated({ sub: `wrong-${i}` }));
      expect([one, status, headers['retry-after']]).toEqual([one, 503, '5']);
    }
    rights.set('null', null as never);
    expect((await get('/photos', await delegated({ sub: 'null' }))).status).toBe(401);
  });

  it('R-PM-01 R-PM-02 R-PM-04 the metadata says what the routes ask for', async () => {
    const path = '/.well-known/oauth-protected-resource/v1';
    const answer = await send(app.port, 'GET', path);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      resource: 'https://api.example.test/v1',
      authorization_servers: [AUTHORIZATION_SERVER],
      bearer_methods_supported: ['header'],
      scopes_supported: ['photos:print', 'photos:read', 'photos:share'],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'],
      dpop_bound_access_tokens_required: false,
    });
    const spoofed = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
    const { text, headers } = await send(app.port, 'GET', path, { headers: spoofed });
    expect(text).toBe(answer.text);
    const response = new Response(text, { headers: { 'content-type': headers['content-type']! } });
    const resource = new URL('https://api.example.test/v1');
    const read = await oauth4webapi.processResourceDiscoveryResponse(resource, response);
    expect(read.authorization_servers).toEqual([AUTHORIZATION_SERVER]);
    expect(answer.header('cache-control')).toBe('public, max-age=3600');
    expect(answer.header('access-control-allow-origin')).toBe('*');
    expect(answer.header('access-control-allow-credentials')).toBeUndefined();
    expect(answer.header('x-ratelimit-limit')).toBeDefined();
    expect((await get('/photos', await delegated())).header('access-control-allow-origin')).toBeUndefined();
    expect((await send(app.port, 'HEAD', path)).text).toBe('');
    const wrong = await send(app.port, 'POST', path);
    expect([wrong.status, wrong.header('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
