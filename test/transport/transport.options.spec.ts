import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { compileTransport, type TransportOptions } from '../../lib/transport/transport.options.js';

function compile(options: TransportOptions, production = false) {
  const problems = new ConfigurationProblems();
  const policy = compileTransport(options, production, problems);
  return { policy, codes: problems.all.map(({ code }) => code) };
}

describe('transport options', () => {
  it('CONTRACT-5 R-TL-01 rejects by default in production; off has to be said there', () => {
    expect(compile({}, true).policy.mode).toBe('reject');
    expect(compile({}).policy.mode).toBe('off');
    expect(compile({ https: 'off' }, true)).toEqual({ policy: { mode: 'off', host: undefined }, codes: [] });
    expect(compile({ https: 'reject' }).policy.mode).toBe('reject');
  });

  it.each(['api.example.com', 'API.example.com:8443', 'localhost', '192.0.2.1', 'xn--bcher-kva.example'])(
    'R-TL-02 R-TL-07 takes the host %s',
    (publicHost) => {
      expect(compile({ https: 'redirect', publicHost })).toEqual({
        policy: { mode: 'redirect', host: publicHost.toLowerCase() },
        codes: [],
      });
    },
  );

  it.each([
    'https://api.example.com',
    'api.example.com/',
    'api.example.com/path',
    'user@api.example.com',
    'api.example.com:',
    'api.example.com:0',
    'api.example.com:99999',
    'api.example.com:80:80',
    '.example.com',
    'a..b',
    'a b',
    'api.example.com\r\nX: 1',
    'api.example.com\n',
    'bücher.example',
    '-a.example',
    '',
    `${'a'.repeat(64)}.example`,
    7 as unknown as string,
  ])('R-CF-01 R-TL-02 %j is no host', (publicHost) => {
    expect(compile({ https: 'redirect', publicHost }).codes).toEqual(['https.public-host']);
  });

  it('R-CF-01 R-TL-02 redirects need a host', () => {
    expect(compile({ https: 'redirect' }).codes).toEqual(['https.redirect.host']);
  });

  it.each(['Reject', 'on', '', true])('R-CF-01 %j is no mode', (https) => {
    expect(compile({ https: https as 'off' }, true).codes).toEqual(['https.unknown']);
  });
});
