import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { resolveClient } from '../../lib/http/client-address.js';
import { compileProxyTrust, type ProxyTrust, type ProxyTrustSetting } from '../../lib/http/proxy-trust.js';

type Headers = Readonly<Record<string, string>>;

const PROXY = '10.0.0.1';

function trust(setting: ProxyTrustSetting | undefined, header: ProxyTrust['header'] = 'x-forwarded-for') {
  const problems = new ConfigurationProblems();
  const compiled = compileProxyTrust(setting, header, problems);
  problems.throwIfAny();
  return compiled;
}

function requestFrom(peer: string | undefined, headers: Headers = {}, encrypted = false): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  if (encrypted) Object.defineProperty(socket, 'encrypted', { value: true });
  const request = new IncomingMessage(socket);
  request.headers = { ...headers };
  return request;
}

const TRUST = trust('10.0.0.0/8, 2001:db8:ffff::/48');
const resolve = (headers: Headers, by: ProxyTrust = TRUST, peer: string | undefined = PROXY) =>
  resolveClient(requestFrom(peer, headers), by);
const forwardedFor = (text: string, by?: ProxyTrust) => resolve({ 'x-forwarded-for': text }, by).address;

describe('the client address by X-Forwarded-For', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1', '192.0.2.1'],
    ['6.6.6.6, 7.7.7.7, 192.0.2.1', '192.0.2.1'],
    ['192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['6.6.6.6, 192.0.2.1, 10.0.0.2, 10.0.0.3', '192.0.2.1'],
    ['192.0.2.1,10.0.0.2', '192.0.2.1'],
    ['  192.0.2.1  ', '192.0.2.1'],
    ['10.0.0.9, 10.0.0.2', '10.0.0.9'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['192.0.2.1:', PROXY],
    ['192.0.2.1:http', PROXY],
    ['192.0.2.1:123456', PROXY],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['"[2001:db8::1]:4711"', '2001:db8::1'],
    ['"192.0.2.1"', '192.0.2.1'],
    ['"192.0.2.1', PROXY],
    ['"', PROXY],
    ['[2001:db8::1', PROXY],
    ['[2001:db8::1]x', PROXY],
    ['[192.0.2.1]', PROXY],
    ['2001:db8::1]:80', PROXY],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1'],
    ['192.0.2.1, ::ffff:10.0.0.2', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['192.0.2.1, 2001:db8:ffff::5', '192.0.2.1'],
    ['unknown', PROXY],
    ['6.6.6.6, unknown', PROXY],
    ['6.6.6.6, unknown, 10.0.0.2', '10.0.0.2'],
    ['_hidden', PROXY],
    ['6.6.6.6, _SEVKISEK', PROXY],
    ['', PROXY],
    [',', PROXY],
    ['6.6.6.6,', PROXY],
    ['6.6.6.6, , 10.0.0.2', '10.0.0.2'],
    ['localhost', PROXY],
    ['for=192.0.2.1', PROXY],
    ['256.0.0.1', PROXY],
    ['010.0.0.1', PROXY],
    ['192.0.2.1 192.0.2.2', PROXY],
    ['192.0.2.1;192.0.2.2', PROXY],
    ['\t192.0.2.1', '192.0.2.1'],
    ['é', PROXY],
    [`6.6.6.6, ${'10.0.0.2, '.repeat(18)}10.0.0.2`, '6.6.6.6'],
    [`6.6.6.6, ${'10.0.0.2, '.repeat(19)}10.0.0.2`, PROXY],
    [`${' '.repeat(2_030)}192.0.2.1`, '192.0.2.1'],
    [`${' '.repeat(2_048)}192.0.2.1`, PROXY],
    [','.repeat(2_000), PROXY],
  ])('R-TL-06 R-RL-09 PITFALL-T8 %j is %s', (text, address) => {
    expect(forwardedFor(text)).toBe(address);
  });

  it('R-TL-06 counts hops exactly: what stands left of them was written by the client', () => {
    expect(forwardedFor('6.6.6.6, 192.0.2.1', trust(1))).toBe('192.0.2.1');
    expect(forwardedFor('6.6.6.6, 192.0.2.1, 192.0.2.2', trust(2))).toBe('192.0.2.1');
    expect(forwardedFor('192.0.2.1', trust(3))).toBe('192.0.2.1');
  });

  it('R-TL-06 asks a function for each hop, the socket first', () => {
    const asked: [string, number][] = [];
    const by = trust((address, hop) => {
      if (hop < 10) asked.push([address, hop]);
      return hop < 2;
    });
    expect(forwardedFor('192.0.2.1, 192.0.2.2', by)).toBe('192.0.2.1');
    expect(asked).toEqual([
      [PROXY, 0],
      ['192.0.2.2', 1],
      ['192.0.2.1', 2],
    ]);
  });

  it.each([
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'cf-connecting-ip',
    'true-client-ip',
    'x-client-ip',
    'via',
  ])('R-RL-09 %s of a peer that is not trusted changes nothing', (name) => {
    expect(resolve({ [name]: '6.6.6.6' }, TRUST, '192.0.2.9').address).toBe('192.0.2.9');
    expect(resolve({ [name]: '6.6.6.6' }, trust(undefined), PROXY).address).toBe(PROXY);
  });

  it.each(['x-real-ip', 'cf-connecting-ip', 'true-client-ip', 'x-client-ip', 'via', 'forwarded'])(
    'R-RL-09 of a trusted proxy only the configured header counts, not %s',
    (name) => {
      expect(resolve({ [name]: 'for=6.6.6.6' }).address).toBe(PROXY);
      expect(resolve({ [name]: '6.6.6.6' }).address).toBe(PROXY);
    },
  );

  it('R-TL-06 a peer is known by its canonical address, and once for each socket', () => {
    expect(resolve({ 'x-forwarded-for': '192.0.2.1' }, TRUST, '::ffff:10.0.0.1').address).toBe('192.0.2.1');
    const request = requestFrom('::ffff:192.0.2.9');
    expect(resolveClient(request, TRUST)).toEqual({ address: '192.0.2.9', secure: false });
    expect(resolveClient(request, TRUST)).toBe(resolveClient(request, TRUST));
  });

  it('R-RL-08 a socket without an address is unknown', () => {
    expect(resolveClient(requestFrom(undefined), TRUST)).toEqual({ address: 'unknown', secure: false });
  });
});

describe('the client address by Forwarded', () => {
  const by = trust('10.0.0.0/8', 'forwarded');
  it.each([
    ['for=192.0.2.1', '192.0.2.1'],
    ['for=6.6.6.6, for=192.0.2.1', '192.0.2.1'],
    ['for=192.0.2.1, for=10.0.0.2', '192.0.2.1'],
    ['for="[2001:db8::1]:4711";proto=https', '2001:db8::1'],
    ['for="192.0.2.1:80"', '192.0.2.1'],
    ['for=_hidden', PROXY],
    ['for=unknown', PROXY],
    ['proto=https', PROXY],
    ['for=192.0.2.1;host="a, for=6.6.6.6"', '192.0.2.1'],
    ['for="6.6.6.6, for=192.0.2.1', PROXY],
    [Array.from({ length: 21 }, () => 'for=6.6.6.6').join(), PROXY],
    [`for=6.6.6.6;x="${'y'.repeat(2_048)}"`, PROXY],
  ])('R-TL-06 %s is %s', (text, address) => {
    expect(resolve({ forwarded: text, 'x-forwarded-for': '7.7.7.7' }, by).address).toBe(address);
  });

  it('R-TL-05 every element has to say https', () => {
    const secure = (forwarded: string) => resolve({ forwarded, 'x-forwarded-proto': 'https' }, by).secure;
    expect(secure('for=192.0.2.1;proto=https')).toBe(true);
    expect(secure('for=192.0.2.1;proto="HTTPS", for=10.0.0.2;proto=https')).toBe(true);
    expect(secure('for=192.0.2.1;proto=http')).toBe(false);
    expect(secure('for=192.0.2.1;proto=http, for=10.0.0.2;proto=https')).toBe(false);
    expect(secure('for=192.0.2.1, for=10.0.0.2;proto=https')).toBe(false);
    expect(secure('for=192.0.2.1;proto=https;proto=https')).toBe(false);
    expect(secure('for=192.0.2.1')).toBe(false);
  });
});

describe('what secure means', () => {
  it.each([
    ['https', true],
    ['HTTPS', true],
    [' https ', true],
    ['https, https', true],
    ['https,http', false],
    ['http,https', false],
    ['http', false],
    ['"https"', false],
    ['https;', false],
    ['https https', false],
    ['wss', false],
    ['on', false],
    ['', false],
    [',', false],
    ['https,', false],
    [Array.from({ length: 21 }, () => 'https').join(), false],
    [`https${' '.repeat(2_048)}`, false],
  ])('R-TL-04 R-TL-05 a trusted proxy says X-Forwarded-Proto: %j', (proto, secure) => {
    expect(resolve({ 'x-forwarded-proto': proto }).secure).toBe(secure);
    expect(resolve({ 'x-forwarded-proto': proto }, TRUST, '192.0.2.9').secure).toBe(false);
    expect(resolve({ 'x-forwarded-proto': proto }, trust(undefined)).secure).toBe(false);
  });

  it.each([
    { 'x-forwarded-ssl': 'on' },
    { 'front-end-https': 'on' },
    { 'x-url-scheme': 'https' },
    { 'x-forwarded-port': '443' },
    { forwarded: 'proto=https' },
    { origin: 'https://api.example.com' },
    { referer: 'https://api.example.com/' },
  ])('R-TL-04 nothing else makes a request secure, whoever sends it: %j', (headers) => {
    expect(resolve(headers as unknown as Headers).secure).toBe(false);
    expect(resolve(headers as unknown as Headers, TRUST, '192.0.2.9').secure).toBe(false);
  });

  it('R-TL-04 TLS on the socket does, and no header takes it back', () => {
    const headers = { 'x-forwarded-proto': 'http' };
    expect(resolveClient(requestFrom('192.0.2.9', headers, true), TRUST).secure).toBe(true);
    expect(resolveClient(requestFrom(PROXY, headers, true), TRUST).secure).toBe(true);
    expect(resolveClient(requestFrom('192.0.2.9'), TRUST).secure).toBe(false);
  });
});
