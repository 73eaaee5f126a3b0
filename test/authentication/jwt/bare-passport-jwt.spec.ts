import { ExtractJwt, Strategy } from 'passport-jwt';
import { describe, expect, it } from 'vitest';

import { createPassport, runStrategy } from '../../../lib/authentication/passport-runner.js';
import { readCredential } from '../../../lib/authentication/credential-reader.js';
import {
  AUDIENCE,
  createSecretKey,
  ecPair,
  forge,
  goodClaims,
  ISSUER,
  NOW,
  problemsOf,
  secret,
  token,
  workshop,
} from './token-workshop.js';

// What passport-jwt 4.0.1 over jsonwebtoken 9 lets in by itself, and that the same is refused here.

/** The subject that bare passport-jwt comes to, or why it refuses. */
async function bare(text: string, options: object = {}, key: unknown = ecPair.publicKey): Promise<unknown> {
  const passport = createPassport();
  const all = {
    jwtFromRequest: () => text,
    secretOrKeyProvider: (
      _request: unknown,
      _token: unknown,
      done: (error: unknown, key?: unknown) => void,
    ) => (key instanceof Error ? done(key) : done(null, key)),
    ...options,
  };
  passport.use(
    new Strategy(all as never, (payload: { sub?: unknown }, done: (error: null, user: object) => void) =>
      done(null, { sub: payload.sub }),
    ),
  );
  return runStrategy(passport, 'jwt', {}).then(
    (user) => (user as { sub: unknown }).sub,
    (error: unknown) => error,
  );
}

/** Good for the machine's own clock, which jsonwebtoken reads. */
const future = { iat: NOW - 10, exp: Math.floor(Date.now() / 1000) + 900_000_000 };

describe('PITFALL-J1 checks inside jsonWebTokenOptions', () => {
  it('bare: vanish without a word', async () => {
    const foreign = token({ ...future, aud: 'https://other.example', iss: 'https://evil.example' });
    const options = { jsonWebTokenOptions: { audience: AUDIENCE, issuer: ISSUER, algorithms: ['RS256'] } };
    expect(await bare(foreign, options)).toBe('user-1');
    expect(await workshop().outcome(foreign)).toBe('token.issuer');
  });
});

describe('PITFALL-J3 a token that never ends', () => {
  it('bare: is accepted; here exp, iat, sub, iss and aud are due', async () => {
    expect(await bare(forge('{"alg":"ES256"}', '{"sub":"admin"}'))).toBe('admin');
    for (const claim of ['exp', 'iat', 'sub', 'iss', 'aud']) {
      expect(await workshop().outcome(token({ [claim]: undefined }))).toMatch(/^token\./);
    }
  });
});

describe('PITFALL-J4 no list of algorithms', () => {
  it('bare: takes any of the family; here the list is always there', async () => {
    const signed = token(future, { alg: 'HS512' }, secret);
    expect(await bare(signed, {}, createSecretKey(secret))).toBe('user-1');
    const { outcome } = workshop({ jwt: { issuer: ISSUER, audience: AUDIENCE, secret } });
    expect(await outcome(token({}, { alg: 'HS512' }, secret))).toBe('token.algorithm');
    expect(await outcome(token({}, { alg: 'HS256' }, secret))).toBe('user user-1');
  });
});

describe('PITFALL-J5 what stands behind the token', () => {
  it.each(['Bearer abc junk more', 'Bearer abc, Basic xyz'])('bare: %s is read in part', (authorization) => {
    const read = ExtractJwt.fromAuthHeaderAsBearerToken()({ headers: { authorization } });
    expect(read).toMatch(/^abc,?$/);
    expect(readCredential(['Authorization', authorization], true)).toHaveProperty('reason');
  });
});

describe('PITFALL-J6 an unknown critical header', () => {
  it('bare: is ignored', async () => {
    const header = { crit: ['must-understand'], 'must-understand': true };
    expect(await bare(token(future, header))).toBe('user-1');
    expect(await workshop().outcome(token({}, header))).toBe('token.header');
  });
});

describe('PITFALL-J7 another kind of token', () => {
  it('bare: a refresh token passes for an access token', async () => {
    const claims = { token_use: 'refresh' };
    expect(await bare(token({ ...future, ...claims }, { typ: 'rt+jwt' }))).toBe('user-1');
    expect(await workshop().outcome(token(claims, { typ: 'rt+jwt' }))).toBe('token.type');
  });
});

describe('PITFALL-J9 claims of another type', () => {
  it('bare: an object as sub and a birth in the future pass', async () => {
    expect(await bare(token({ ...future, sub: { id: 'admin' }, iat: future.exp }))).toEqual({ id: 'admin' });
    expect(await workshop().outcome(token({ sub: { id: 'admin' } }))).toBe('token.claims');
    expect(await workshop().outcome(token({ iat: NOW + 3_600, exp: NOW + 3_700 }))).toBe(
      'token.issued-in-future',
    );
  });
});

describe('PITFALL-J10 a claim twice', () => {
  it('bare: the last one counts', async () => {
    const claims = JSON.stringify({ ...goodClaims(), ...future }).replace('}', ',"sub":"admin"}');
    expect(await bare(forge('{"alg":"ES256","typ":"at+jwt"}', claims))).toBe('admin');
    expect(await workshop().outcome(forge('{"alg":"ES256","typ":"at+jwt"}', claims))).toBe('token.malformed');
  });
});

describe('PITFALL-J11 keys that cannot be had', () => {
  it('bare: look like a bad token; here like the outage that they are', async () => {
    expect(await bare(token(future), {}, new Error('the key server is down'))).toHaveProperty('kind', 'fail');
    const { verifier } = workshop({
      jwt: { issuer: ISSUER, audience: AUDIENCE, jwksUri: 'http://127.0.0.1:1/keys', algorithms: ['ES256'] },
    });
    await expect(verifier.verify(token())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('PITFALL-J12 a secret of one byte', () => {
  it('bare: is good enough; here it stops the boot', async () => {
    const weak = Buffer.from('k');
    expect(await bare(token(future, { alg: 'HS256' }, weak), {}, createSecretKey(weak))).toBe('user-1');
    expect(problemsOf({ jwt: { issuer: ISSUER, audience: AUDIENCE, secret: weak } })).toMatchObject([
      { code: 'jwt.secret.refused' },
    ]);
  });
});

describe('one verifier for all strategies of the process', () => {
  it('R-AU-13 bare: whoever replaces it decides; here the token is not accepted', async () => {
    const holder = Strategy as unknown as { JwtVerifier: unknown };
    const original = holder.JwtVerifier;
    const unsigned = `${token(future).slice(0, -4)}AAAA`;
    const { verifier } = workshop();
    holder.JwtVerifier = (
      _text: string,
      _key: unknown,
      _options: unknown,
      done: (error: null, payload: object) => void,
    ) => done(null, { sub: 'admin' });
    try {
      expect(await bare(unsigned)).toBe('admin');
      await expect(verifier.verify(`${token().slice(0, -4)}AAAA`)).rejects.toThrow('replaced');
      // Not even asked about a signature whose length is wrong (R-JW-05).
      await expect(verifier.verify(`${token()}AA`)).rejects.toMatchObject({ reason: 'token.signature' });
    } finally {
      holder.JwtVerifier = original;
    }
  });
});
