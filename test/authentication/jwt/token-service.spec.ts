import { generateKeyPairSync } from 'node:crypto';

import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';

import { BearerTokenVerifier } from '../../../lib/authentication/jwt/bearer-token-verifier.js';
import { MemoryTokenStore } from '../../../lib/authentication/jwt/memory-token-store.js';
import type {
  Rotation,
  RotationOutcome,
  SubjectRights,
} from '../../../lib/authentication/jwt/session-store.js';
import { RevocationList } from '../../../lib/authentication/jwt/revocation-list.js';
import { type TokenGrant, TokenService } from '../../../lib/authentication/jwt/token.service.js';
import type { TokenOptions } from '../../../lib/authentication/jwt/token.options.js';
import { compileTokenOptions } from '../../../lib/authentication/jwt/token-settings.js';
import { CredentialRejected } from '../../../lib/authentication/credential-verifier.js';
import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import { SecurityError } from '../../../lib/errors/security-error.js';
import type { SecurityEvent } from '../../../lib/events/security-event.js';
import { SecurityEvents } from '../../../lib/events/security-events.js';
import { AUDIENCE, ISSUER, issuersOf, TestClock, token } from './token-workshop.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const DAY = 86_400;
const GRANT: TokenGrant = { scopes: ['items:read', 'items:write'], roles: ['member'] };

/** A service, its verifier, and everything that a test may look at. */
function service(options: TokenOptions = {}) {
  const clock = new TestClock();
  const [issuer] = issuersOf({ jwt: { issuer: ISSUER, audience: AUDIENCE, signingKey: privateKey } }, clock);
  const problems = new ConfigurationProblems();
  const settings = compileTokenOptions(options, issuer, problems);
  problems.throwIfAny();
  const store = options.store ?? new MemoryTokenStore();
  const revocations = new RevocationList(clock);
  const events = new SecurityEvents(clock);
  const seen: SecurityEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const tokens = new TokenService({ issuers: [issuer!], settings, store, revocations, clock, events });
  const verifier = new BearerTokenVerifier([issuer!], revocations, clock);
  /** `good`, or why not. */
  const access = async (text: string): Promise<string> => {
    if (verifier.cached(text)) return 'good';
    return verifier.verify(text).then(
      () => 'good',
      (error: CredentialRejected) => error.reason,
    );
  };
  const refresh = async (text: unknown, conditions = {}): Promise<string> =>
    tokens.refresh(text as string, conditions).then(
      () => 'good',
      (error: SecurityError) => `${error.code} ${error.extras.reason}`,
    );
  return { tokens, verifier, clock, store, revocations, seen, access, refresh };
}

describe('issuing', () => {
  it('R-JW-26 makes an access token as RFC 9068 has it, that others can verify', async () => {
    const { tokens, clock } = service();
    const pair = await tokens.issue('user-1', { ...GRANT, claims: { locale: 'nb' }, clientId: 'app' });
    expect(pair).toMatchObject({ tokenType: 'Bearer', expiresIn: 900 });
    const [key] = tokens.jwks().keys as [{ kid: string }];
    expect(key).toMatchObject({ kty: 'EC', alg: 'ES256', use: 'sig' });
    expect(key).not.toHaveProperty('d');
    expect(decodeProtectedHeader(pair.accessToken)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
    const { payload } = await jwtVerify(pair.accessToken, createLocalJWKSet(tokens.jwks() as never), {
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt',
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti'],
    });
    expect(payload).toMatchObject({
      sub: 'user-1',
      client_id: 'app',
      scope: 'items:read items:write',
      roles: ['member'],
      locale: 'nb',
      iat: clock.seconds,
      exp: clock.seconds + 900,
    });
    expect(Buffer.from(String(payload.jti), 'base64url').length).toBeGreaterThanOrEqual(16);
  });

  it('R-JW-26 its own verifier takes it, until it expires', async () => {
    const { tokens, access, clock } = service();
    const { accessToken } = await tokens.issue('user-1', GRANT);
    expect(await access(accessToken)).toBe('good');
    clock.seconds += 929;
    expect(await access(accessToken)).toBe('good');
    clock.seconds += 1;
    expect(await access(accessToken)).toBe('token.expired');
  });

  it.each([
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'sid',
    'scope',
    'client_id',
    'cnf',
    'act',
    'roles',
  ])('R-JW-26 the claim %s cannot be chosen', async (name) => {
    const { tokens, seen } = service();
    await expect(tokens.issue('user-1', { claims: { [name]: 'x' } })).rejects.toThrow(TypeError);
    expect(seen).toEqual([]);
  });

  it.each<[string, string, TokenGrant]>([
    ['an empty subject', '', {}],
    ['a subject with a control character', 'a\nb', {}],
    ['a subject of 256 characters', 'a'.repeat(256), {}],
    ['a subject with half a character', 'a\ud800', {}],
    ['the subject as client', 'app', { clientId: 'app' }],
    ['a scope with a space', 'u', { scopes: ['a b'] }],
    ['an empty role', 'u', { roles: [''] }],
    ['no audience', 'u', { audience: [] }],
    ['a device with a control character', 'u', { device: 'a\u0000' }],
  ])('R-JW-19 R-JW-20 %s stands in no token', async (_, subject, grant) => {
    await expect(service().tokens.issue(subject, grant)).rejects.toThrow(TypeError);
  });

  it('R-JW-06 claims too large to be accepted again are refused', async () => {
    await expect(service().tokens.issue('u', { claims: { x: 'a'.repeat(8_000) } })).rejects.toThrow(
      'too large',
    );
  });

  it('R-JW-26 without an own issuer nothing is issued, and the error says what is missing', async () => {
    const clock = new TestClock();
    const settings = compileTokenOptions(undefined, undefined, new ConfigurationProblems());
    const tokens = new TokenService({
      issuers: [],
      settings,
      store: new MemoryTokenStore(),
      revocations: new RevocationList(clock),
      clock,
      events: new SecurityEvents(clock),
    });
    await expect(tokens.issue('user-1')).rejects.toThrow('signingKey');
  });
});

describe('refreshing', () => {
  it('R-RT-01 R-RT-03 exchanges a token once, for the same grant', async () => {
    const { tokens, access, clock, seen } = service();
    const first = await tokens.issue('user-1', GRANT);
    clock.seconds += 60;
    const second = await tokens.refresh(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(await access(second.accessToken)).toBe('good');
    const { sid, jti, scope, roles } = decodeJwt(second.accessToken);
    expect(decodeJwt(first.accessToken)).toMatchObject({ sid, scope, roles });
    expect(decodeJwt(first.accessToken).jti).not.toBe(jti);
    expect(seen.map(({ type }) => type)).toEqual(['token.issued', 'token.refreshed']);
  });

  it('R-RT-04 a token that comes back ends its session: newest refresh token and all access tokens', async () => {
    const { tokens, access, refresh, seen } = service();
    const other = await tokens.issue('user-1', GRANT);
    const first = await tokens.issue('user-1', GRANT);
    const second = await tokens.refresh(first.refreshToken);
    const third = await tokens.refresh(second.refreshToken);
    for (const { accessToken } of [first, second, third]) expect(await access(accessToken)).toBe('good');
    expect(await refresh(first.refreshToken)).toBe('UNAUTHENTICATED refresh.reused');
    expect(await refresh(third.refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
    for (const { accessToken } of [first, second, third])
      expect(await access(accessToken)).toBe('token.revoked');
    expect(seen.at(-1)).toMatchObject({
      type: 'token.reuse-detected',
      subject: 'user-1',
      session: decodeJwt(first.accessToken)['sid'],
    });
    expect(await access(other.accessToken)).toBe('good');
    expect(await refresh(other.refreshToken)).toBe('good');
  });

  it('R-RT-05 of 50 parallel uses exactly one succeeds, and reuse is seen, 20 times over', async () => {
    // Rights that take a while let all calls get past the look-up before any of them rotates.
    const currentRights = async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
      return { scopes: ['items:read'], roles: [] };
    };
    const { tokens, access, seen } = service({ currentRights });
    for (let round = 0; round < 20; round++) {
      const { refreshToken } = await tokens.issue(`user-${round}`, GRANT);
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () => tokens.refresh(refreshToken)),
      );
      const winners = results.filter((one) => one.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      expect(await access(winners[0]!.value.accessToken)).toBe('token.revoked');
    }
    expect(seen.filter(({ type }) => type === 'token.reuse-detected').length).toBeGreaterThanOrEqual(20);
  });

  it.each(['', 'x', 7, null, undefined, {}, `rt_${'a'.repeat(65)}`, `rt_${'a'.repeat(10_000)}`, token()])(
    'R-RT-02 %s is no refresh token',
    async (text) => {
      expect(await service().refresh(text)).toMatch(/^UNAUTHENTICATED refresh\.(malformed|unknown)$/);
    },
  );

  it('R-RT-02 neither token does the other’s work', async () => {
    const { tokens, access, refresh } = service();
    const { accessToken, refreshToken } = await tokens.issue('user-1', GRANT);
    expect(await access(refreshToken)).toBe('token.malformed');
    expect(await refresh(accessToken)).toBe('UNAUTHENTICATED refresh.malformed');
  });

  it('R-RT-04 who knows only the session’s id cannot end it', async () => {
    const { tokens, refresh } = service();
    const { accessToken, refreshToken } = await tokens.issue('user-1', GRANT);
    const sid = String(decodeJwt(accessToken)['sid']).replaceAll('-', '').slice(0, 22);
    expect(await refresh(`rt_${sid}${'a'.repeat(43)}`)).toBe('UNAUTHENTICATED refresh.unknown');
    expect(await refresh(refreshToken)).toBe('good');
  });

  it('R-AU-09 all causes look the same', async () => {
    const { tokens } = service();
    const { refreshToken } = await tokens.issue('user-1', GRANT);
    await tokens.refresh(refreshToken);
    const shapes = await Promise.all(
      [refreshToken, 'x', `rt_${'b'.repeat(65)}`].map((text) =>
        tokens.refresh(text).catch((error: SecurityError) => [error.getStatus(), error.code, error.message]),
      ),
    );
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(1);
  });

  it('R-RT-06 a session ends when it is idle for 14 days', async () => {
    const { tokens, refresh, clock } = service();
    const { refreshToken } = await tokens.issue('user-1', GRANT);
    clock.seconds += 14 * DAY - 1;
    const next = await tokens.refresh(refreshToken);
    clock.seconds += 14 * DAY;
    expect(await refresh(next.refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
  });

  it('R-RT-06 and after 90 days, however often it was refreshed', async () => {
    const { tokens, refresh, clock } = service();
    let { refreshToken } = await tokens.issue('user-1', GRANT);
    for (let day = 0; day < 80; day += 10) {
      clock.seconds += 10 * DAY;
      ({ refreshToken } = await tokens.refresh(refreshToken));
    }
    clock.seconds += 10 * DAY - 1;
    ({ refreshToken } = await tokens.refresh(refreshToken));
    clock.seconds += 1;
    expect(await refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
  });

  it('R-RT-07 another client ends the session', async () => {
    const { tokens, refresh, access, seen } = service();
    const { accessToken, refreshToken } = await tokens.issue('user-1', { ...GRANT, clientId: 'app' });
    expect(await refresh(refreshToken, { clientId: 'other' })).toBe('UNAUTHENTICATED refresh.reused');
    expect(await refresh(refreshToken, { clientId: 'app' })).toBe('UNAUTHENTICATED refresh.unknown');
    expect(await access(accessToken)).toBe('token.revoked');
    expect(seen.at(-1)?.type).toBe('token.reuse-detected');
  });

  it('R-RT-07 scopes may shrink for a while, but never grow', async () => {
    const { tokens, refresh } = service();
    const { refreshToken } = await tokens.issue('user-1', GRANT);
    expect(await refresh(refreshToken, { scopes: ['items:read', 'admin'] })).toBe(
      'UNAUTHENTICATED refresh.scope',
    );
    const narrow = await tokens.refresh(refreshToken, { scopes: ['items:read'] });
    expect(decodeJwt(narrow.accessToken)['scope']).toBe('items:read');
    const wide = await tokens.refresh(narrow.refreshToken);
    expect(decodeJwt(wide.accessToken)['scope']).toBe('items:read items:write');
  });

  it('R-RT-11 while the store fails nothing is spent', async () => {
    let broken = false;
    class BreakingStore extends MemoryTokenStore {
      override rotateSession(rotation: Rotation): Promise<RotationOutcome> {
        return broken ? Promise.reject(new Error('connection lost')) : super.rotateSession(rotation);
      }
    }
    const store = new BreakingStore();
    const { tokens, refresh, seen } = service({ store });
    const { refreshToken } = await tokens.issue('user-1', GRANT);
    broken = true;
    expect(await refresh(refreshToken)).toBe('UNAVAILABLE tokens.store');
    expect(seen.at(-1)).toMatchObject({ type: 'store.failed', store: 'tokens' });
    broken = false;
    expect(await refresh(refreshToken)).toBe('good');
  });

  it('R-RT-01 R-LG-03 neither the store nor any event holds a token', async () => {
    const { tokens, store, seen } = service();
    const first = await tokens.issue('user-1', GRANT);
    const second = await tokens.refresh(first.refreshToken);
    const kept: unknown[] = [];
    const proto = Map.prototype as { set: (key: unknown, value: unknown) => unknown };
    const set = proto.set;
    proto.set = function record(key, value) {
      kept.push(key, value);
      return set.call(this, key, value);
    };
    let third;
    try {
      third = await tokens.refresh(second.refreshToken);
      await tokens.issue('user-2', GRANT);
    } finally {
      proto.set = set;
    }
    const dump = JSON.stringify([kept, seen, store, await tokens.sessions('user-1')], (_, value: unknown) =>
      value instanceof Set ? [...value] : value,
    );
    expect(dump).toContain('user-2');
    for (const { refreshToken, accessToken } of [first, second, third]) {
      expect(dump).not.toContain(refreshToken.slice(3, 25));
      expect(dump).not.toContain(refreshToken.slice(25));
      expect(dump).not.toContain(accessToken.split('.')[2]);
    }
  });
});

describe('rights', () => {
  it('R-AZ-13 R-RT-07 a session that follows the subject’s rights sees them shrink and grow', async () => {
    let rights: SubjectRights | undefined = { scopes: ['a'], roles: ['member'] };
    const { tokens } = service({ currentRights: () => rights });
    const first = await tokens.issue('user-1');
    expect(decodeJwt(first.accessToken)).toMatchObject({ scope: 'a', roles: ['member'] });
    rights = { scopes: ['a', 'b'], roles: ['admin'] };
    const second = await tokens.refresh(first.refreshToken);
    expect(decodeJwt(second.accessToken)).toMatchObject({ scope: 'a b', roles: ['admin'] });
    rights = { scopes: [] };
    const claims = decodeJwt((await tokens.refresh(second.refreshToken)).accessToken);
    expect([claims['scope'], claims['roles']]).toEqual([undefined, undefined]);
  });

  it('R-AZ-13 R-RT-07 what was granted expressly only shrinks', async () => {
    let rights: SubjectRights = { scopes: ['a', 'b'], roles: ['admin', 'member'] };
    const { tokens } = service({ currentRights: () => Promise.resolve(rights) });
    const first = await tokens.issue('user-1', { scopes: ['a'], roles: ['member'] });
    const second = await tokens.refresh(first.refreshToken);
    expect(decodeJwt(second.accessToken)).toMatchObject({ scope: 'a', roles: ['member'] });
    rights = { scopes: ['b'], roles: [] };
    const claims = decodeJwt((await tokens.refresh(second.refreshToken)).accessToken);
    expect([claims['scope'], claims['roles']]).toEqual([undefined, undefined]);
  });

  it('R-RT-08 a subject without rights is refused, and its session ends', async () => {
    let rights: SubjectRights | undefined = { scopes: [] };
    const { tokens, refresh, access } = service({ currentRights: () => rights });
    const { accessToken, refreshToken } = await tokens.issue('user-1', GRANT);
    rights = undefined;
    expect(await refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.rights');
    expect(await access(accessToken)).toBe('token.revoked');
    await expect(tokens.issue('user-2')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('R-AZ-13 a grant without scopes and without the hook can do nothing', async () => {
    const { tokens } = service();
    const claims = decodeJwt((await tokens.issue('user-1')).accessToken);
    expect([claims['scope'], claims['roles']]).toEqual([undefined, undefined]);
  });
});

describe('ending sessions', () => {
  it('R-JW-22 R-RT-08 a logout ends the session’s tokens at once, and only those', async () => {
    const { tokens, verifier, access, refresh, seen } = service();
    const one = await tokens.issue('user-1', GRANT);
    const other = await tokens.issue('user-1', GRANT);
    await access(one.accessToken);
    const { principal } = verifier.cached(one.accessToken)!;
    await tokens.revoke(principal);
    expect(verifier.cached(one.accessToken)).toBeUndefined();
    expect(await access(one.accessToken)).toBe('token.revoked');
    expect(await refresh(one.refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
    expect(await access(other.accessToken)).toBe('good');
    expect(seen.at(-1)).toMatchObject({ type: 'token.revoked', session: principal.sessionId });
  });

  it('R-RT-12 sessions can be listed, and ended one by one', async () => {
    const { tokens, access } = service();
    const one = await tokens.issue('user-1', { ...GRANT, device: 'phone' });
    const other = await tokens.issue('user-1', { ...GRANT, device: 'laptop' });
    await tokens.issue('user-2', GRANT);
    const sessions = await tokens.sessions('user-1');
    expect(sessions.map(({ device }) => device)).toEqual(['laptop', 'phone']);
    await tokens.revoke(sessions[1]!.id);
    expect([await access(one.accessToken), await access(other.accessToken)]).toEqual([
      'token.revoked',
      'good',
    ]);
    expect(await tokens.sessions('user-1')).toHaveLength(1);
  });

  it('R-JW-22 R-RT-08 all that a subject has ends at once, and a new login works in the same second', async () => {
    const { tokens, access, refresh } = service();
    const pairs = await Promise.all([1, 2, 3].map(() => tokens.issue('user-1', GRANT)));
    const stranger = await tokens.issue('user-2', GRANT);
    for (const { accessToken } of pairs) expect(await access(accessToken)).toBe('good');
    await tokens.revokeAllOf('user-1');
    for (const { accessToken, refreshToken } of pairs) {
      expect(await access(accessToken)).toBe('token.revoked');
      expect(await refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
    }
    expect(await access(stranger.accessToken)).toBe('good');
    expect(await access((await tokens.issue('user-1', GRANT)).accessToken)).toBe('good');
  });

  it('R-JW-22 nothing of a revocation stays when no token can be valid any more', async () => {
    const { tokens, clock, revocations } = service();
    for (let i = 0; i < 200; i++) {
      const { refreshToken } = await tokens.issue(`user-${i}`, GRANT);
      await tokens.refresh(refreshToken);
      await tokens.revokeAllOf(`user-${i}`);
    }
    expect(revocations.size).toBe(400);
    clock.seconds += 2 * DAY;
    for (let i = 0; i < 60; i++) await tokens.revoke(`session-${i}`);
    expect(revocations.size).toBeLessThan(62);
  });
});

describe('the memory store', () => {
  it('R-RT-01 is bounded, in all and for one subject', async () => {
    const store = new MemoryTokenStore(250);
    const { tokens, refresh } = service({ store });
    const first = await tokens.issue('user-1', GRANT);
    for (let i = 0; i < 100; i++) await tokens.issue('user-1', GRANT);
    expect(store.size).toBe(100);
    expect(await refresh(first.refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
    for (let i = 0; i < 400; i++) await tokens.issue(`other-${i}`, GRANT);
    expect(store.size).toBe(250);
  });

  it('R-RT-06 lets lapsed sessions go without a timer', async () => {
    const store = new MemoryTokenStore();
    const { tokens, clock } = service({ store });
    for (let i = 0; i < 50; i++) await tokens.issue(`user-${i}`, GRANT);
    clock.seconds += 15 * DAY;
    await tokens.issue('user-x', GRANT);
    expect(store.size).toBe(1);
    expect(await tokens.sessions('user-1')).toEqual([]);
  });
});
