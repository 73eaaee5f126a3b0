import { randomBytes } from 'node:crypto';

import { Body, Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { IsString } from 'class-validator';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import {
  CurrentPrincipal,
  JwtAuth,
  MemoryTokenStore,
  type Principal,
  Public,
  SecurityModule,
  type SecurityOptions,
  type TokenPair,
  TokenService,
} from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter, type RunningApp, startApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';

const ISSUER = 'https://own.example.test';

class RefreshDto {
  @IsString()
  refreshToken!: string;
}

@Controller()
class TokensController {
  constructor(private readonly tokens: TokenService) {}

  @Public() @Post('login') @HttpCode(200) login(): Promise<TokenPair> {
    return this.tokens.issue('ada', { scopes: ['a'] });
  }

  @Public() @Post('refresh') @HttpCode(200) refresh(
    @Body() { refreshToken }: RefreshDto,
  ): Promise<TokenPair> {
    return this.tokens.refresh(refreshToken);
  }

  @JwtAuth() @Post('logout') @HttpCode(204) logout(@CurrentPrincipal() principal: Principal): Promise<void> {
    return this.tokens.revoke(principal);
  }

  @JwtAuth() @Get('me') me(@CurrentPrincipal() { id }: Principal) {
    return { id };
  }
}

function startNode(adapter: Adapter, options: SecurityOptions): Promise<RunningApp> {
  @Module({
    imports: [SecurityModule.forRoot({ https: 'off', logger: false, ...options })],
    controllers: [TokensController],
  })
  class NodeModule {}
  return startApp(adapter, NodeModule);
}

const post = (node: RunningApp, path: string, json?: unknown, token?: string) =>
  send<TokenPair & ErrorEnvelope>(node.port, 'POST', path, {
    ...(json !== undefined && { json }),
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
  });
const me = async (node: RunningApp, token: string) =>
  (await send(node.port, 'GET', '/me', { headers: { authorization: `Bearer ${token}` } })).status;

describe.each(ADAPTERS)('own tokens on two nodes, on %s', (adapter) => {
  const store = new MemoryTokenStore();
  let one: RunningApp;
  let other: RunningApp;
  beforeAll(async () => {
    const options: SecurityOptions = {
      jwt: { issuer: ISSUER, audience: ISSUER, signingKey: 'managed' },
      tokens: { store, signingKeys: { encryptionKey: randomBytes(32) } },
    };
    one = await startNode(adapter, options);
    other = await startNode(adapter, options);
  });
  afterAll(() => Promise.all([one.close(), other.close()]));

  it('R-JW-26 publishes the keys, and others verify with them', async () => {
    const answers = await Promise.all(
      [one, other].map(({ port }) => send(port, 'GET', '/.well-known/jwks.json')),
    );
    expect(answers[0]!.json).toEqual(answers[1]!.json);
    expect(answers[0]!.header('content-type')).toBe('application/jwk-set+json');
    expect(answers[0]!.header('cache-control')).toBe('public, max-age=300');
    expect(answers[0]!.text).not.toContain('"d"');
    expect((await send(one.port, 'POST', '/.well-known/jwks.json')).status).toBe(405);
    const { accessToken } = (await post(one, '/login')).json;
    const keys = createRemoteJWKSet(new URL(`${other.url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(accessToken, keys, {
      issuer: ISSUER,
      audience: ISSUER,
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({ sub: 'ada', scope: 'a' });
  });

  it('R-JW-22 R-RT-08 a logout on one node is a logout on all', async () => {
    const { accessToken, refreshToken } = (await post(one, '/login')).json;
    expect(await me(one, accessToken)).toBe(200);
    expect(await me(other, accessToken)).toBe(200);
    expect((await post(one, '/logout', undefined, accessToken)).status).toBe(204);
    expect(await me(one, accessToken)).toBe(401);
    await expect.poll(() => me(other, accessToken)).toBe(401);
    expect((await post(other, '/refresh', { refreshToken })).status).toBe(401);
  });

  it('R-RT-04 R-RT-05 of 50 refreshes on two nodes one succeeds, and the session is over on both', async () => {
    const first = (await post(one, '/login')).json;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        post(i % 2 === 0 ? one : other, '/refresh', { refreshToken: first.refreshToken }),
      ),
    );
    const good = answers.filter(({ status }) => status === 200);
    expect(good).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
    const { accessToken, refreshToken } = good[0]!.json;
    expect((await post(one, '/refresh', { refreshToken })).status).toBe(401);
    for (const node of [one, other]) await expect.poll(() => me(node, accessToken)).toBe(401);
  });
});

describe.each(ADAPTERS)('own tokens while the store is down, on %s', (adapter) => {
  class DownStore extends MemoryTokenStore {
    override revocationsSince(): Promise<never> {
      return Promise.reject(new Error('connection refused'));
    }
    override keyRing(): Promise<never> {
      return Promise.reject(new Error('connection refused'));
    }
  }

  it('R-RT-11 R-JW-22 answers 503 with Retry-After, for keys, tokens and logins', async () => {
    const node = await startNode(adapter, {
      jwt: { issuer: ISSUER, audience: ISSUER, signingKey: 'managed' },
      tokens: { store: new DownStore(), signingKeys: { encryptionKey: randomBytes(32) } },
    });
    for (const [method, path] of [
      ['GET', '/.well-known/jwks.json'],
      ['POST', '/login'],
    ] as const) {
      const { status, json, headers } = await send<ErrorEnvelope>(node.port, method, path);
      expect([status, json.error.code, headers['retry-after']]).toEqual([503, 'UNAVAILABLE', '5']);
    }
    await node.close();
  });

  it('R-JW-22 answers tokens with 503 when it is not known what was revoked', async () => {
    const node = await startNode(adapter, {
      jwt: { issuer: ISSUER, audience: ISSUER, signingKey: 'generate' },
      tokens: { store: new DownStore() },
    });
    const { accessToken } = (await post(node, '/login')).json;
    expect(await me(node, accessToken)).toBe(503);
    await node.close();
  });
});
