import { createServer, type RequestListener } from 'node:http';

import { Controller, Get, Module } from '@nestjs/common';
import { JwtAuth, SecurityModule } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { AUDIENCE, ecPair, token } from '../authentication/jwt/token-workshop.js';
import { ADAPTERS, type Adapter, startApp } from '../support/app.js';
import { send } from '../support/http-client.js';
import { listen } from '../support/listen.js';

@Controller()
class ProfileController {
  @JwtAuth() @Get('profile') profile() {
    return { ok: true };
  }
}

const closers: (() => unknown)[] = [];
afterEach(() => Promise.all(closers.splice(0).map((close) => close())));

/** An application whose issuer publishes its keys by discovery, and what can be done to that issuer. */
async function start(adapter: Adapter) {
  const state = { requests: 0, answer: (() => undefined) as RequestListener };
  const server = createServer((request, response) => {
    state.requests++;
    state.answer(request, response);
  });
  const issuer = `http://127.0.0.1:${await listen(server)}`;
  const documents: Record<string, unknown> = {
    '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
    '/keys': { keys: [{ ...ecPair.publicKey.export({ format: 'jwk' }), kid: 'a' }] },
  };
  const works: RequestListener = ({ url = '' }, response) => response.end(JSON.stringify(documents[url]));
  state.answer = works;

  @Module({
    imports: [
      SecurityModule.forRoot({
        jwt: { issuer, audience: AUDIENCE, keyRefresh: { cooldown: '1s', timeout: '500ms' } },
        rateLimit: { address: false, failedAuthentication: false },
        https: 'off',
        logger: false,
      }),
    ],
    controllers: [ProfileController],
  })
  class ProfileModule {}

  const { port, close } = await startApp(adapter, ProfileModule);
  closers.push(close, () => {
    server.closeAllConnections();
    server.close();
  });
  const now = Math.floor(Date.now() / 1000);
  const get = async (claims: object = {}, header: object = {}) => {
    const bearer = token({ iss: issuer, iat: now, exp: now + 300, ...claims }, { kid: 'a', ...header });
    return send(port, 'GET', '/profile', { headers: { authorization: `Bearer ${bearer}` } });
  };
  return { state, works, get };
}

describe.each(ADAPTERS)('an issuer of tokens that is in trouble, on %s', (adapter) => {
  it('R-OA-08 never reached: 503 with Retry-After, and good as soon as it is', async () => {
    const { state, works, get } = await start(adapter);
    state.answer = () => undefined;
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => get({ jti: `${i}` })));
    expect(performance.now() - began).toBeLessThan(8_000);
    for (const { status, headers } of answers) expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(state.requests).toBeLessThanOrEqual(2);
    state.answer = works;
    await expect.poll(async () => (await get()).status, { timeout: 5_000 }).toBe(200);
  });

  it('R-OA-05 R-OA-08 silent under a flood of made-up key names: good tokens go on, bad ones are refused in time', async () => {
    const { state, get } = await start(adapter);
    expect((await get()).status).toBe(200);
    state.answer = () => undefined;
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const before = state.requests;
    const began = performance.now();
    const flood = Array.from({ length: 300 }, (_, i) => get({}, { kid: `made-up-${i}` }));
    const good = await Promise.all(Array.from({ length: 20 }, (_, i) => get({ jti: `g${i}` })));
    expect(new Set(good.map(({ status }) => status))).toEqual(new Set([200]));
    const statuses = new Set((await Promise.all(flood)).map(({ status }) => status));
    const seconds = (performance.now() - began) / 1_000;
    expect([...statuses].every((status) => [401, 429, 503].includes(status))).toBe(true);
    expect(state.requests - before).toBeLessThanOrEqual(1 + seconds);
  });
});
