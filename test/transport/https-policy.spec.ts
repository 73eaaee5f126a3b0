import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  decideTransport,
  type PlainRequest,
  type TransportPolicy,
} from '../../lib/transport/https-policy.js';

const REDIRECT: TransportPolicy = { mode: 'redirect', host: 'api.example.com' };
const REJECTED = { redirect: undefined };
const KEY = `sk_live_${'a'.repeat(16)}_${'b'.repeat(49)}`;

const decide = (request: Partial<PlainRequest>, policy = REDIRECT) =>
  decideTransport({ method: 'GET', url: '/', headers: {}, ...request }, policy);

describe('plain HTTP', () => {
  it('R-TL-01 CONTRACT-5 reject refuses everything, off lets everything pass', () => {
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']) {
      expect(decide({ method }, { mode: 'reject', host: 'api.example.com' })).toEqual(REJECTED);
      expect(decide({ method }, { mode: 'off', host: undefined })).toBe('pass');
    }
  });

  it('R-TL-02 CONTRACT-5 redirects reads to the configured host with path and query as they are', () => {
    for (const method of ['GET', 'HEAD'])
      expect(decide({ method, url: '/a/b?c=d%20e' })).toEqual({
        redirect: 'https://api.example.com/a/b?c=d%20e',
      });
    expect(decide({ headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } })).toEqual({
      redirect: 'https://api.example.com/',
    });
    expect(decide({}, { mode: 'redirect', host: 'api.example.com:8443' })).toEqual({
      redirect: 'https://api.example.com:8443/',
    });
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', undefined])(
    'R-TL-02 D1 never redirects %s',
    (method) => {
      expect(decideTransport({ method, url: '/', headers: {} }, REDIRECT)).toEqual(REJECTED);
    },
  );

  it.each(['authorization', 'cookie', 'x-api-key', 'dpop', 'proxy-authorization'])(
    'R-TL-02 D1 never redirects what carries %s, even an empty one',
    (name) => {
      expect(decide({ headers: { [name]: 'x' } })).toEqual(REJECTED);
      expect(decide({ headers: { [name]: '' } })).toEqual(REJECTED);
    },
  );

  it.each([`/?api_key=x`, `/?a=b&access_token=x`, `/?q=${KEY}`, `/files/${KEY}`, `/?%61pi_key=x`])(
    'R-TL-02 R-AU-06 never copies a credential in the URL into a Location: %s',
    (url) => {
      expect(decide({ url })).toEqual(REJECTED);
    },
  );

  it.each([
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/a\r\nX: 1',
    '/a\nb',
    '/a\0',
    '/a b',
    '/é',
    'http://evil.example/',
    '@evil.example/',
    '.evil.example/',
    '*',
    '',
    `/${'a'.repeat(2_048)}`,
  ])('R-TL-02 refuses a target that could be read as another place: %j', (url) => {
    expect(decide({ url })).toEqual(REJECTED);
  });

  it('R-TL-02 whatever the target, a redirect leads to the configured host, in one line', () => {
    const target = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.webPath(),
      fc.string({
        unit: fc.constantFrom('/', '\\', '.', '@', ':', '%0d', '%0a', 'evil.example', '?', '#', '\t'),
      }),
    );
    fc.assert(
      fc.property(target, (text) => {
        const decision = decide({ url: `/${text}` });
        if (decision === 'pass') throw new Error('plain HTTP passed');
        if (decision.redirect === undefined) return;
        expect(new URL(decision.redirect).host).toBe('api.example.com');
        expect(decision.redirect).toMatch(/^https:\/\/api\.example\.com\/[\x21-\x7e]*$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
