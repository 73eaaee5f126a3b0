import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { compileTokenOptions } from '../../../lib/authentication/jwt/token-settings.js';
import { compileTokenIssuers, tokenIssuerWarnings } from '../../../lib/authentication/jwt/issuer-compiler.js';
import { MemoryTokenStore } from '../../../lib/authentication/jwt/memory-token-store.js';
import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import {
  AUDIENCE,
  createSecretKey,
  ecPair,
  edPair,
  ISSUER,
  issuersOf,
  problemsOf,
  rsaPair,
  secret,
} from './token-workshop.js';

const good = { issuer: ISSUER, audience: AUDIENCE, publicKey: ecPair.publicKey };
const keyless = { issuer: ISSUER, audience: AUDIENCE };
const pem = (key: typeof ecPair.publicKey) => key.export({ type: 'spki', format: 'pem' }) as string;
const jwk = (key: typeof ecPair.publicKey, more: object = {}) => ({
  ...key.export({ format: 'jwk' }),
  ...more,
});
const rsa = (options: object) => generateKeyPairSync('rsa', { modulusLength: 2048, ...options }).publicKey;

/** An EC public key whose point is moved off the curve. */
const offCurve = () => {
  const key = jwk(ecPair.publicKey) as { y?: string };
  const y = Buffer.from(String(key.y), 'base64url');
  y[31]! ^= 1;
  return { ...key, y: y.toString('base64url') };
};

const codesOf = (options: unknown): string[] => problemsOf(options).map(({ code }) => code);

describe('options that are refused at boot', () => {
  it.each<[string, unknown, string[]]>([
    ['no object', 'secret', ['jwt.options.type']],
    ['an empty list', [], ['jwt.issuer.missing']],
    ['an unknown option', { ...good, audiance: 'x' }, ['jwt.option.unknown']],
    ['no issuer', { ...good, issuer: undefined }, ['jwt.issuer.missing']],
    ['an issuer that is no text', { ...good, issuer: 7 }, ['jwt.issuer.invalid']],
    ['an issuer with a wildcard', { ...good, issuer: 'https://*.example.com' }, ['jwt.issuer.invalid']],
    ['no audience', { ...good, audience: undefined }, ['jwt.audience.missing']],
    ['an empty list of audiences', { ...good, audience: [] }, ['jwt.audience.missing']],
    ['an empty audience', { ...good, audience: '' }, ['jwt.audience.invalid']],
    ['any audience', { ...good, audience: '*' }, ['jwt.audience.invalid']],
    ['no key, and an issuer that is no URL', { ...keyless, issuer: 'id.example.com' }, ['jwt.keys.missing']],
    ['a secret beside discovery', { ...keyless, algorithms: ['HS256'] }, ['jwt.algorithms.mixed']],
    ['a file that is not there', { ...keyless, jwksFile: '/nowhere.json' }, ['jwt.jwksFile.refused']],
    ['a refresh that is none', { ...keyless, keyRefresh: '1h' }, ['jwt.keyRefresh.type']],
    [
      'a refresh without bounds',
      { ...keyless, keyRefresh: { timeout: '11s', maxAge: '59s' } },
      ['jwt.keyRefresh.maxAge.bounds', 'jwt.keyRefresh.timeout.bounds'],
    ],
    ['a refresh with more', { ...keyless, keyRefresh: { ttl: '1h' } }, ['jwt.keyRefresh.option.unknown']],
    ['roles that are no list', { ...good, roles: 'admin' }, ['jwt.roles.type']],
    ['half a permission', { ...keyless, allowPrivateAddresses: 'yes' }, ['jwt.allowPrivateAddresses.type']],
    ['two keys', { ...good, secret }, ['jwt.keys.several']],
    ['no algorithm', { ...good, algorithms: [] }, ['jwt.algorithms.empty']],
    ['none', { ...good, algorithms: ['none'] }, ['jwt.algorithms.unknown']],
    ['None', { ...good, algorithms: ['ES256', 'None'] }, ['jwt.algorithms.unknown']],
    ['algorithms as text', { ...good, algorithms: 'ES256' }, ['jwt.algorithms.empty']],
    ['HS and RS together', { ...good, algorithms: ['ES256', 'HS256'] }, ['jwt.algorithms.mixed']],
    ['a secret with RS256', { ...keyless, secret, algorithms: ['RS256'] }, ['jwt.algorithms.mixed']],
    ['a public key as secret', { ...keyless, secret: ecPair.publicKey }, ['jwt.secret.refused']],
    [
      'the PEM text of a public key as secret',
      { ...keyless, secret: pem(rsaPair.publicKey) },
      ['jwt.secret.refused'],
    ],
    ['a secret as public key', { ...keyless, publicKey: createSecretKey(secret) }, ['jwt.publicKey.refused']],
    [
      'a secret for several audiences',
      { issuer: ISSUER, audience: ['a', 'b'], secret },
      ['jwt.secret.shared'],
    ],
    [
      'a secret for HS256 and HS512',
      { ...keyless, secret, algorithms: ['HS256', 'HS512'] },
      ['jwt.secret.refused'],
    ],
    ['a private key as public key', { ...keyless, publicKey: ecPair.privateKey }, ['jwt.publicKey.refused']],
    [
      'the PEM text of a private key as public key',
      { ...keyless, publicKey: ecPair.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
      ['jwt.publicKey.refused'],
    ],
    ['no key text', { ...keyless, publicKey: 'ssh-rsa AAAA' }, ['jwt.publicKey.refused']],
    ['a public key to sign with', { ...keyless, signingKey: ecPair.publicKey }, ['jwt.signingKey.refused']],
    ['RSA of 1024 bits', { ...keyless, publicKey: rsa({ modulusLength: 1024 }) }, ['jwt.publicKey.refused']],
    ['an exponent of 3', { ...keyless, publicKey: rsa({ publicExponent: 3 }) }, ['jwt.publicKey.refused']],
    [
      'an exponent of 1',
      { ...keyless, publicKey: jwk(rsaPair.publicKey, { e: 'AQ' }) },
      ['jwt.publicKey.refused'],
    ],
    [
      'RSA of 16384 bits',
      {
        ...keyless,
        publicKey: { kty: 'RSA', e: 'AQAB', n: randomBytes(2048).fill(0xc1, 0, 1).toString('base64url') },
      },
      ['jwt.publicKey.refused'],
    ],
    ['a point off the curve', { ...keyless, publicKey: offCurve() }, ['jwt.publicKey.refused']],
    [
      'another curve',
      { ...keyless, publicKey: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey },
      ['jwt.publicKey.refused'],
    ],
    ['X25519', { ...keyless, publicKey: generateKeyPairSync('x25519').publicKey }, ['jwt.publicKey.refused']],
    ['a key that the algorithm does not fit', { ...good, algorithms: ['ES384'] }, ['jwt.publicKey.refused']],
    ['an algorithm without a key', { ...good, algorithms: ['ES256', 'ES384'] }, ['jwt.publicKey.refused']],
    [
      'one RSA key for two algorithms',
      { ...keyless, publicKey: rsaPair.publicKey, algorithms: ['RS256', 'PS256'] },
      ['jwt.publicKey.refused'],
    ],
    [
      'a JWK for encryption',
      { ...keyless, publicKey: jwk(ecPair.publicKey, { use: 'enc' }) },
      ['jwt.publicKey.refused'],
    ],
    [
      'a JWK that may not verify',
      { ...keyless, publicKey: jwk(ecPair.publicKey, { key_ops: ['sign'] }) },
      ['jwt.publicKey.refused'],
    ],
    [
      'a JWK with a wrong alg',
      { ...keyless, publicKey: jwk(ecPair.publicKey, { alg: 'RS256' }) },
      ['jwt.publicKey.refused'],
    ],
    [
      'a JWK with an odd kid',
      { ...keyless, publicKey: jwk(ecPair.publicKey, { kid: 7 }) },
      ['jwt.publicKey.refused'],
    ],
    ['a set without keys', { ...keyless, jwks: { keys: [] } }, ['jwt.jwks.refused']],
    ['a set that is none', { ...keyless, jwks: ecPair.publicKey }, ['jwt.jwks.refused']],
    [
      'a set with a secret',
      { ...keyless, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } },
      ['jwt.jwks.refused'],
    ],
    [
      'a set with a private key',
      { ...keyless, jwks: { keys: [jwk(ecPair.privateKey)] } },
      ['jwt.jwks.refused'],
    ],
    [
      'a set with two keys of one name',
      {
        ...keyless,
        jwks: { keys: [jwk(ecPair.publicKey, { kid: 'a' }), jwk(ecPair.publicKey, { kid: 'a' })] },
      },
      ['jwt.jwks.refused'],
    ],
    ['keys over http', { ...keyless, jwksUri: 'http://id.example.com/keys' }, ['jwt.jwksUri.refused']],
    ['keys from a file', { ...keyless, jwksUri: 'file:///etc/keys' }, ['jwt.jwksUri.refused']],
    [
      'keys from a URL with a user',
      { ...keyless, jwksUri: 'https://u:p@id.example.com/keys' },
      ['jwt.jwksUri.refused'],
    ],
    [
      'keys from a name like loopback',
      { ...keyless, jwksUri: 'http://localhost.evil.example/keys' },
      ['jwt.jwksUri.refused'],
    ],
    ['a skew of 6 minutes', { ...good, clockSkew: '6m' }, ['jwt.clockSkew.bounds']],
    ['a skew that is no duration', { ...good, clockSkew: '-1s' }, ['jwt.clockSkew.bounds']],
    ['a lifetime of 2 days', { ...good, maxLifetime: '2d' }, ['jwt.maxLifetime.bounds']],
    ['a switch that is no boolean', { ...good, legacyTyp: 'yes' }, ['jwt.legacyTyp.type']],
    ['a claim name that is none', { ...good, rolesClaim: 7 }, ['jwt.rolesClaim.type']],
    ['claims that are no list', { ...good, claims: 'email' }, ['jwt.claims.type']],
    ['a claim that is the prototype', { ...good, claims: ['__proto__'] }, ['jwt.claims.type']],
    ['one issuer twice', [good, { ...good, audience: 'x' }], ['jwt.issuer.repeated']],
    [
      'one secret twice',
      ['a', 'b'].map((issuer) => ({ issuer, audience: AUDIENCE, secret })),
      ['jwt.secret.repeated'],
    ],
    [
      'two issuers that sign',
      ['a', 'b'].map((issuer) => ({ issuer, audience: AUDIENCE, signingKey: 'generate' })),
      ['jwt.signingKey.several'],
    ],
    [
      'everything wrong at once',
      { issuer: '', audience: [], clockSkew: -1, algorithms: ['none'] },
      ['jwt.issuer.invalid', 'jwt.audience.missing', 'jwt.clockSkew.bounds', 'jwt.algorithms.unknown'],
    ],
  ])('R-CF-01 R-JW-02 R-JW-03 R-JW-04 %s', (_, jwt, codes) => {
    const problems = problemsOf({ jwt });
    expect(problems.map(({ code }) => code)).toEqual(codes);
    for (const { problem, fix } of problems) expect(problem.length * fix.length).toBeGreaterThan(0);
  });

  it.each<[string, object, string[]]>([
    ['no resource', { resource: undefined }, ['oauth2.resource.invalid', 'oauth2.audience.invalid']],
    ['a resource with a fragment', { resource: `${AUDIENCE}#x` }, ['oauth2.resource.invalid']],
    ['an http resource', { resource: 'http://api.example.com' }, ['oauth2.resource.invalid']],
    ['no issuers', { issuers: [] }, ['oauth2.issuer.missing']],
    ['a secret', { issuers: [{ issuer: ISSUER, secret }] }, ['oauth2.option.unknown']],
    ['an own issuer', { issuers: [{ issuer: ISSUER, signingKey: 'generate' }] }, ['oauth2.option.unknown']],
    ['an issuer that is no URL', { issuers: [{ ...good, issuer: 'me' }] }, ['oauth2.issuer.insecure']],
    ['an unknown option', { scope: [] }, ['oauth2.option.unknown']],
    ['scopes without words', { scopes: { 'a:read': '' } }, ['oauth2.scopes.words']],
    ['a list of scopes', { scopes: ['a:read'] }, ['oauth2.scopes.words']],
    ['a realm, which is the application’s', { realm: 'api' }, ['oauth2.option.unknown']],
  ])('R-CF-01 oauth2: %s', (_, options, codes) => {
    const oauth2 = {
      resource: AUDIENCE,
      issuers: [{ issuer: ISSUER, publicKey: ecPair.publicKey }],
      ...options,
    };
    expect(codesOf({ oauth2 })).toEqual(codes);
  });

  it('R-JW-16 one issuer cannot be meant in both ways', () => {
    const oauth2 = { resource: AUDIENCE, issuers: [{ issuer: ISSUER, publicKey: ecPair.publicKey }] };
    expect(codesOf({ jwt: good, oauth2 })).toEqual(['oauth2.issuer.repeated']);
  });

  it('R-CF-01 an http issuer is refused in production only', () => {
    const jwt = { ...good, issuer: 'http://localhost:8080' };
    expect(codesOf({ jwt })).toEqual([]);
    const problems = new ConfigurationProblems();
    expect(compileTokenIssuers({ jwt }, problems, { production: true })).toEqual([]);
    expect(() => problems.throwIfAny()).toThrow('jwt.issuer.insecure');
  });
});

describe('secrets', () => {
  const withSecret = (value: unknown, algorithm = 'HS256') => ({
    jwt: { ...keyless, secret: value, algorithms: [algorithm] },
  });

  it.each<[string, unknown]>([
    ['of no bytes', Buffer.alloc(0)],
    ['of one byte', Buffer.from('k')],
    ['of 31 bytes', randomBytes(31)],
    ['of zeros', Buffer.alloc(64)],
    ['of one letter', Buffer.from('a'.repeat(64))],
    ['of a repeated short one', Buffer.alloc(64, randomBytes(16))],
    ['that counts', Buffer.from(Array.from({ length: 64 }, (_, i) => i))],
    ['that counts down', Buffer.from(Array.from({ length: 64 }, (_, i) => 255 - i))],
    ['of a tool’s front page', Buffer.from('a-string-secret-at-least-256-bits-long')],
    ['of the older front page', Buffer.from('your-256-bit-secret-your-256-bit-secret')],
    ['of RFC 7515', 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'],
    ['of RFC 7520', 'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg'],
    [
      'of a framework’s manual',
      Buffer.from('404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970'),
    ],
    ['that asks to be changed', Buffer.from('please-CHANGE-me-before-production-x1')],
    ['as text that could be hex', randomBytes(32).toString('hex')],
    ['as text that is no base64', 'correct horse battery staple and some more'],
    ['that is no text', 42],
  ])('R-JW-21 a secret %s is refused, and the message does not repeat it', (_, value) => {
    const [problem, ...others] = problemsOf(withSecret(value));
    expect(problem?.code).toBe('jwt.secret.refused');
    expect(others).toEqual([]);
    const text = Buffer.isBuffer(value) ? value.toString() : String(value);
    if (text.length > 8) expect(JSON.stringify(problem)).not.toContain(text);
  });

  it('R-JW-21 each algorithm asks for its own length', () => {
    for (const [algorithm, bytes] of [
      ['HS256', 32],
      ['HS384', 48],
      ['HS512', 64],
    ] as const) {
      expect(codesOf(withSecret(randomBytes(bytes - 1), algorithm))).toEqual(['jwt.secret.refused']);
      expect(codesOf(withSecret(randomBytes(bytes), algorithm))).toEqual([]);
    }
  });

  it('R-JW-21 random secrets pass in every form', () => {
    for (let i = 0; i < 50; i++) {
      const bytes = randomBytes(32);
      const forms = [
        bytes,
        new Uint8Array(bytes),
        bytes.toString('base64'),
        bytes.toString('base64url'),
        createSecretKey(bytes),
      ];
      for (const form of [...forms, Buffer.from(bytes.toString('hex'))])
        expect(codesOf(withSecret(form))).toEqual([]);
    }
  });
});

describe('options that are good', () => {
  it.each([
    [{ publicKey: pem(ecPair.publicKey) }, ['ES256']],
    [{ publicKey: jwk(rsaPair.publicKey) }, ['RS256']],
    [{ publicKey: jwk(rsaPair.publicKey, { alg: 'PS512' }) }, ['PS512']],
    [{ publicKey: edPair.publicKey }, ['EdDSA', 'Ed25519']],
    [{ publicKey: generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey }, ['ES512']],
    [{ secret }, ['HS256']],
    [
      {
        jwks: {
          keys: [jwk(ecPair.publicKey, { kid: 'a' }), jwk(edPair.publicKey, { kid: 'b', alg: 'Ed25519' })],
        },
      },
      ['ES256', 'EdDSA', 'Ed25519'],
    ],
    [{ jwksUri: 'https://id.example.com/keys' }, ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519']],
    [{ signingKey: 'generate' }, ['ES256']],
    [{ signingKey: rsaPair.privateKey.export({ type: 'pkcs8', format: 'pem' }) }, ['RS256']],
    [{ signingKey: edPair.privateKey.export({ format: 'jwk' }) }, ['EdDSA']],
  ])('R-JW-02 R-JW-04 case %#: the algorithms come from the key', (key, algorithms) => {
    const [issuer] = issuersOf({ jwt: { ...keyless, ...key } as never });
    expect(issuer?.algorithms).toEqual(algorithms);
    expect(issuer).toMatchObject({
      clockSkew: 30,
      maxLifetime: 'signingKey' in key ? 900 : 3_600,
      legacyTyp: false,
    });
  });

  it('R-JW-15 the legacy switch is worth a warning', () => {
    expect(tokenIssuerWarnings(issuersOf({ jwt: good }))).toEqual([]);
    expect(tokenIssuerWarnings(issuersOf({ jwt: { ...good, legacyTyp: true } }))).toHaveLength(1);
  });
});

describe('tokens', () => {
  const settings = (options: unknown, jwt: object = { ...keyless, signingKey: 'generate' }) => {
    const problems = new ConfigurationProblems();
    const compiled = compileTokenOptions(options as never, issuersOf({ jwt: jwt as never })[0], problems);
    let codes: string[] = [];
    try {
      problems.throwIfAny();
    } catch (error) {
      codes = (error as { problems: { code: string }[] }).problems.map(({ code }) => code);
    }
    return { compiled, codes };
  };

  it('R-RT-06 the defaults', () => {
    expect(settings(undefined).compiled).toMatchObject({
      accessTokenLifetime: 900,
      idleLifetime: 14 * 86_400_000,
      absoluteLifetime: 90 * 86_400_000,
    });
  });

  it.each([
    [{ accessTokenLifetime: '20m' }, 'tokens.accessTokenLifetime.bounds'],
    [{ accessTokenLifetime: 0 }, 'tokens.accessTokenLifetime.bounds'],
    [{ refreshIdleLifetime: '91d' }, 'tokens.refreshIdleLifetime.bounds'],
    [{ refreshAbsoluteLifetime: '400d' }, 'tokens.refreshAbsoluteLifetime.bounds'],
    [{ store: {} }, 'tokens.store.type'],
    [{ currentRights: true }, 'tokens.currentRights.type'],
    [{ lifetime: '1h' }, 'tokens.option.unknown'],
    ['15m', 'tokens.options.type'],
    [{ refreshGrace: '11s' }, 'tokens.refreshGrace.bounds'],
    [{ storeTimeout: '2m' }, 'tokens.storeTimeout.bounds'],
    [{ revokedWithin: '999ms' }, 'tokens.revokedWithin.bounds'],
    [{ whenRevocationsUnknown: 'ignore' }, 'tokens.whenRevocationsUnknown.unknown'],
    [{ signingKeys: {} }, 'tokens.signingKeys.unused'],
  ])('R-CF-01 %j is refused', (options, code) => {
    expect(settings(options).codes).toEqual([code]);
  });

  const managed = { ...keyless, signingKey: 'managed' };
  const weak = Buffer.alloc(32);
  class OtherStore extends MemoryTokenStore {}
  const otherStore = Object.assign(Object.create(null), bound(new OtherStore())) as object;

  it.each([
    [{ signingKeys: 'x' }, 'tokens.signingKeys.type'],
    [{ signingKeys: { rotate: '1d' } }, 'tokens.signingKeys.option.unknown'],
    [{ signingKeys: { algorithm: 'RS256' } }, 'tokens.signingKeys.algorithm.unknown'],
    [{ signingKeys: { rotateEvery: '59m' } }, 'tokens.signingKeys.rotateEvery.bounds'],
    [{ signingKeys: { rotateEvery: '1d', publishAhead: '13h' } }, 'tokens.signingKeys.publishAhead.bounds'],
    [{ signingKeys: { encryptionKey: 'short' } }, 'tokens.signingKeys.encryptionKey.refused'],
    [{ signingKeys: { encryptionKey: [randomBytes(32), weak] } }, 'tokens.signingKeys.encryptionKey.refused'],
    [{ store: otherStore }, 'tokens.signingKeys.encryptionKey.missing'],
    [{ store: otherStore, signingKeys: { encryptionKey: [] } }, 'tokens.signingKeys.encryptionKey.missing'],
  ])('R-CF-01 case %#: managed keys with %j are refused', (options, code) => {
    expect(settings(options, managed).codes).toEqual([code]);
  });

  it('R-CF-01 managed keys serve what the issuer allows', () => {
    const only = (algorithm: string) => ({ ...managed, algorithms: [algorithm] });
    expect(settings({}, only('EdDSA')).compiled.signingKeys.algorithm).toBe('EdDSA');
    expect(settings({ signingKeys: { algorithm: 'ES256' } }, only('EdDSA')).codes).toEqual([
      'tokens.signingKeys.algorithm.unknown',
    ]);
    expect(() => issuersOf({ jwt: only('RS256') as never })).toThrow('managed');
    expect(
      settings({ store: otherStore, signingKeys: { encryptionKey: randomBytes(32) } }, managed).codes,
    ).toEqual([]);
  });

  it('R-JW-22 a store for revocations is of use without own tokens', () => {
    const problems = new ConfigurationProblems();
    compileTokenOptions({ store: new MemoryTokenStore(), revokedWithin: '2s' }, undefined, problems);
    expect(problems.size).toBe(0);
  });

  it('R-CF-01 tokens without an issuer that signs are refused', () => {
    const problems = new ConfigurationProblems();
    compileTokenOptions({ refreshGrace: '1s' }, undefined, problems);
    expect(problems.size).toBe(1);
  });
});

/** A store that is none of the package's own. */
function bound(store: MemoryTokenStore): Record<string, unknown> {
  const methods = Object.getOwnPropertyNames(MemoryTokenStore.prototype).filter((name) => name !== 'size');
  return Object.fromEntries(
    methods.map((name) => [name, (store as unknown as Record<string, unknown>)[name]]),
  );
}
