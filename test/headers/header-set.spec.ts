import { createServer } from 'node:http';

import helmet from 'helmet';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { prepareHeaders } from '../../lib/headers/header-set.js';
import type { HeadersOptions } from '../../lib/headers/headers.options.js';
import { type HeaderList, putHeaders } from '../../lib/http/header-writer.js';
import { send } from '../support/http-client.js';
import { listen } from '../support/listen.js';

function prepare(options?: HeadersOptions) {
  const problems = new ConfigurationProblems();
  const set = prepareHeaders(options, problems);
  problems.throwIfAny();
  const textOf = (list: HeaderList) => Object.fromEntries(list.map(([name, value]) => [name, value]));
  return { plain: textOf(set.plain), secure: textOf(set.secure), set };
}

const CONTRACT = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': expect.stringMatching(/^[a-z-]+=\(\)(?:, [a-z-]+=\(\))+$/) as string,
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-DNS-Prefetch-Control': 'off',
  'Cache-Control': 'no-store',
};

describe('the header set', () => {
  it('CONTRACT-4 R-SH-01 R-TL-03 PITFALL-NC5 is the contract’s, with HSTS on secure connections only', () => {
    const { plain, secure } = prepare();
    expect(plain).toEqual(CONTRACT);
    expect(secure).toEqual({
      ...CONTRACT,
      'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
    });
  });

  it('CONTRACT-4 changes with the options, and loses what is switched off', () => {
    const { plain, secure } = prepare({
      frameOptions: false,
      strictTransportSecurity: false,
      cacheControl: 'no-cache',
    });
    expect(plain).toEqual(secure);
    expect(plain).not.toHaveProperty('X-Frame-Options');
    expect(plain['Cache-Control']).toBe('no-cache');
    expect(plain['Referrer-Policy']).toBe('no-referrer');
  });

  it('R-SH-01 is made once and cannot change', () => {
    const { set } = prepare();
    for (const list of [set, set.plain, set.secure, ...set.plain, ...set.secure])
      expect(Object.isFrozen(list)).toBe(true);
  });

  it('CONTRACT-4 R-SH-03 arrives on the wire as it was prepared, each header once', async () => {
    const { set, secure } = prepare();
    const server = createServer((_request, response) => {
      putHeaders(response, set.secure);
      response.end();
    });
    onTestFinished(() => void server.close());
    const { rawHeaders } = await send(await listen(server), 'GET', '/');
    const ours = rawHeaders.filter(([name]) => name in secure);
    expect(ours.map(([name]) => name)).toEqual(Object.keys(secure));
    expect(Object.fromEntries(ours)).toEqual(secure);
    expect(rawHeaders.map(([name]) => name.toLowerCase())).not.toContain('x-powered-by');
  });

  it('R-SH-01 says the same as helmet where both speak and are told the same', async () => {
    const server = createServer((request, response) => {
      helmet({
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
        },
        strictTransportSecurity: { maxAge: 63_072_000 },
        frameguard: { action: 'deny' },
      })(request, response, () => response.end());
    });
    onTestFinished(() => void server.close());
    const { headers } = await send(await listen(server), 'GET', '/');
    const ours = Object.entries(prepare().secure).map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    const shared = ours.filter(([name]) => headers[name] !== undefined);
    expect(shared.map(([name]) => name).toSorted()).toEqual([
      'content-security-policy',
      'cross-origin-opener-policy',
      'cross-origin-resource-policy',
      'referrer-policy',
      'strict-transport-security',
      'x-content-type-options',
      'x-dns-prefetch-control',
      'x-frame-options',
      'x-permitted-cross-domain-policies',
    ]);
    const compact = (text: string) => text.replaceAll('; ', ';');
    for (const [name, value] of shared) expect(compact(headers[name]!), name).toBe(compact(value));
  });
});
