import { generateKeyPairSync } from 'node:crypto';

import { Controller, Get, Logger } from '@nestjs/common';
import { OAuth2Auth, type SecurityOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { closeApps } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ISSUER = 'https://id.example.test';
const AUDIENCE = 'https://api.example.test';

const jwt = (legacyTyp: boolean): SecurityOptions => ({
  jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey, legacyTyp },
});

async function warningsOf(options: SecurityOptions): Promise<string[]> {
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  await startSecured('express', { logger: true, ...options }, {});
  return warn.mock.calls.map(([message]) => String(message));
}

afterEach(async () => {
  vi.restoreAllMocks();
  await closeApps();
});

describe('warnings at boot', () => {
  it('R-JW-15 R-CF-01 say which issuer’s tokens are accepted without their type', async () => {
    expect(await warningsOf(jwt(true))).toEqual([expect.stringContaining(ISSUER)]);
  });

  it('R-JW-15 are silent where there is nothing to say, or nobody who wants to hear it', async () => {
    expect(await warningsOf(jwt(false))).toEqual([]);
    expect(await warningsOf({ ...jwt(true), logger: false })).toEqual([]);
  });
});

describe('the realm', () => {
  it('R-AU-02 of the application is that of every challenge', async () => {
    @Controller()
    @OAuth2Auth()
    class ItemsController {
      @Get('items')
      items(): object {
        return {};
      }
    }
    const oauth2 = { resource: AUDIENCE, issuers: [{ issuer: ISSUER, publicKey }] };
    const { port } = await startSecured(
      'express',
      { oauth2, realm: 'items' },
      { controllers: [ItemsController] },
    );
    const response = await send(port, 'GET', '/items');
    expect(response.header('www-authenticate')).toMatch(/^Bearer realm="items"/);
  });
});
