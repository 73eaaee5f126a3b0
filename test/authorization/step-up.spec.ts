import { Controller, Delete, Get, Module } from '@nestjs/common';
import { ApiKeyAuth, JwtAuth, Public, SecurityModule, StepUp, type StepUpOptions } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { AUDIENCE, ecPair, ISSUER, NOW, TestClock, token } from '../authentication/jwt/token-workshop.js';

const clock = new TestClock();

@Controller()
@JwtAuth()
class AccountController {
  @Get('balance') balance() {
    return { ok: true };
  }

  @Delete('account') @StepUp({ maxAge: '5m', acr: ['mfa', 'phr'] }) remove() {
    return { ok: true };
  }

  @Get('keys') @StepUp({ amr: ['otp', 'pwd'] }) keys() {
    return { ok: true };
  }
}

@Controller('vault')
@JwtAuth()
@StepUp({ maxAge: '1h' })
class VaultController {
  @Get() @StepUp({ acr: 'mfa' }) open() {
    return { ok: true };
  }
}

const jwt = { issuer: ISSUER, audience: AUDIENCE, publicKey: ecPair.publicKey };

@Module({
  imports: [SecurityModule.forRoot({ https: 'off', logger: false, jwt, clock })],
  controllers: [AccountController, VaultController],
})
class AccountModule {}

describe.each(ADAPTERS)('step-up on %s', (adapter) => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp(adapter, AccountModule);
  });
  afterAll(() => app.close());

  const call = (method: string, path: string, claims: Record<string, unknown>) =>
    send<ErrorEnvelope>(app.port, method, path, { headers: { authorization: `Bearer ${token(claims)}` } });
  const statusOf = async (...args: Parameters<typeof call>) => (await call(...args)).status;

  it('R-JW-25 tells a client with a stale login how to log in again', async () => {
    const { status, json, headers } = await call('DELETE', '/account', { auth_time: NOW - 301, acr: 'mfa' });
    expect([status, json.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(headers['www-authenticate']).toBe(
      'Bearer realm="api", error="insufficient_user_authentication", acr_values="mfa phr", max_age="300"',
    );
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['fresh and strong enough', { auth_time: NOW - 300, acr: 'phr' }, 200],
    ['too old', { auth_time: NOW - 301, acr: 'phr' }, 401],
    ['too weak', { auth_time: NOW, acr: 'pwd' }, 401],
    ['of unknown age', { acr: 'mfa' }, 401],
    ['of unknown strength', { auth_time: NOW }, 401],
    ['with a strength that is no text', { auth_time: NOW, acr: ['mfa'] }, 401],
  ])('R-JW-25 a login that is %s', async (_, claims, status) => {
    expect(await statusOf('DELETE', '/account', claims)).toBe(status);
    expect(await statusOf('GET', '/balance', { ...claims, acr: undefined })).toBe(200);
  });

  it('R-JW-25 takes every means that is asked for', async () => {
    expect(await statusOf('GET', '/keys', { amr: ['pwd', 'otp', 'mfa'] })).toBe(200);
    for (const amr of [['pwd'], ['otp'], [], 'pwd otp', [1, 'pwd', 'otp']]) {
      expect(await statusOf('GET', '/keys', { amr })).toBe(401);
    }
  });

  it('R-JW-25 R-AZ-01 demands of class and method add up', async () => {
    expect(await statusOf('GET', '/vault', { auth_time: NOW - 3_600, acr: 'mfa' })).toBe(200);
    expect(await statusOf('GET', '/vault', { auth_time: NOW - 3_601, acr: 'mfa' })).toBe(401);
    expect(await statusOf('GET', '/vault', { auth_time: NOW })).toBe(401);
  });

  it('R-JW-25 a login grows old while its token is known', async () => {
    const claims = { auth_time: NOW - 290, acr: 'mfa' };
    expect(await statusOf('DELETE', '/account', claims)).toBe(200);
    clock.seconds += 11;
    expect(await statusOf('DELETE', '/account', claims)).toBe(401);
    clock.seconds = NOW;
  });
});

describe('step-up at boot', () => {
  const boot = (decorate: MethodDecorator & ClassDecorator, options: StepUpOptions) => {
    @Controller()
    @decorate
    class OneController {
      @Get() @StepUp(options) one() {
        return {};
      }
    }

    @Module({
      imports: [SecurityModule.forRoot({ https: 'off', logger: false, jwt, apiKeys: {} })],
      controllers: [OneController],
    })
    class OneModule {}
    return startApp('express', OneModule).then(
      (app) => app.close(),
      (error: Error) => error.message,
    );
  };

  it('R-CF-01 refuses demands that nothing can meet', async () => {
    expect(await boot(ApiKeyAuth(), { maxAge: '5m' })).toContain('policy.step-up.no-token');
    expect(await boot(Public(), { maxAge: '5m' })).toContain('policy.public.with-demands');
    for (const wrong of [{}, { maxAge: 0 }, { maxAge: 'soon' as '5m' }, { acr: 'a b' }, { amr: [] }]) {
      expect(await boot(JwtAuth(), wrong)).toContain('policy.step-up.invalid');
    }
    expect(await boot(JwtAuth(), { amr: 'otp' })).toBeUndefined();
  });
});
