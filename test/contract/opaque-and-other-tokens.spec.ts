import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { Controller, Get, Module } from '@nestjs/common';
import { ApiKeyAuth, JwtAuth, OAuth2Auth, SecurityModule } from 'nestjs-api-security';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { AnsweringServer } from '../support/servers/answering-server.js';

const API = 'https://api.example.test';
const OWN = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const server = new AnsweringServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const good = () => ({
  active: true,
  aud: API,
  sub: 'user-1',
  client_id: 'app-1',
  exp: Math.floor(Date.now() / 1000) + 600,
});

@Controller()
class MixedController {
  @JwtAuth() @Get('own') own() {
    return { ok: true };
  }

  @ApiKeyAuth() @Get('keys') keys() {
    return { ok: true };
  }

  @OAuth2Auth() @Get('mail') mail() {
    return { ok: true };
  }
}

describe.each(ADAPTERS)('R-IN opaque tokens beside other credentials on %s', (adapter) => {
  let app: RunningApp;
  beforeAll(async () => {
    @Module({
      imports: [
        SecurityModule.forRoot({
          https: 'off',
          logger: false,
          proxy: { trust: 'loopback' },
          rateLimit: { failedAuthentication: false },
          apiKeys: {},
          jwt: { issuer: 'https://own.example.test', audience: API, publicKey: OWN.publicKey },
          oauth2: {
            resource: API,
            currentRights: () => ({}),
            issuers: [
              {
                issuer: server.url,
                introspection: { clientId: 'api', clientSecret: 'x', maxConcurrent: 4 },
              },
            ],
          },
        }),
      ],
      controllers: [MixedController],
    })
    class MixedModule {}
    app = await startApp(adapter, MixedModule);
  });
  beforeEach(() => {
    server.asked.length = 0;
    server.tellsMetadata = true;
  });
  afterAll(() => app.close());

  const get = (path: string, token: string, headers: Record<string, string> = {}) =>
    send(app.port, 'GET', path, { headers: { authorization: `Bearer ${token}`, ...headers } });

  it('R-AU-10 nobody is asked about a token that the route would not take', async () => {
    server.says(good());
    for (const path of ['/own', '/keys']) {
      const { status, headers } = await get(path, 'opaque');
      expect([path, status]).toEqual([path, 401]);
      expect(headers['www-authenticate']).toContain(path === '/own' ? 'error="invalid_token"' : 'Api-Key');
    }
    expect(server.asked).toHaveLength(0);
    expect((await get('/mail', 'opaque')).status).toBe(200);
    // What is known by now is still no credential of another scheme.
    expect((await get('/own', 'opaque')).status).toBe(401);
    expect(server.asked).toHaveLength(1);
  });

  it('R-IN-05 all clients together get no more places than there are', async () => {
    server.answer = (response) => setTimeout(() => response.end(JSON.stringify(good())), 500);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        get('/mail', `from-${i}`, { 'x-forwarded-for': `192.0.2.${i + 1}` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(
      answers.filter(({ status, headers }) => status === 503 && headers['retry-after'] === '5'),
    ).toHaveLength(2);
    expect(server.asked).toHaveLength(4);
  });

  it('R-IN-05 a client with a network of IPv6 addresses gets the places of one address', async () => {
    server.answer = (response) => setTimeout(() => response.end(JSON.stringify(good())), 500);
    const from = (address: string) =>
      get('/mail', randomBytes(16).toString('hex'), { 'x-forwarded-for': address });
    const many = Array.from({ length: 8 }, (_, i) => from(`2001:db8:0:1::${i + 1}`));
    await expect.poll(() => server.asked.length).toBe(2);
    expect((await from('2001:db8:0:2::1')).status).toBe(200);
    const statuses = (await Promise.all(many)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(2);
    expect(server.asked).toHaveLength(3);
  });
});
