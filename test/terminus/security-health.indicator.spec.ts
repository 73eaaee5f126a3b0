import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Controller, Get, Inject, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Public, SecurityModule, type SecurityOptions, SecurityReadiness } from 'nestjs-api-security';
import { SecurityHealthIndicator } from 'nestjs-api-security/terminus';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MemoryTokenStore } from '../../lib/authentication/jwt/memory-token-store.js';
import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';

@Controller()
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(SecurityHealthIndicator) private readonly security: SecurityHealthIndicator,
  ) {}

  @Public()
  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.security.isHealthy()]);
  }
}

describe.each(ADAPTERS)('the readiness of an instance on %s', (adapter) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let issuer: Server;
  let up: boolean;
  let app: RunningApp;
  beforeEach(async () => {
    up = true;
    issuer = createServer((_, response) => {
      if (!up) return response.writeHead(500).end();
      const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256' }];
      return response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((done) => {
      issuer.listen(0, '127.0.0.1', done);
    });
  });
  afterEach(async () => {
    await app?.close();
    issuer.close();
  });

  async function start(options: (url: string) => SecurityOptions) {
    const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
    @Module({
      imports: [TerminusModule, SecurityModule.forRoot({ https: 'off', logger: false, ...options(url) })],
      controllers: [HealthController],
      providers: [SecurityHealthIndicator],
    })
    class HealthModule {}
    app = await startApp(adapter, HealthModule);
    return () => send<{ details?: Record<string, { status: string }> }>(app.port, 'GET', '/ready');
  }

  it('R-OA-08 is down until the keys of every issuer have been loaded, and then stays up while they last', async () => {
    up = false;
    const ready = await start((url) => ({
      jwt: {
        issuer: 'https://id.example.test',
        audience: 'api',
        jwksUri: `${url}/keys`,
        keyRefresh: { cooldown: '1s' },
      },
    }));
    const down = await ready();
    expect(down.status).toBe(503);
    expect(await app.app.get(SecurityReadiness).check()).toEqual({
      ready: false,
      parts: [
        { name: 'keys of https://id.example.test', ready: false },
        { name: 'revocations', ready: true },
      ],
    });
    up = true;
    await new Promise((done) => setTimeout(done, 1_100));
    expect((await ready()).status).toBe(200);
    up = false;
    expect((await ready()).status).toBe(200);
  });

  it('R-JW-22 is down while nobody knows what was revoked', async () => {
    const store = new MemoryTokenStore();
    let reachable = false;
    const shared = Object.assign(Object.create(store) as MemoryTokenStore, {
      revocationsSince: (...args: Parameters<MemoryTokenStore['revocationsSince']>) =>
        reachable ? store.revocationsSince(...args) : Promise.reject(new Error('gone')),
      purge: () => Promise.resolve(0),
    });
    const ready = await start(() => ({
      jwt: { issuer: 'https://id.example.test', audience: 'api', publicKey },
      tokens: { store: shared, revokedWithin: '1s' },
    }));
    expect((await ready()).status).toBe(503);
    reachable = true;
    for (let i = 0; i < 100 && (await ready()).status !== 200; i++)
      await new Promise((done) => setTimeout(done, 50));
    expect((await ready()).status).toBe(200);
  });

  it('R-OA-08 is up where nothing has to be waited for', async () => {
    const ready = await start(() => ({ apiKeys: {} }));
    expect((await ready()).status).toBe(200);
  });
});
