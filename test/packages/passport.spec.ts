import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import {
  Controller,
  Get,
  Injectable,
  Req,
  Scope,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { ApiKeyAuth, ApiKeyService, CurrentPrincipal, JwtAuth, type Principal } from 'nestjs-api-security';
import passport from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { Strategy } from 'passport-strategy';
import { afterEach, describe, expect, it } from 'vitest';

import { forge } from '../authentication/jwt/token-workshop.js';
import type { RunningApp } from '../support/app.js';
import { ADAPTERS, closeApps, startBare, type Adapter } from '../support/bare-app.js';
import { send, type HttpResponse } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

// What @nestjs/passport 12.0.0 and passport 0.7.0 do by themselves, and what this module does in the same place.

/** Answers with the user that the guard left on the request. */
function whoami(guard: Type<CanActivate>): Type {
  @Controller()
  class WhoAmI {
    @Get('me')
    @UseGuards(guard)
    me(@Req() request: { user?: unknown }): object {
      return { user: request.user ?? null };
    }
  }
  return WhoAmI;
}

/** A strategy whose outcome is always the same. */
function fixedStrategy(name: string, authenticate: (strategy: Strategy) => void): Type {
  @Injectable()
  class FixedStrategy extends PassportStrategy(
    class extends passport.Strategy {
      override authenticate(): void {
        authenticate(this);
      }
    },
    name,
  ) {
    validate(): object {
      return {};
    }
  }
  return FixedStrategy;
}

function keyStrategy(name: string, goodKey: string, user: unknown = { key: goodKey }): Type {
  @Injectable()
  class KeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy, name) {
    constructor() {
      super({ header: 'X-API-Key', prefix: '' }, false);
    }

    validate(key: string): unknown {
      if (key !== goodKey) throw new UnauthorizedException();
      return user;
    }
  }
  return KeyStrategy;
}

@Controller()
@ApiKeyAuth()
class PrincipalController {
  @Get('me')
  me(@CurrentPrincipal() principal: Principal): object {
    return principal;
  }
}

@Controller()
@JwtAuth()
class TenantController {
  @Get('me')
  me(@CurrentPrincipal() principal: Principal): object {
    return principal;
  }
}

const startWithKeys = (adapter: Adapter): Promise<RunningApp> =>
  startSecured(adapter, {}, { controllers: [PrincipalController] });

async function issueKey({ app }: RunningApp, scopes: string[] = []): Promise<string> {
  const { key } = await app.get(ApiKeyService).issue({ owner: 'ada', name: 'test', scopes });
  return key;
}

afterEach(closeApps);

describe.each(ADAPTERS)('@nestjs/passport on %s', (adapter: Adapter) => {
  describe('PITFALL-P1 a strategy that passes', () => {
    it('bare: the request gets in, with no user', async () => {
      const { port } = await startBare(adapter, {
        controllers: [whoami(AuthGuard('p1-passing'))],
        providers: [fixedStrategy('p1-passing', (strategy) => strategy.pass())],
      });
      const { status, json } = await send(port, 'GET', '/me');
      expect([status, json]).toEqual([200, { user: null }]);
    });

    it('ours: a principal is needed, whatever another guard says', async () => {
      const { port } = await startSecured(
        adapter,
        {},
        {
          controllers: [whoami(AuthGuard('p1-ours'))],
          providers: [fixedStrategy('p1-ours', (strategy) => strategy.pass())],
        },
      );
      expect((await send(port, 'GET', '/me')).status).toBe(401);
    });
  });

  describe('PITFALL-P2 challenges', () => {
    it('bare: the challenge and the status of the strategy are lost', async () => {
      const { port } = await startBare(adapter, {
        controllers: [whoami(AuthGuard('p2-failing'))],
        providers: [fixedStrategy('p2-failing', (strategy) => strategy.fail('Bearer realm="api"', 400))],
      });
      const response = await send(port, 'GET', '/me');
      expect(response.status).toBe(401);
      expect(response.header('www-authenticate')).toBeUndefined();
    });

    it('ours: a 401 says how to do better', async () => {
      const { port } = await startWithKeys(adapter);
      const response = await send(port, 'GET', '/me');
      expect(response.status).toBe(401);
      expect(response.header('www-authenticate')).toMatch(/^Api-Key realm="/);
    });
  });

  const startWithKey = (key: string): Promise<RunningApp> =>
    startBare(adapter, {
      controllers: [whoami(AuthGuard('p3-key'))],
      providers: [keyStrategy('p3-key', key)],
    });

  describe('PITFALL-P3 two applications in one process', () => {
    it('bare: the strategy of the second replaces that of the first', async () => {
      const first = await startWithKey('first-key');
      await startWithKey('second-key');
      const ask = async (key: string): Promise<number> =>
        (await send(first.port, 'GET', '/me', { headers: { 'x-api-key': key } })).status;
      expect([await ask('first-key'), await ask('second-key')]).toEqual([401, 200]);
    });

    it('ours: each application knows its own keys', async () => {
      const [first, second] = [await startWithKeys(adapter), await startWithKeys(adapter)];
      const ask = async (key: string): Promise<number> =>
        (await send(first.port, 'GET', '/me', { headers: { 'x-api-key': key } })).status;
      expect([await ask(await issueKey(first)), await ask(await issueKey(second))]).toEqual([200, 401]);
    });
  });

  describe('PITFALL-P5 a principal that is a list', () => {
    it('bare: its first element becomes the user', async () => {
      const { port } = await startBare(adapter, {
        controllers: [whoami(AuthGuard('p5-key'))],
        providers: [keyStrategy('p5-key', 'key', ['admin', 'ops'])],
      });
      const { json } = await send(port, 'GET', '/me', { headers: { 'x-api-key': 'key' } });
      expect(json).toEqual({ user: 'admin' });
    });

    it('ours: the principal is an object of one shape', async () => {
      const app = await startWithKeys(adapter);
      const key = await issueKey(app, ['admin', 'ops']);
      const { json } = await send(app.port, 'GET', '/me', { headers: { 'x-api-key': key } });
      expect(json).toMatchObject({ type: 'api-key', scopes: ['admin', 'ops'] });
    });
  });

  describe('PITFALL-P6 two credentials', () => {
    it('bare: a bad one is forgotten when the other is good', async () => {
      const { port } = await startBare(adapter, {
        controllers: [whoami(AuthGuard(['p6-refusing', 'p6-accepting']))],
        providers: [
          fixedStrategy('p6-refusing', (strategy) => strategy.fail('unknown key', 401)),
          fixedStrategy('p6-accepting', (strategy) => strategy.success({ id: 'ada' })),
        ],
      });
      const { status, json } = await send(port, 'GET', '/me', {
        headers: { 'x-api-key': 'stolen', authorization: 'Bearer good' },
      });
      expect([status, json]).toEqual([200, { user: { id: 'ada' } }]);
    });

    it('ours: two credentials are refused', async () => {
      const app = await startWithKeys(adapter);
      const response = await send(app.port, 'GET', '/me', {
        headers: { 'x-api-key': 'stolen', authorization: `Api-Key ${await issueKey(app)}` },
      });
      expect(response.status).toBe(400);
      expect(response.json).toMatchObject({ error: { code: 'INVALID_REQUEST' } });
    });
  });

  describe('PITFALL-P7 a strategy that redirects', () => {
    const redirecting = (name: string) => ({
      controllers: [whoami(AuthGuard(name))],
      providers: [fixedStrategy(name, (strategy) => strategy.redirect('https://login.example'))],
    });

    it(`bare: ${adapter === 'express' ? 'an API answers with a redirect' : 'the request ends in 500'}`, async () => {
      const { port } = await startBare(adapter, redirecting('p7-bare'));
      const response = await send(port, 'GET', '/me', { timeoutMs: 2000 });
      expect(response.status).toBe(adapter === 'express' ? 302 : 500);
      if (adapter === 'express') expect(response.header('location')).toBe('https://login.example');
    });

    it('ours: nobody is redirected, a 401 says which credential is due', async () => {
      const { port } = await startSecured(adapter, {}, redirecting('p7-ours'));
      const response = await send(port, 'GET', '/me');
      expect(response.status).toBe(401);
      expect(response.header('location')).toBeUndefined();
      expect(response.header('www-authenticate')).toMatch(/^Api-Key realm="/);
    });
  });

  describe('PITFALL-P8 strategies that depend on the request', () => {
    it('bare: one with the scope of a request is never made', async () => {
      @Injectable({ scope: Scope.REQUEST })
      class TenantStrategy extends PassportStrategy(HeaderAPIKeyStrategy, 'p8-tenant') {
        constructor() {
          super({ header: 'X-API-Key', prefix: '' }, false);
        }

        validate(key: string): object {
          return { key };
        }
      }
      const { port } = await startBare(adapter, {
        controllers: [whoami(AuthGuard('p8-tenant'))],
        providers: [TenantStrategy],
      });
      const response = await send(port, 'GET', '/me', { headers: { 'x-api-key': 'key' } });
      expect(response.status).toBe(500);
    });

    it('ours: one configuration serves many issuers, and the token says whose it is', async () => {
      const tenants = ['https://one.example.test', 'https://two.example.test'].map((issuer) => ({
        issuer,
        ...generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      }));
      const audience = 'https://api.example.test';
      const jwt = tenants.map(({ issuer, publicKey }) => ({
        issuer,
        audience,
        publicKey,
        tenantClaim: 'org',
      }));
      const { port } = await startSecured(adapter, { jwt }, { controllers: [TenantController] });
      const ask = (issuer: string, key: KeyObject): Promise<HttpResponse> => {
        const now = Math.floor(Date.now() / 1000);
        const claims = { iss: issuer, aud: audience, sub: 'ada', org: issuer, iat: now, exp: now + 600 };
        const text = forge('{"alg":"ES256","typ":"at+jwt"}', JSON.stringify(claims), 'ES256', key);
        return send(port, 'GET', '/me', { headers: { authorization: `Bearer ${text}` } });
      };
      const [one, two] = tenants;
      if (one === undefined || two === undefined) throw new Error('two tenants are needed');
      for (const { issuer, privateKey } of [one, two, one]) {
        const { status, json } = await ask(issuer, privateKey);
        expect([status, json]).toMatchObject([200, { tenant: issuer }]);
      }
      expect((await ask(one.issuer, two.privateKey)).status).toBe(401);
    });
  });
});

describe('PITFALL-P4 guards by name', () => {
  it('bare: names of object members and lists collide with others', () => {
    expect(AuthGuard('constructor')).toBe(Object);
    expect(AuthGuard(['p4-a', 'p4-b'])).toBe(AuthGuard('p4-a,p4-b'));
  });

  it.each(ADAPTERS)('ours: on %s a scheme with such a name is an unknown scheme', async (adapter) => {
    const app = await startWithKeys(adapter);
    const key = await issueKey(app);
    for (const scheme of ['constructor', '__proto__', 'toString', 'api-key-jwt']) {
      const { status } = await send(app.port, 'GET', '/me', {
        headers: { authorization: `${scheme} ${key}` },
      });
      expect([scheme, status]).toEqual([scheme, 401]);
    }
  });
});
