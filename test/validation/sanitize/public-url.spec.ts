import type { LookupAddress } from 'node:dns';
import { Agent, createServer, request, type RequestListener } from 'node:http';
import { connect } from 'node:net';

import {
  assertPublicUrl,
  fetchPublicUrl,
  isSafeUrl,
  type PublicUrl,
  type PublicUrlOptions,
  SafeUrl,
  SecurityError,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { isPublicAddress } from '../../../lib/outbound/public-address.js';
import { listen } from '../../support/listen.js';
import { bodyOf, strict, verdictOf } from '../verdict.js';

const HTTP: PublicUrlOptions = { schemes: ['http', 'https'], ipAddress: true };
const leadsTo =
  (...addresses: string[]) =>
  (): Promise<LookupAddress[]> =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

const reasonOf = (act: Promise<unknown>): Promise<string | undefined> =>
  act.then(
    () => undefined,
    (error: unknown) => (error instanceof SecurityError ? error.extras.reason : String(error)),
  );

const PRIVATE = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://0/',
  'http://0.0.0.0/',
  'http://１２７.0.0.1/',
  'http://127。0。0。1/',
  'http://①②⑦.0.0.1/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.0.1/',
  'http://100.64.0.1/',
  'http://100.100.100.200/latest/meta-data',
  'http://169.254.169.254/latest/meta-data',
  'http://168.63.129.16/metadata',
  'http://192.0.0.192/',
  'http://[::]/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/latest/meta-data',
  'http://[ff02::1]/',
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://a.localhost/',
  'http://printer/',
  'http://printer.local/',
  'http://home.arpa/',
  'http://metadata.google.internal/',
  'http://router.home.arpa/',
  'http://user@example.org/',
  'http://example.org@127.0.0.1/',
  'http://127.0.0.1#@example.org/',
  'http://example.org\\@127.0.0.1/',
  'http://example.org:22/',
  'http://example.org:8080/',
  'http://example.org/\r\nHost: 127.0.0.1',
  'file:///etc/passwd',
  'gopher://example.org/',
  'ftp://example.org/',
  'data:text/plain,x',
  '//example.org/',
  'example.org',
  '',
];

describe('URLs from outside', () => {
  it.each(PRIVATE)('R-IV-27 %j is refused by its text, and nothing is resolved', async (url) => {
    let asked = 0;
    const lookup = (): Promise<LookupAddress[]> => {
      asked++;
      return leadsTo('93.184.216.34')();
    };
    expect(isSafeUrl(url, HTTP)).toBe(false);
    expect(await reasonOf(assertPublicUrl(url, { ...HTTP, lookup }))).toMatch(
      /^url\.(?:form|scheme|port|host|private)$/,
    );
    expect(asked).toBe(0);
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['this machine', ['127.0.0.1']],
    ['this machine by IPv6', ['::1']],
    ['a mapped address', ['::ffff:127.0.0.1']],
    ['metadata', ['169.254.169.254']],
    ['one private address among public ones', ['93.184.216.34', '2606:2800:220:1::1', '192.168.0.1']],
  ])('R-IV-27 a name that leads to %s is refused', async (_, addresses) => {
    expect(
      await reasonOf(assertPublicUrl('https://hooks.example.org/', { lookup: leadsTo(...addresses) })),
    ).toBe('url.private');
  });

  it('R-IV-27 the system’s own names lead nowhere either', async () => {
    // As in /etc/hosts; both names pass as texts only here.
    expect(await reasonOf(assertPublicUrl('https://no-such-name.example/'))).toMatch(
      /^url\.(?:unresolved|private)$/,
    );
    expect(await reasonOf(assertPublicUrl('https://a.example.org/', { lookup: leadsTo() }))).toBe(
      'url.unresolved',
    );
    const never = { lookup: () => new Promise<never>(() => undefined), lookupTimeoutMs: 20 };
    expect(await reasonOf(assertPublicUrl('https://a.example.org/', never))).toBe('url.unresolved');
  });

  it('R-IV-27 allow-lists of schemes, hosts and ports', async () => {
    const lookup = leadsTo('93.184.216.34');
    const reason = (url: string, options: PublicUrlOptions = {}) =>
      reasonOf(assertPublicUrl(url, { lookup, ...options }));
    expect(await reason('https://a.example.org/')).toBeUndefined();
    expect(await reason('http://a.example.org/')).toBe('url.scheme');
    expect(await reason('https://a.example.org:8443/')).toBe('url.port');
    expect(await reason('https://a.example.org:8443/', { ports: [8443] })).toBeUndefined();
    expect(await reason('https://a.example.org/', { ports: [8443] })).toBe('url.port');
    expect(await reason('https://a.example.org/', { hosts: ['*.example.org'] })).toBeUndefined();
    expect(await reason('https://example.org/', { hosts: ['*.example.org'] })).toBe('url.host');
    expect(await reason('https://a.example.org.evil.example/', { hosts: ['*.example.org'] })).toBe(
      'url.host',
    );
    expect(await reason('https://evilexample.org/', { hosts: ['*.example.org', 'example.org'] })).toBe(
      'url.host',
    );
    expect(await reason('https://93.184.216.34/')).toBe('url.host');
    expect(await reason('https://93.184.216.34/', { ipAddress: true })).toBeUndefined();
    expect(await reason('https://[2606:2800:220:1::1]/', { ipAddress: true })).toBeUndefined();
    expect(isPublicAddress('168.63.129.16')).toBe(false);
  });

  it('R-IV-27 as a rule', async () => {
    class HookDto {
      @SafeUrl({ hosts: ['hooks.example.org'] })
      url!: string;
    }
    expect((await verdictOf(strict, { url: 'https://hooks.example.org/a' }, bodyOf(HookDto))).status).toBe(
      200,
    );
    expect(await verdictOf(strict, { url: 'https://169.254.169.254/' }, bodyOf(HookDto))).toMatchObject({
      details: [{ path: 'url', rule: 'safeUrl', message: 'url must be the URL of a public server' }],
    });
  });
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}
const get = (url: string, { agent, lookup }: Partial<PublicUrl>): Promise<string> =>
  new Promise((settle) => {
    const outgoing = request(
      url,
      { ...(agent && { agent }), ...(lookup && { lookup }), timeout: 300 },
      (response) => {
        response.resume();
        settle(`answered ${response.statusCode}`);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('on its way')));
    outgoing.on('error', ({ message }) => settle(message));
    outgoing.end();
  });

describe('what is pinned', () => {
  it('R-IV-27 connects to the addresses that were looked at, whatever the name leads to later', async () => {
    const answers = [['93.184.216.34'], ['127.0.0.1']];
    const lookup = () => leadsTo(...answers.shift()!)();
    const pinned = await assertPublicUrl('https://rebind.example.org/', { lookup });
    expect(pinned.addresses).toEqual([{ address: '93.184.216.34', family: 4 }]);
    expect(answers).toHaveLength(1);
    const found = await new Promise((settle) =>
      pinned.lookup('rebind.example.org', { all: true }, (_, addresses) => settle(addresses)),
    );
    expect(found).toEqual([{ address: '93.184.216.34', family: 4 }]);
    expect(answers).toHaveLength(1);
    const other = await new Promise((settle) =>
      pinned.lookup('evil.example', {}, (error) => settle(error?.message)),
    );
    expect(other).toBe('the name is not the one that was looked at');
    const sixth = await new Promise((settle) =>
      pinned.lookup('rebind.example.org', { family: 6 }, (error) => settle(error !== null)),
    );
    expect(sixth).toBe(true);
  });

  it('R-IV-27 the agent goes to no other host or port, so no redirect leads it away', async () => {
    let requests = 0;
    const port = await serve((_, response) => {
      requests++;
      response.end('secret');
    });
    const pinned = await assertPublicUrl('http://a.example.org/', {
      schemes: ['http'],
      lookup: leadsTo('93.184.216.34'),
    });
    for (const url of [
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `http://[::ffff:7f00:1]:${port}/`,
      `http://a.example.org:${port}/`,
    ]) {
      expect(await get(url, { agent: pinned.agent }), url).toBe('the agent is pinned to another server');
    }
    expect(await get(`http://localhost:${port}/`, { lookup: pinned.lookup })).toBe(
      'the name is not the one that was looked at',
    );
    expect(requests).toBe(0);
  });
});

/** What a public name leads to: here no packet can reach it, so connections to it end at a server of this test. */
const PUBLIC = '93.184.216.34';

function publicly(port: number): PublicUrlOptions {
  vi.spyOn(Agent.prototype, 'createConnection').mockImplementation(() => connect(port, '127.0.0.1'));
  return { schemes: ['http'], ports: [port], lookup: leadsTo(PUBLIC) };
}

describe('fetchPublicUrl()', () => {
  afterEach(() => vi.restoreAllMocks());

  const failure = (act: Promise<unknown>): Promise<string> =>
    act.then(
      () => 'answered',
      (error: unknown) =>
        error instanceof SecurityError ? String(error.extras.reason) : (error as Error).message,
    );

  it('R-IV-27 refuses before anything is sent', async () => {
    let requests = 0;
    const port = await serve((_, response) => {
      requests++;
      response.end();
    });
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433']) {
      expect(await failure(fetchPublicUrl(`http://${host}:${port}/`, { ...HTTP, ports: [port] }))).toMatch(
        /^url\./,
      );
    }
    const options = { ...publicly(port), lookup: leadsTo('127.0.0.1') };
    expect(await failure(fetchPublicUrl(`http://a.example.org:${port}/`, options))).toBe('url.private');
    expect(requests).toBe(0);
  });

  it('R-IV-27 gets what a public server answers, redirects as such', async () => {
    let seen: unknown;
    const port = await serve((incoming, response) => {
      seen = incoming.headers;
      if (incoming.url === '/moved') response.writeHead(302, { location: 'http://127.0.0.1/' });
      response.end(incoming.url);
    });
    const answer = await fetchPublicUrl(`http://a.example.org:${port}/a`, {
      ...publicly(port),
      headers: { accept: 'image/*' },
    });
    expect([answer.status, answer.body.toString()]).toEqual([200, '/a']);
    expect(seen).toEqual({
      accept: 'image/*',
      'accept-encoding': 'identity',
      host: `a.example.org:${port}`,
      connection: 'close',
    });
    const moved = await fetchPublicUrl(`http://a.example.org:${port}/moved`, publicly(port));
    expect([moved.status, moved.headers.location]).toEqual([302, 'http://127.0.0.1/']);
  });

  it('R-IV-27 follows as many redirects as it may, each to a public server', async () => {
    const places: Record<string, (port: number) => string> = {
      '/here': () => '/end',
      '/there': (port) => `http://b.example.org:${port}/end`,
      '/inside': (port) => `http://127.0.0.1:${port}/end`,
      '/hidden': (port) => `http://0x7f000001:${port}/end`,
      '/mapped': (port) => `http://[::ffff:7f00:1]:${port}/end`,
      '/local': (port) => `http://localhost:${port}/end`,
      '/metadata': () => 'http://169.254.169.254/latest/meta-data',
      '/file': () => 'file:///etc/passwd',
      '/elsewhere': () => 'http://b.example.org:22/',
      '/credentials': (port) => `http://a:b@b.example.org:${port}/`,
      '/nowhere': () => 'http://[',
      '/round': () => '/round',
    };
    const port = await serve((incoming, response) => {
      const place = places[incoming.url ?? '']?.(port);
      response
        .writeHead(place === undefined ? 200 : 307, place === undefined ? {} : { location: place })
        .end();
    });
    const options = { ...publicly(port), maxRedirects: 2 };
    const outcomes: Record<string, string> = {};
    for (const path of Object.keys(places))
      outcomes[path] = await failure(fetchPublicUrl(`http://a.example.org:${port}${path}`, options));
    expect(outcomes).toEqual({
      '/here': 'answered',
      '/there': 'answered',
      '/inside': 'url.private',
      '/hidden': 'url.private',
      '/mapped': 'url.private',
      '/local': 'url.private',
      '/metadata': 'url.port',
      '/file': 'url.form',
      '/elsewhere': 'url.port',
      '/credentials': 'url.form',
      '/nowhere': 'the redirect leads nowhere',
      '/round': 'there are too many redirects',
    });
  });

  it('R-IV-27 has bounds of size and time, to the last byte', async () => {
    const port = await serve((incoming, response) => {
      if (incoming.url === '/large') response.end('x'.repeat(2_000));
      else if (incoming.url === '/broken') incoming.socket.destroy();
      else if (incoming.url === '/slow') {
        const timer = setInterval(() => response.write('x'), 20);
        closers.push(() => clearInterval(timer));
      }
    });
    const options = { ...publicly(port), maxBytes: 1_000, timeoutMs: 200 };
    const outcome = (path: string) => failure(fetchPublicUrl(`http://a.example.org:${port}${path}`, options));
    expect(await outcome('/large')).toBe('the answer has more than 1000 bytes');
    expect(await outcome('/slow')).toBe('no whole answer came in time');
    expect(await outcome('/silent')).toBe('no whole answer came in time');
    expect(await outcome('/broken')).toBe('ECONNRESET');
  });
});
