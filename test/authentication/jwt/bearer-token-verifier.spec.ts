import { describe, expect, it } from 'vitest';

import { BearerTokenVerifier } from '../../../lib/authentication/jwt/bearer-token-verifier.js';
import { RevocationList, revocableToken } from '../../../lib/authentication/jwt/revocation-list.js';
import {
  AUDIENCE,
  ecPair,
  ISSUER,
  issuersOf,
  NOW,
  revocation,
  TestClock,
  token,
  workshop,
} from './token-workshop.js';

describe('verified tokens', () => {
  it('R-AU-14 are known again without a second look, up to exp and no further', async () => {
    const { verifier, clock, keyLookups, outcome } = workshop();
    const text = token();
    expect(verifier.cached(text)).toBeUndefined();
    const verified = await verifier.verify(text);
    expect(verified.expiresAt).toBe((NOW + 600) * 1000);
    for (let i = 0; i < 100; i++) expect(verifier.cached(text)).toBe(verified);
    expect(keyLookups()).toBe(1);
    clock.seconds = NOW + 599.999;
    expect(verifier.cached(text)).toBe(verified);
    clock.seconds = NOW + 600;
    expect(verifier.cached(text)).toBeUndefined();
    expect(await outcome(text)).toBe('user user-1');
    clock.seconds = NOW + 630;
    expect(await outcome(text)).toBe('token.expired');
  });

  it('R-JW-13 are known by the whole of their text', async () => {
    const { verifier } = workshop();
    const text = token();
    await verifier.verify(text);
    for (const other of [`${text}=`, text.slice(0, -1), ` ${text}`, text.toLowerCase(), '']) {
      expect(verifier.cached(other)).toBeUndefined();
    }
  });

  it('R-JW-22 are not known once they are revoked, by token, session or subject', async () => {
    for (const revoke of [
      (list: RevocationList) => list.add(revocation('token', 'token-1')),
      (list: RevocationList) => list.add(revocation('session', 's1')),
      (list: RevocationList) => list.add(revocation('subject', 'user-1')),
    ]) {
      const { verifier, revocations, outcome } = workshop();
      const text = token({ sid: 's1' });
      const stranger = token({ sub: 'user-2', jti: 'token-2', sid: 's2' });
      await verifier.verify(text);
      await verifier.verify(stranger);
      revoke(revocations);
      expect(verifier.cached(text)).toBeUndefined();
      expect(await outcome(text)).toBe('token.revoked');
      expect(verifier.cached(stranger)).toBeDefined();
    }
  });

  it('R-AU-14 take no more room than they are given', async () => {
    const clock = new TestClock();
    const issuers = issuersOf(
      { jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: ecPair.publicKey } },
      clock,
    );
    const verifier = new BearerTokenVerifier(issuers, new RevocationList(clock), clock, 3);
    const texts = Array.from({ length: 5 }, (_, i) => token({ jti: `t${i}` }));
    for (const text of texts) await verifier.verify(text);
    expect(texts.map((text) => verifier.cached(text) !== undefined)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it('R-JW-01 bad ones are never remembered', async () => {
    const { verifier, outcome } = workshop();
    const text = token({ aud: 'x' });
    expect(await outcome(text)).toBe('token.audience');
    expect(verifier.cached(text)).toBeUndefined();
  });

  it('R-AU-10 two applications in one process do not share strategies', async () => {
    const one = workshop();
    const two = workshop({
      jwt: { issuer: ISSUER, audience: 'https://two.example.test', publicKey: ecPair.publicKey },
    });
    expect(await one.outcome(token())).toBe('user user-1');
    expect(await two.outcome(token())).toBe('token.audience');
  });
});

describe('what an issuer may give', () => {
  it('R-OA-10 is what it was configured for: no role or scope of another issuer comes from it', async () => {
    const partner = 'https://partner.example.test';
    const key = { audience: AUDIENCE, publicKey: ecPair.publicKey };
    const { verifier } = workshop({
      jwt: [
        { issuer: ISSUER, ...key },
        { issuer: partner, ...key, roles: ['partner'], scopes: ['orders:read'] },
      ],
    });
    const claims = { roles: ['admin', 'partner'], scope: 'orders:read orders:write' };
    const own = await verifier.verify(token(claims));
    expect(own.principal).toMatchObject({ roles: claims.roles, scopes: ['orders:read', 'orders:write'] });
    const foreign = await verifier.verify(token({ ...claims, iss: partner }));
    expect(foreign.principal).toMatchObject({ roles: ['partner'], scopes: ['orders:read'] });
  });
});

describe('the revocation list', () => {
  const named = (jti: string, issuedAt = NOW - 5) =>
    revocableToken(ISSUER, { subject: 'u', tokenId: jti, sessionId: undefined, issuedAt });

  it('R-JW-22 names of issuers and of tokens cannot run into each other', () => {
    const list = new RevocationList(new TestClock());
    list.add(revocation('token', 'b:1:c', 'a'));
    const other = revocableToken('a:b', {
      subject: 'u',
      tokenId: '1:c',
      sessionId: undefined,
      issuedAt: NOW,
    });
    expect(list.isRevoked(other)).toBe(false);
  });

  it('R-JW-22 full, it forgets its oldest entry only together with every token of that time', () => {
    const clock = new TestClock();
    const list = new RevocationList(clock, 3);
    for (let i = 0; i < 4; i++) list.add(revocation('token', `t${i}`));
    expect(list.size).toBe(3);
    expect(['t0', 't1', 't2', 't3', 'innocent'].map((jti) => list.isRevoked(named(jti)))).toEqual(
      Array.from({ length: 5 }, () => true),
    );
    expect(list.isRevoked(named('later', NOW + 1))).toBe(false);
  });

  it('R-JW-22 a subject’s tokens without a session are revoked up to the running second', () => {
    const clock = new TestClock(NOW + 0.7);
    const list = new RevocationList(clock);
    list.add(revocation('subject', 'u'));
    expect([NOW - 1, NOW, NOW + 1].map((issuedAt) => list.isRevoked(named('t', issuedAt)))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
