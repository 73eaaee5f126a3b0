import { describe, expect, it } from 'vitest';

import { buildChallenge } from '../../lib/authentication/challenges.js';

describe('challenges', () => {
  it('R-AU-02 CONTRACT-1 Api-Key says nothing but its realm', () => {
    const value = 'Api-Key realm="api"';
    expect(buildChallenge('Api-Key', { realm: 'api', scopes: ['a'] })).toEqual({
      wireScheme: 'api-key',
      missing: value,
      invalid: value,
      expired: value,
      insufficientScope: value,
    });
  });

  it('R-AU-02 CONTRACT-1 Bearer has the errors of RFC 6750, none of them where nothing was sent', () => {
    expect(buildChallenge('Bearer', { realm: 'api', scopes: ['users:read', 'users:write'] })).toEqual({
      wireScheme: 'bearer',
      missing: 'Bearer realm="api"',
      invalid: 'Bearer realm="api", error="invalid_token"',
      expired: 'Bearer realm="api", error="invalid_token", error_description="The access token expired"',
      insufficientScope: 'Bearer realm="api", error="insufficient_scope", scope="users:read users:write"',
    });
  });

  it('R-AU-02 CONTRACT-1 Bearer names the resource metadata in every challenge, where there is one', () => {
    const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource';
    const { wireScheme, ...values } = buildChallenge('Bearer', {
      realm: 'api',
      resourceMetadata,
      scopes: [],
    });
    expect(wireScheme).toBe('bearer');
    for (const value of Object.values(values)) {
      expect(value.startsWith(`Bearer realm="api", resource_metadata="${resourceMetadata}"`)).toBe(true);
    }
  });

  it('R-AU-02 nothing gets out of a quoted string', () => {
    const { missing, insufficientScope } = buildChallenge('Bearer', {
      realm: 'a"b\\c\r\nX: 1\0é',
      scopes: ['a"', '\\'],
    });
    expect(missing).toBe(String.raw`Bearer realm="a\"b\\cX: 1"`);
    expect(insufficientScope).toContain(String.raw`scope="a\" \\"`);
    expect(insufficientScope).toMatch(/^[\x20-\x7e]+$/);
  });

  it('R-AU-02 they are made once and cannot change', () => {
    expect(Object.isFrozen(buildChallenge('Bearer', { realm: 'api', scopes: [] }))).toBe(true);
    expect(Object.isFrozen(buildChallenge('Api-Key', { realm: 'api', scopes: [] }))).toBe(true);
  });
});
