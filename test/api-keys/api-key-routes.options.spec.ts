import { RateLimit, SecurityConfigurationError } from 'nestjs-api-security';
import { ApiKeysModule, type ApiKeyRoutesOptions } from 'nestjs-api-security/api-keys';
import { afterEach, describe, expect, it } from 'vitest';

import { closeApps } from '../support/bare-app.js';
import { startKeyRoutes, tokenOf } from './key-routes-app.js';

afterEach(closeApps);

function problemsOf(options: unknown): string[] {
  try {
    ApiKeysModule.forRoot(options as ApiKeyRoutesOptions);
    return [];
  } catch (error) {
    return error instanceof SecurityConfigurationError
      ? error.problems.map(({ code }) => code)
      : [String(error)];
  }
}

describe('options of the routes for API keys', () => {
  it.each([
    ['path', ''],
    ['path', 'keys/:id'],
    ['path', '/keys/'],
    ['schemes', []],
    ['schemes', ['oauth2']],
    ['schemes', 'jwt'],
    ['decorators', [1]],
    ['owner', 'ada'],
    ['maxKeysPerOwner', 0],
    ['maxKeysPerOwner', 10_001],
    ['maxKeysPerOwner', 1.5],
    ['rotationOverlap', '31d'],
    ['rotationOverlap', -1],
    ['limits', 'all'],
    ['reports', true],
    ['reports', null],
    ['reports.path', { reports: { path: '*' } }],
    ['reports.schemes', { reports: { schemes: [] } }],
    ['reports.verify', { reports: { verify: 'secret' } }],
    ['reports.revoke', { reports: { revoke: 'yes' } }],
    ['reports.onReport', { reports: { onReport: {} } }],
    ['reports.limits', { reports: { limits: '1/minute' } }],
    ['maxKeys', 5],
  ])('R-CF-01 %s is checked (%#)', (name, value) => {
    const options = name.includes('.') ? value : { [name]: value };
    expect(problemsOf(options)).toEqual([`api-key-routes.${name}`]);
  });

  it('R-CF-01 all problems are told at once', () => {
    expect(problemsOf({ path: '', limits: 'all', reports: { limit: '1/minute' } })).toEqual([
      'api-key-routes.path',
      'api-key-routes.limits',
    ]);
    expect(problemsOf({})).toEqual([]);
  });

  it('R-CF-01 a limit of reports that is none, and a scheme that is not configured, stop the boot', async () => {
    const broken = startKeyRoutes('express', { reports: { limit: 'often' as '1/minute' } });
    await expect(broken).rejects.toThrow(/rate-limit/);
    await expect(startKeyRoutes('express', {}, { jwt: undefined as never })).rejects.toThrow(/jwt/);
  });

  it('R-AK-15 path, decorators and overlap hold', async () => {
    const { call, keys } = await startKeyRoutes('express', {
      path: 'me/keys',
      decorators: [RateLimit('3/minute')],
      rotationOverlap: '1h',
    });
    const as = await tokenOf('ada', ['items:read']);
    const made = await call('POST', '/me/keys', as, { name: 'CI', scopes: ['items:read'] });
    expect([made.status, made.header('x-ratelimit-limit')]).toEqual([201, '3']);
    expect((await call('POST', `/me/keys/${made.json.id}/rotate`, as)).status).toBe(201);
    expect(await keys.verify(made.json.key)).toBeDefined();
    expect((await call('GET', '/api-keys', as)).status).toBe(404);
  });

  it('R-AK-15 keys manage no keys unless that is switched on', async () => {
    const { call, keys } = await startKeyRoutes('express');
    const { key } = await keys.issue({ owner: 'ada', name: 'CI', scopes: ['api-keys:manage'] });
    expect((await call('GET', '/api-keys', key)).status).toBe(401);
  });

  it('R-JW-20 the application says whose keys a caller manages', async () => {
    const { call, keys } = await startKeyRoutes('express', {
      owner: ({ id, issuer }) => (id === 'nobody' ? undefined : `${issuer}|${id}`),
    });
    const body = { name: 'CI', scopes: ['items:read'] };
    const made = await call('POST', '/api-keys', await tokenOf('ada', ['items:read']), body);
    expect((await keys.get(made.json.id))?.owner).toBe('https://id.example.test|ada');
    const nobody = await call('GET', '/api-keys', await tokenOf('nobody', ['items:read']));
    expect([nobody.status, nobody.json.error.code]).toEqual([403, 'FORBIDDEN']);
  });

  it.each([
    ['none', [400, 400, 400]],
    ['plan', [201, 400, 200]],
    ['any', [201, 201, 200]],
  ] as const)('R-AK-15 limits: %s', async (limits, expected) => {
    const { call, keys } = await startKeyRoutes('express', { limits });
    const as = await tokenOf('ada', ['items:read']);
    const body = { name: 'CI', scopes: ['items:read'] };
    const plan = await call('POST', '/api-keys', as, { ...body, limits: 'pro' });
    const own = await call('POST', '/api-keys', as, { ...body, limits: ['5/minute'] });
    const { id } = await keys.issue({ ...body, owner: 'ada', limits: 'free' });
    const lifted = await call('PATCH', `/api-keys/${id}`, as, { limits: null });
    expect([plan.status, own.status, lifted.status]).toEqual(expected);
    expect((await keys.get(id))?.limits).toBe(limits === 'none' ? 'free' : undefined);
  });
});
