import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { request } from 'node:https';

import { Controller, Get, Module } from '@nestjs/common';
import { OAuth2Auth, SecurityModule, type SecurityOptions } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { accessToken } from '../support/reference-app.js';
import { SELF_SIGNED } from '../support/self-signed.js';

const SERVER = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const AS = 'https://as.example.test';
const API = 'https://api.example.test';
const { raw } = new X509Certificate(SELF_SIGNED.cert);
const THUMBPRINT = createHash('sha256').update(raw).digest('base64url');

@Controller()
class VaultController {
  @OAuth2Auth() @Get('vault') vault() {
    return { ok: true };
  }
}

function moduleWith(options: SecurityOptions) {
  const issuers = [{ issuer: AS, publicKey: SERVER.publicKey }];
  @Module({
    imports: [
      SecurityModule.forRoot({
        logger: false,
        ...options,
        oauth2: { resource: API, issuers, ...options.oauth2 },
      }),
    ],
    controllers: [VaultController],
  })
  class VaultModule {}
  return VaultModule;
}

const issue = (thumbprint: string) =>
  accessToken(
    { iss: AS, aud: API, client_id: 'app-1', cnf: { 'x5t#S256': thumbprint } },
    {},
    SERVER.privateKey,
  );

/** A call over TLS, with the client's certificate or without. */
const overTls = (port: number, token: string, withCertificate: boolean) =>
  new Promise<number>((resolve, reject) => {
    request(
      {
        port,
        host: '127.0.0.1',
        path: '/vault',
        agent: false,
        rejectUnauthorized: false,
        headers: { authorization: `Bearer ${token}` },
        ...(withCertificate ? SELF_SIGNED : {}),
      },
      (response) => resolve(response.resume().statusCode ?? 0),
    )
      .on('error', reject)
      .end();
  });

describe.each(ADAPTERS)('R-DP-10 tokens that are bound to a certificate, over TLS, on %s', (adapter) => {
  let app: RunningApp;
  beforeAll(async () => {
    const httpsOptions = { ...SELF_SIGNED, requestCert: true, rejectUnauthorized: false };
    app = await startApp(adapter, moduleWith({}), { httpsOptions });
  });
  afterAll(() => app.close());

  it('R-DP-10 work with this certificate alone', async () => {
    const token = await issue(THUMBPRINT);
    expect(await overTls(app.port, token, true)).toBe(200);
    expect(await overTls(app.port, token, false)).toBe(401);
    expect(await overTls(app.port, await issue('x'.repeat(43)), true)).toBe(401);
  });
});

describe.each(ADAPTERS)('R-DP-10 certificates behind a proxy on %s', (adapter) => {
  const pem = encodeURIComponent(SELF_SIGNED.cert);
  const bytes = `:${raw.toString('base64')}:`;

  async function status(trusted: boolean, headers: Record<string, string | string[]>): Promise<number> {
    const oauth2 = { mtls: { certificateHeader: 'Client-Cert' } } as NonNullable<SecurityOptions['oauth2']>;
    const options = trusted ? { proxy: { trust: 'loopback' } } : {};
    const app = await startApp(adapter, moduleWith({ https: 'off', oauth2, ...options }));
    try {
      const authorization = `Bearer ${await issue(THUMBPRINT)}`;
      return (await send(app.port, 'GET', '/vault', { headers: { authorization, ...headers } })).status;
    } finally {
      await app.close();
    }
  }

  it('R-DP-10 the header counts, in both forms, from a trusted proxy alone', async () => {
    expect(await status(true, { 'client-cert': bytes })).toBe(200);
    expect(await status(true, { 'Client-Cert': pem })).toBe(200);
    expect(await status(false, { 'client-cert': bytes })).toBe(401);
    expect(await status(true, {})).toBe(401);
    expect(await status(true, { 'client-cert': [bytes, bytes] })).toBe(401);
    expect(await status(true, { 'client-cert': ':AAAA:' })).toBe(401);
    expect(await status(true, { 'client-cert': '%' })).toBe(401);
    expect(await status(true, { 'x-client-cert': bytes })).toBe(401);
  });
});
