import { generateKeyPairSync } from 'node:crypto';

import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { JwtAuth, type SecurityOptions } from 'nestjs-api-security';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

// What passport-jwt 4.0.1 does by itself over HTTP, and what this module does in the same place; without HTTP see
// test/authentication/jwt/bare-passport-jwt.spec.ts.

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

@Injectable()
class BareStrategy extends PassportStrategy(Strategy, 'bare-jwt') {
  constructor() {
    super({
      jwtFromRequest: ExtractJwt.fromHeader('x-token'),
      secretOrKey: pair.publicKey.export({ type: 'spki', format: 'pem' }),
      algorithms: ['ES256'],
    });
  }

  validate(): object {
    return {};
  }
}

@Controller()
@UseGuards(AuthGuard('bare-jwt'))
class BareController {
  @Get('me')
  me(): object {
    return {};
  }
}

@Controller()
@JwtAuth()
class OwnController {
  @Get('me')
  me(): object {
    return {};
  }
}

const JWT: SecurityOptions = {
  jwt: {
    issuer: 'https://id.example.test',
    audience: 'https://api.example.test',
    publicKey: pair.publicKey,
  },
};

afterEach(closeApps);

describe.each(ADAPTERS)('passport-jwt on %s', (adapter) => {
  describe('PITFALL-J2 challenges', () => {
    it('bare: a 401 says nothing of the scheme', async () => {
      const { port } = await startBare(adapter, { controllers: [BareController], providers: [BareStrategy] });
      for (const headers of [{}, { 'x-token': 'a.b.c' }]) {
        const response = await send(port, 'GET', '/me', { headers });
        expect(response.status).toBe(401);
        expect(response.header('www-authenticate')).toBeUndefined();
      }
    });

    it('R-AU-02 ours: a 401 names the scheme, and the error if there was a token', async () => {
      const { port } = await startSecured(adapter, JWT, { controllers: [OwnController] });
      const missing = await send(port, 'GET', '/me');
      expect(missing.status).toBe(401);
      expect(missing.header('www-authenticate')).toMatch(/^Bearer realm="api"/);
      expect(missing.header('www-authenticate')).not.toContain('error');
      const bad = await send(port, 'GET', '/me', { headers: { authorization: 'Bearer a.b.c' } });
      expect(bad.status).toBe(401);
      expect(bad.header('www-authenticate')).toContain('error="invalid_token"');
    });
  });

  describe('PITFALL-J other places for a token', () => {
    it('ours: a token in the URL is never a credential, given once or twice', async () => {
      const { port } = await startSecured(adapter, JWT, { controllers: [OwnController] });
      for (const query of ['access_token=a.b.c', 'access_token=a.b.c&access_token=d.e.f']) {
        expect((await send(port, 'GET', `/me?${query}`)).status).toBe(400);
      }
    });

    it('ours: the header counts in any spelling', async () => {
      const { port } = await startSecured(adapter, JWT, { controllers: [OwnController] });
      for (const name of ['Authorization', 'AUTHORIZATION', 'authorization']) {
        const response = await send(port, 'GET', '/me', { headers: { [name]: 'Bearer a.b.c' } });
        expect(response.header('www-authenticate')).toContain('error="invalid_token"');
      }
    });
  });
});

describe('PITFALL-J the extractors of passport-jwt', () => {
  it('bare: a parameter given twice is no text, and a header needs lower case', () => {
    const fromUrl = ExtractJwt.fromUrlQueryParameter('token');
    expect(fromUrl({ url: '/?token=a&token=b' })).toEqual(['a', 'b']);
    const headers = { 'x-token': 'a.b.c' };
    expect(ExtractJwt.fromHeader('X-Token')({ headers })).toBeNull();
    expect(ExtractJwt.fromHeader('x-token')({ headers })).toBe('a.b.c');
  });
});
