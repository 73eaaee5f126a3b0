import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { generateKey } from '../../lib/authentication/api-key/key-format.js';
import { newRefreshToken } from '../../lib/authentication/jwt/refresh-token.js';
import { redact } from '../../lib/events/redaction.js';

const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ';

describe('redaction', () => {
  it('R-LG-03 a key keeps its id, wherever it stands', () => {
    for (const prefix of ['sk', 'acme2', 'abcdefghijklmnop']) {
      const { key, id } = generateKey(prefix, 'live');
      for (const text of [
        key,
        `key=${key}`,
        `X_${key}`,
        `"${key}"`,
        `(${key})`,
        `/a/${key}/b`,
        `${key}${key}`,
      ]) {
        const clean = redact(text);
        expect(clean).toContain(`_live_${id}_***`);
        expect(clean).not.toContain(key.slice(-49));
        expect(clean).not.toContain(key.slice(-20));
      }
    }
  });

  it.each<[string, string]>([
    ['a JWT', JWT],
    ['a JWT without its signature', JWT.split('.').slice(0, 2).join('.')],
    ['the header of a JWT', JWT.split('.')[0]!],
    ['a refresh token', newRefreshToken()],
    ['a key of another maker', 'sk_test_51H8aZ2eZvKYlo2C0aBcDeFgH'],
  ])('R-LG-03 %s goes, wherever it stands', (_, secret) => {
    for (const text of [
      secret,
      `token ${secret}.`,
      `?q=${secret}&a=1`,
      `"${secret}"`,
      `<${secret}>`,
      `a.${secret}`,
    ]) {
      expect(redact(text)).not.toContain(secret.slice(-12));
      expect(redact(text)).toContain('***');
    }
  });

  it.each([
    ['Authorization: Bearer abc', 'Authorization: ***'],
    ['authorization: Basic dXNlcjpwYXNz\r\nAccept: x', 'authorization: ***\r\nAccept: x'],
    ['sent Bearer c2VjcmV0LXRva2Vu here', 'sent Bearer *** here'],
    ['DPoP abcdefgh12345678', 'DPoP ***'],
    ['Cookie: sid=1; other=2\nHost: a', 'Cookie: ***\nHost: a'],
    ['Set-Cookie: sid=1; Path=/', 'Set-Cookie: ***'],
    ['{"authorization":"Bearer abc","a":1}', '{"authorization":***,"a":1}'],
    ['password=hunter2&user=ada', 'password=***&user=ada'],
    ['PASSWORD: hunter2', 'PASSWORD: ***'],
    ['{"password":"correct horse","a":1}', '{"password":***,"a":1}'],
    [String.raw`{\"password\":\"correct horse\"}`, String.raw`{\"password\":***}`],
    ["{ password: 'correct horse' }", '{ password: *** }'],
    ['{"accessToken":"abc","refresh_token":"def"}', '{"accessToken":***,"refresh_token":***}'],
    ['client_secret=abc', 'client_secret=***'],
    ['access_token=abc;', 'access_token=***;'],
    ['x-api-key: abc', 'x-api-key: ***'],
    ['apiKey=abc apikey=def', 'apiKey=*** apikey=***'],
    ['privateKey: abc', 'privateKey: ***'],
    ['connect redis://:p@ss@cache:6379 failed', 'connect redis://***@cache:6379 failed'],
    ['postgres://ada:secret@db/app', 'postgres://***@db/app'],
    [
      'x -----BEGIN EC PRIVATE KEY-----\nMIGH\n-----END EC PRIVATE KEY----- y',
      'x -----BEGIN EC PRIVATE KEY----- *** y',
    ],
    ['-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG', '-----BEGIN PRIVATE KEY----- ***'],
  ])('R-LG-03 %j becomes %j', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it.each([
    'GET /users/:id 401',
    'token.expired',
    'key.revoked',
    'a token is missing',
    'Cannot read properties of undefined (reading "x")',
    'sk_live_0123456789abcdef',
    'sk_live_0123456789abcdef…wxyz',
    'https://api.example.com/a?b=c',
    'at Object.<anonymous> (file.js:10:5)',
    '2026-11-24T02:18:50.000Z',
    'rt_',
    'eyJ',
    '',
  ])('leaves %j as it is', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('R-LG-03 looks at 8 KiB and cuts the rest, in the middle of a key too', () => {
    const { key } = generateKey('sk', 'live');
    const clean = redact(`${' '.repeat(8_192 - 40)}${key}`);
    expect(clean).toMatch(/_\*\*\*…$/);
    expect(redact('a'.repeat(20_000))).toHaveLength(8_193);
  });

  it('R-LG-03 no secret gets through between any other text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: fc.constantFrom(' ', '"', "'", '/', '?', '=', '\n') }),
        (before, after) => {
          for (const secret of [JWT, generateKey('sk', 'test').key, newRefreshToken()]) {
            expect(redact(`${before}${secret}${after}`)).not.toContain(secret.slice(-16));
          }
        },
      ),
    );
  });

  it('R-LG-05 takes time in proportion to the length, whatever the text', () => {
    const hostile = [
      'eyJ',
      '-eyJ',
      'eyJ.',
      '_eyJaaaaaaaa-',
      'a_live_',
      'aaaaaaaaaaaaaaaa_',
      'bearer ',
      'bearer a',
      'token',
      'token:',
      'password =',
      'a://',
      'aaaaaaaaaaaaaaaaaaaa:',
      '-----BEGIN ',
      '-----BEGIN PRIVATE KEY-----',
      'cookie',
      '"',
      '\\',
      '  ',
      'rt_',
      '.',
      '@',
    ];
    for (const unit of hostile) {
      const text = unit.repeat(Math.ceil(8_192 / unit.length));
      const times = Array.from({ length: 5 }, () => {
        const started = performance.now();
        redact(text);
        return performance.now() - started;
      });
      expect(Math.min(...times), unit).toBeLessThan(10);
    }
  });
});
