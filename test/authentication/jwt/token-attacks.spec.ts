import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  AUDIENCE,
  ecPair,
  edPair,
  encode,
  forge,
  goodClaims,
  ISSUER,
  NOW,
  publicKeyTexts,
  rsaPair,
  secret,
  signText,
  token,
  workshop,
} from './token-workshop.js';

const HEADER = '{"alg":"ES256","typ":"at+jwt"}';
const claimsText = (): string => JSON.stringify(goodClaims());
/** A good claims text with one more member, written as it stands. */
const withMember = (member: string): string => claimsText().replace('{', `{${member},`);

describe('tokens that are good', () => {
  it.each([
    ['ES256', ecPair],
    ['RS256', rsaPair],
    ['PS384', rsaPair],
    ['EdDSA', edPair],
    ['Ed25519', edPair],
  ] as const)('R-JW-02 %s verifies', async (alg, { publicKey, privateKey }) => {
    const { outcome } = workshop({
      jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey, algorithms: [alg] },
    });
    expect(await outcome(token({}, { alg }, privateKey))).toBe('user user-1');
  });

  it.each(['HS256', 'HS384', 'HS512'] as const)('R-JW-21 %s verifies with a strong secret', async (alg) => {
    const { outcome } = workshop({ jwt: { issuer: ISSUER, audience: AUDIENCE, secret, algorithms: [alg] } });
    expect(await outcome(token({}, { alg }, secret))).toBe('user user-1');
  });

  it('R-AU-11 the principal is frozen to the last member and holds only claims that were asked for', async () => {
    const { verifier } = workshop({
      jwt: {
        issuer: ISSUER,
        audience: AUDIENCE,
        publicKey: ecPair.publicKey,
        claims: ['address', 'toString'],
        tenantClaim: 'org',
      },
    });
    const { principal } = await verifier.verify(
      token({
        address: { city: 'Oslo' },
        org: 'acme',
        email: 'a@b.c',
        sid: 's1',
        auth_time: NOW,
        constructor: 'x',
      }),
    );
    expect(principal).toMatchObject({
      type: 'user',
      id: 'user-1',
      scheme: 'jwt',
      issuer: ISSUER,
      scopes: ['items:read', 'items:write'],
      roles: ['member'],
      tenant: 'acme',
      tokenId: 'token-1',
      sessionId: 's1',
      clientId: 'app',
      authenticatedAt: NOW,
    });
    expect(Object.keys(principal.claims)).toEqual(['address']);
    expect(Object.getPrototypeOf(principal.claims)).toBeNull();
    expect(() => Object.assign(principal.claims['address'] as object, { city: 'Rome' })).toThrow(TypeError);
  });

  it('R-JW-20 a token by which a client acts for itself is no user', async () => {
    expect(await workshop().outcome(token({ sub: 'app' }))).toBe('client app');
  });
});

describe('algorithms', () => {
  it.each([
    'none',
    'None',
    'NoNe',
    'nOnE',
    'NONE',
    '',
    'es256',
    'ES256 ',
    'HS256',
    'RS256',
    ['ES256'],
    null,
    1,
    {},
    undefined,
  ])('R-JW-02 alg %j is refused before any key is looked up', async (alg) => {
    const { outcome, keyLookups } = workshop();
    const signed = forge(JSON.stringify({ alg, typ: 'at+jwt' }), claimsText());
    expect(await outcome(signed)).toBe('token.algorithm');
    expect(await outcome(`${signed.slice(0, signed.lastIndexOf('.'))}.`)).toBe('token.malformed');
    expect(keyLookups()).toBe(0);
  });

  it.each([
    ['RSA', rsaPair],
    ['EC', ecPair],
    ['Ed25519', edPair],
  ] as const)(
    'R-JW-03 a MAC made with the %s public key, in any of its forms, is refused',
    async (_, pair) => {
      const { outcome } = workshop({
        jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: pair.publicKey },
      });
      for (const text of publicKeyTexts(pair.publicKey)) {
        for (const alg of ['HS256', 'HS384', 'HS512']) {
          expect(await outcome(token({}, { alg }, text))).toBe('token.algorithm');
        }
      }
    },
  );

  it('R-JW-03 keys and algorithms of two issuers do not mix', async () => {
    const other = 'https://other.example.test';
    const { outcome } = workshop({
      jwt: [
        { issuer: ISSUER, audience: AUDIENCE, publicKey: ecPair.publicKey },
        { issuer: other, audience: AUDIENCE, secret, algorithms: ['HS256'] },
      ],
    });
    expect(await outcome(token({}, { alg: 'HS256' }, secret))).toBe('token.algorithm');
    expect(await outcome(token({ iss: other }))).toBe('token.algorithm');
    expect(await outcome(token({ iss: other }, { alg: 'HS256' }, secret))).toBe('user user-1');
  });

  it('R-JW-04 one RSA key serves one algorithm', async () => {
    const { outcome } = workshop({
      jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: rsaPair.publicKey },
    });
    for (const alg of ['PS256', 'RS512'])
      expect(await outcome(token({}, { alg }, rsaPair.privateKey))).toBe('token.algorithm');
  });
});

describe('signatures', () => {
  const input = `${encode(HEADER)}.${encode(claimsText())}`;
  const genuine = Buffer.from(signText(input, 'ES256', ecPair.privateKey), 'base64url');
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
  const zero = Buffer.alloc(32);

  it.each([
    ['one byte short', genuine.subarray(0, 63)],
    ['one byte long', Buffer.concat([genuine, Buffer.alloc(1)])],
    ['r and s of zero', Buffer.alloc(64)],
    ['r of zero', Buffer.concat([zero, genuine.subarray(32)])],
    ['s of zero', Buffer.concat([genuine.subarray(0, 32), zero])],
    ['r of the order', Buffer.concat([order, genuine.subarray(32)])],
    ['s of the order', Buffer.concat([genuine.subarray(0, 32), order])],
    ['random bytes', randomBytes(64)],
    ['a DER signature', Buffer.from([0x30, 6, 2, 1, 1, 2, 1, 1])],
  ])('R-JW-05 %s is refused', async (_, signature) => {
    expect(await workshop().outcome(`${input}.${encode(signature)}`)).toBe('token.signature');
  });

  it.each([
    ['RS256', rsaPair],
    ['PS256', rsaPair],
    ['EdDSA', edPair],
  ] as const)('R-JW-05 no changed %s signature passes', async (alg, { publicKey, privateKey }) => {
    const { outcome } = workshop({
      jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey, algorithms: [alg] },
    });
    const good = token({}, { alg }, privateKey);
    const signature = Buffer.from(good.slice(good.lastIndexOf('.') + 1), 'base64url');
    for (const at of [0, signature.length >> 1, signature.length - 1]) {
      const changed = Buffer.from(signature);
      changed[at]! ^= 1;
      expect(await outcome(`${good.slice(0, good.lastIndexOf('.'))}.${encode(changed)}`)).toBe(
        'token.signature',
      );
    }
  });

  it('R-JW-01 R-JW-13 no token with one character changed is accepted', async () => {
    const { outcome } = workshop();
    const good = token();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(alphabet.length - 1), async (at, letter) => {
        fc.pre(good[at] !== alphabet[letter]);
        expect(await outcome(good.slice(0, at) + alphabet[letter] + good.slice(at + 1))).toMatch(/^token\./);
      }),
      { numRuns: 1_500 },
    );
  });
});

describe('headers', () => {
  it.each([
    ['crit', ['exp']],
    ['crit', []],
    ['crit', 'exp'],
    ['crit', ['alg']],
    ['crit', ['http://example.com/unknown']],
    ['b64', true],
    ['b64', false],
    ['zip', 'DEF'],
    ['enc', 'A256GCM'],
    ['cty', 'JWT'],
    ['cty', 'jwt'],
    ['jwk', ecPair.publicKey.export({ format: 'jwk' })],
    ['jku', 'https://evil.example/jwks'],
    ['x5u', 'https://evil.example/cert'],
  ])('R-JW-08 R-JW-10 R-JW-11 R-JW-14 %s: %j is refused before any key is looked up', async (name, value) => {
    const { outcome, keyLookups } = workshop();
    expect(await outcome(token({}, { [name]: value }))).toBe('token.header');
    expect(keyLookups()).toBe(0);
  });

  it('R-JW-08 nothing in a header makes a connection or supplies a key', async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as { port: number };
    const url = `http://127.0.0.1:${port}/keys`;
    const evil = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = evil.publicKey.export({ format: 'jwk' });
    const { outcome } = workshop();
    for (const header of [
      { jku: url },
      { x5u: url },
      { jwk },
      { x5c: ['AAAA'] },
      { kid: url },
      { x5t: 'AAAA' },
    ]) {
      expect(await outcome(token({}, header, evil.privateKey))).toMatch(/^token\.(header|signature)$/);
    }
    expect(await outcome(token({ iss: `http://127.0.0.1:${port}` }, {}, evil.privateKey))).toBe(
      'token.issuer',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(connections).toBe(0);
    await new Promise((resolve) => listener.close(resolve));
  });

  const named = () =>
    workshop({
      jwt: {
        issuer: ISSUER,
        audience: AUDIENCE,
        jwks: { keys: [{ ...ecPair.publicKey.export({ format: 'jwk' }), kid: 'k1' }] },
      },
    });

  it.each([
    '../../../../dev/null',
    "k1' UNION SELECT 'x",
    '__proto__',
    'constructor',
    'hasOwnProperty',
    ';id',
    'K1',
    'k1 ',
    'k1\r\nX: y',
    'k1\u0000',
    'é',
    '',
    'k'.repeat(257),
    7,
    {},
    ['k1'],
    null,
  ])('R-JW-09 kid %j finds nothing', async (kid) => {
    expect(await named().outcome(token({}, { kid }))).toMatch(/^token\.(header|key-unknown|malformed)$/);
  });

  it('R-JW-09 where keys have no names, a kid has to be plain all the same', async () => {
    for (const kid of ['k1\r\nX: y', 'k 1', 'k1\u007f', 'é', '']) {
      expect(await workshop().outcome(token({}, { kid }))).toBe('token.header');
    }
    expect(await workshop().outcome(token({}, { kid: 'k1' }))).toBe('user user-1');
  });

  it('R-JW-09 a kid of 10 KB is refused unseen, and the right one is found', async () => {
    const { outcome, keyLookups } = named();
    expect(await outcome(token({}, { kid: 'k'.repeat(10_000) }))).toBe('token.too-long');
    expect(keyLookups()).toBe(0);
    expect(await outcome(token({}, { kid: 'k1' }))).toBe('user user-1');
  });

  it.each([
    'JWT',
    undefined,
    'dpop+jwt',
    'rt+jwt',
    'logout+jwt',
    'secevent+jwt',
    'at+jwt;x',
    'application/jwt',
    'at',
  ])('R-JW-15 PITFALL-J7 typ %j is no access token', async (typ) => {
    expect(await workshop().outcome(token({}, { typ }))).toBe('token.type');
  });

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])(
    'R-JW-15 typ %s is one',
    async (typ) => {
      expect(await workshop().outcome(token({}, { typ }))).toBe('user user-1');
    },
  );

  it('R-JW-15 the legacy switch still refuses ID tokens and refresh tokens', async () => {
    const { outcome } = workshop({
      jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: ecPair.publicKey, legacyTyp: true },
    });
    expect(await outcome(token({}, { typ: 'JWT' }))).toBe('user user-1');
    expect(await outcome(token({}, { typ: undefined }))).toBe('user user-1');
    for (const claims of [
      { nonce: 'n' },
      { at_hash: 'h' },
      { token_use: 'refresh' },
      { scope: undefined, client_id: undefined },
    ]) {
      expect(await outcome(token(claims, { typ: 'JWT' }))).toBe('token.type');
    }
    expect(await outcome(token({}, { typ: 'dpop+jwt' }))).toBe('token.type');
  });
});

describe('form', () => {
  it.each([
    ['duplicate sub', HEADER, withMember('"sub":"admin"')],
    ['duplicate sub behind an escape', HEADER, withMember(String.raw`"\u0073ub":"admin"`)],
    ['duplicate alg', '{"alg":"none","typ":"at+jwt","alg":"ES256"}', claimsText()],
    ['duplicate name below', HEADER, withMember('"x":{"a":1,"a":2}')],
    ['__proto__', HEADER, withMember('"__proto__":{"polluted":true}')],
    ['__proto__ behind an escape', HEADER, withMember(String.raw`"\u005f_proto__":{}`)],
    ['a lone surrogate', HEADER, withMember(String.raw`"x":"\ud800"`)],
    ['halves in the wrong order', HEADER, withMember(String.raw`"x":"\udc00\ud800"`)],
    ['an array', HEADER, `[${claimsText()}]`],
    ['null', HEADER, 'null'],
    ['a string', HEADER, '"admin"'],
    ['nothing', HEADER, ' '],
    ['trailing data', HEADER, `${claimsText()} x`],
    ['two objects', HEADER, `${claimsText()}${claimsText()}`],
    ['a trailing comma', HEADER, claimsText().replace(/\}$/, ',}')],
    ['single quotes', HEADER, claimsText().replaceAll('"', "'")],
    ['a comment', HEADER, `/**/${claimsText()}`],
    ['a raw control character', HEADER, withMember('"x":"\u0001"')],
    ['a leading zero', HEADER, withMember('"x":01')],
    ['a number without digits', HEADER, withMember('"x":-')],
    ['NaN', HEADER, withMember('"x":NaN')],
    ['1e400', HEADER, claimsText().replace(/"exp":\d+/, '"exp":1e400')],
    ['-1e400', HEADER, withMember('"x":-1e400')],
    ['a bad escape', HEADER, withMember(String.raw`"x":"\x41"`)],
    ['101 claims', HEADER, withMember(Array.from({ length: 101 }, (_, i) => `"c${i}":1`).join())],
    ['a string of 4 097', HEADER, withMember(`"x":"${'a'.repeat(4_097)}"`)],
    ['11 levels', HEADER, withMember(`"x":${'['.repeat(10)}${']'.repeat(10)}`)],
  ])('R-JW-06 R-JW-12 PITFALL-J10 %s is refused', async (_, header, claims) => {
    expect(await workshop().outcome(forge(header, claims))).toBe('token.malformed');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ['a byte-order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(claimsText())])],
    ['a bad byte', Buffer.from(withMember('"x":"\u00ff"'), 'latin1')],
    [
      'an over-long form',
      Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
    ],
    ['UTF-16', Buffer.from(claimsText(), 'utf16le')],
  ])('R-JW-12 claims with %s are refused', async (_, claims) => {
    expect(await workshop().outcome(forge(HEADER, claims))).toBe('token.malformed');
  });

  it('R-JW-12 the same text passes once nothing in it is doubtful', async () => {
    const nested = `"x":${'['.repeat(9)}${']'.repeat(9)},"y":"\u00e9 \\ud83d\\ude00","z":-1.5e3`;
    expect(await workshop().outcome(forge(HEADER, ` ${withMember(nested)}\n`))).toBe('user user-1');
  });

  it('R-JW-06 5 000 levels neither pass nor exhaust the stack', async () => {
    const { outcome, keyLookups } = workshop();
    for (const levels of [
      '['.repeat(5_000),
      `${'['.repeat(2_500)}${']'.repeat(2_500)}`,
      '{"a":'.repeat(1_000),
    ]) {
      expect(await outcome(forge(HEADER, withMember(`"x":${levels}`)))).toBe('token.malformed');
    }
    expect(keyLookups()).toBe(0);
  });

  const good = token();
  const [header = '', claims = '', signature = ''] = good.split('.');
  /** The same signature bytes written with bits that decoders throw away. */
  const stray = (() => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return signature.slice(0, -1) + alphabet[alphabet.indexOf(signature.at(-1)!) + 1]!;
  })();

  it.each([
    ['unused bits', `${header}.${claims}.${stray}`],
    ['padding', `${good}=`],
    ['double padding', `${good}==`],
    ['a space', `${header}.${claims}. ${signature}`],
    ['a line break', `${header}.${claims}.${signature}\n`],
    ['the other alphabet', `${header}.${claims}.+${signature.slice(1)}`],
    ['a length that base64 cannot have', `${header}.${claims}.${signature.slice(0, 85)}`],
    ['a fourth part', `${good}.x`],
    ['five parts', `${header}.${claims}.${signature}.x.y`],
    ['two parts', `${header}.${claims}`],
    ['no signature', `${header}.${claims}.`],
    ['no claims', `${header}..${signature}`],
    ['no header', `.${claims}.${signature}`],
    ['nothing', ''],
    ['dots', '..'],
    ['a refresh token', `rt_${'a'.repeat(65)}`],
  ])('R-JW-13 R-JW-14 %s is refused', async (_, text) => {
    const { outcome, keyLookups } = workshop();
    expect(await outcome(text)).toBe('token.malformed');
    expect(keyLookups()).toBe(0);
  });

  it('R-JW-13 what is refused here decodes to the same bytes elsewhere', () => {
    expect(Buffer.from(stray, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
  });

  it('R-JW-06 tokens over 8 KiB and headers over 2 KiB are refused unread', async () => {
    const { outcome, keyLookups } = workshop();
    expect(await outcome(token({ x: Array.from({ length: 4 }, () => 'a'.repeat(2_000)) }))).toBe(
      'token.too-long',
    );
    expect(await outcome(token({}, { x: 'a'.repeat(1_600) }))).toBe('token.malformed');
    expect(keyLookups()).toBe(0);
  });

  it('PITFALL-J13 reading stays linear in the length of the text', async () => {
    const { outcome } = workshop();
    const hostile = ['a', '.', '{', '"', '\\', '[', 'a.', '{"a":'].map((one) =>
      one.repeat(100_000).slice(0, 100_000),
    );
    const started = performance.now();
    for (const text of hostile) {
      expect(await outcome(text)).toBe('token.too-long');
      expect(await outcome(`${encode(HEADER)}.${encode(text.slice(0, 6_000))}.AAAA`)).toBe('token.malformed');
    }
    expect(performance.now() - started).toBeLessThan(100);
  });

  it('R-AU-14 10 000 garbage tokens cost no key look-up, so no signature check and no fetch', async () => {
    const { outcome, keyLookups } = workshop();
    const evil: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const foreign = token({ iss: 'https://evil.example' }, {}, evil);
    for (let i = 0; i < 2_500; i++) {
      const noise = createHash('sha512').update(String(i)).digest('base64url');
      for (const text of [
        noise,
        `${noise}.${noise}.${noise}`,
        `${encode(HEADER)}.${noise}.${noise}`,
        foreign,
      ]) {
        expect(await outcome(text)).toMatch(/^token\.(malformed|issuer|algorithm)$/);
      }
    }
    expect(keyLookups()).toBe(0);
  });
});

describe('claims', () => {
  it.each([
    [{ iss: `${ISSUER}/` }, 'token.issuer'],
    [{ iss: ISSUER.toUpperCase() }, 'token.issuer'],
    [{ iss: [ISSUER] }, 'token.issuer'],
    [{ iss: undefined }, 'token.issuer'],
    [{ iss: '__proto__' }, 'token.issuer'],
    [{ aud: undefined }, 'token.audience'],
    [{ aud: '' }, 'token.audience'],
    [{ aud: [] }, 'token.audience'],
    [{ aud: `${AUDIENCE}/` }, 'token.audience'],
    [{ aud: `${AUDIENCE}.evil.example` }, 'token.audience'],
    [{ aud: AUDIENCE.toUpperCase() }, 'token.audience'],
    [{ aud: '*' }, 'token.audience'],
    [{ aud: [AUDIENCE, 1] }, 'token.audience'],
    [{ aud: { [AUDIENCE]: true } }, 'token.audience'],
    [{ aud: [[AUDIENCE]] }, 'token.audience'],
    [{ sub: undefined }, 'token.subject'],
    [{ scope: ['items:read'] }, 'token.scope'],
    [{ scope: '' }, 'token.scope'],
    [{ scope: 'a  b' }, 'token.scope'],
    [{ scope: 'a\tb' }, 'token.scope'],
    [{ scope: 'a"b' }, 'token.scope'],
    [{ scope: ' a' }, 'token.scope'],
    [{ exp: undefined }, 'token.claims'],
    [{ iat: undefined }, 'token.claims'],
    [{ exp: String(NOW + 600) }, 'token.claims'],
    [{ exp: null }, 'token.claims'],
    [{ iat: '1' }, 'token.claims'],
    [{ nbf: 'x' }, 'token.claims'],
    [{ nbf: null }, 'token.claims'],
    [{ auth_time: 'x' }, 'token.claims'],
    [{ exp: -1 }, 'token.lifetime'],
    [{ iat: 1 }, 'token.lifetime'],
    [{ exp: 1e300 }, 'token.lifetime'],
    [{ cnf: { jkt: 'x' } }, 'token.sender-constrained'],
    [{ cnf: { foo: 1 } }, 'token.sender-constrained'],
    [{ cnf: null }, 'token.sender-constrained'],
  ])('R-JW-16 R-JW-17 R-JW-18 R-JW-23 R-AZ-07 %j is refused', async (claims, reason) => {
    expect(await workshop().outcome(token(claims))).toBe(reason);
  });

  const badNames = [7, true, null, {}, ['user-1'], '', 'a\u0000b', 'a\nb', 'a\u007fb', 'a'.repeat(256)];
  it.each(['sub', 'client_id', 'jti', 'sid'])(
    'R-JW-19 PITFALL-J9 %s of a wrong type or form is refused',
    async (name) => {
      for (const value of badNames)
        expect(await workshop().outcome(token({ [name]: value }))).toBe('token.claims');
      expect(await workshop().outcome(token({ [name]: 'a'.repeat(255) }))).toMatch(/^user /);
    },
  );

  it.each([
    ['exp', { exp: NOW - 30 }, 'token.expired', { exp: NOW - 29 }],
    ['exp with a fraction', { exp: NOW - 30.5 }, 'token.expired', { exp: NOW - 29.5 }],
    ['nbf', { nbf: NOW + 31 }, 'token.not-yet-valid', { nbf: NOW + 30 }],
    ['iat', { iat: NOW + 31 }, 'token.issued-in-future', { iat: NOW + 30 }],
    ['lifetime', { iat: NOW - 10, exp: NOW + 3_591 }, 'token.lifetime', { iat: NOW - 10, exp: NOW + 3_590 }],
  ])('R-JW-17 R-JW-18 %s at its boundary', async (_, over, reason, within) => {
    const base = { iat: NOW - 600 };
    expect(await workshop().outcome(token({ ...base, ...over }))).toBe(reason);
    expect(await workshop().outcome(token({ ...base, ...within }))).toBe('user user-1');
  });

  it('R-AU-09 only a token that is right in everything else is called expired', async () => {
    const { verifier } = workshop();
    const expired = { iat: NOW - 900, exp: NOW - 300 };
    await expect(verifier.verify(token(expired))).rejects.toMatchObject({ expired: true });
    await expect(verifier.verify(token({ ...expired, aud: 'x' }))).rejects.toMatchObject({ expired: false });
    const changed = `${token(expired).slice(0, -4)}AAAA`;
    await expect(verifier.verify(changed)).rejects.toMatchObject({ expired: false });
  });

  it('R-AZ-09 roles that are no list of strings are no roles', async () => {
    const { verifier } = workshop();
    for (const roles of ['admin', { admin: true }, ['admin', 1], [['admin']], 7, null]) {
      expect((await verifier.verify(token({ roles }))).principal.roles).toEqual([]);
    }
    expect((await verifier.verify(token({ roles: ['__proto__'] }))).principal.roles).toEqual(['__proto__']);
  });

  it('R-JW-19 OAuth 2.0 tokens have to name client and token', async () => {
    const { outcome, verifier } = workshop({
      oauth2: { resource: AUDIENCE, issuers: [{ issuer: ISSUER, publicKey: ecPair.publicKey }] },
    });
    expect((await verifier.verify(token())).principal.scheme).toBe('oauth2');
    expect(await outcome(token({ client_id: undefined }))).toBe('token.claims');
    expect(await outcome(token({ jti: undefined }))).toBe('token.claims');
    const own = workshop();
    expect(await own.outcome(token({ client_id: undefined, jti: undefined }))).toBe('user user-1');
  });

  it('R-JW-20 the same subject of two issuers is two principals', async () => {
    const other = 'https://other.example.test';
    const { verifier } = workshop({
      jwt: [ISSUER, other].map((issuer) => ({ issuer, audience: AUDIENCE, publicKey: ecPair.publicKey })),
    });
    const one = await verifier.verify(token());
    const two = await verifier.verify(token({ iss: other }));
    expect(one.principal.id).toBe(two.principal.id);
    expect(one.principal.limitKey).not.toBe(two.principal.limitKey);
  });
});

describe('key sets', () => {
  const jwk = (key: KeyObject, more: object) => ({ ...key.export({ format: 'jwk' }), ...more });
  const second = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  it('R-JW-07 R-JW-09 a token without kid is accepted only where exactly one key fits', async () => {
    const two = workshop({
      jwt: {
        issuer: ISSUER,
        audience: AUDIENCE,
        jwks: { keys: [jwk(ecPair.publicKey, { kid: 'a' }), jwk(second.publicKey, { kid: 'b' })] },
      },
    });
    expect(await two.outcome(token())).toBe('token.key-unknown');
    expect(await two.outcome(token({}, { kid: 'b' }, second.privateKey))).toBe('user user-1');
    expect(await two.outcome(token({}, { kid: 'b' }))).toBe('token.signature');
    const mixed = workshop({
      jwt: {
        issuer: ISSUER,
        audience: AUDIENCE,
        jwks: {
          keys: [jwk(ecPair.publicKey, { kid: 'a' }), jwk(rsaPair.publicKey, { kid: 'b', alg: 'RS256' })],
        },
      },
    });
    expect(await mixed.outcome(token())).toBe('user user-1');
    expect(await mixed.outcome(token({}, { kid: 'b' }))).toBe('token.key-unknown');
  });
});
