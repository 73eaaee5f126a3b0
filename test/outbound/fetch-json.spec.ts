import { createServer, type RequestListener } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { fetchJson, OutboundFailure, type OutboundLimits } from '../../lib/outbound/fetch-json.js';
import { listen } from '../support/listen.js';

const LIMITS: OutboundLimits = {
  timeoutMs: 500,
  maxBytes: 1_000,
  accept: 'application/json',
  allowsPrivate: true,
};
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${await listen(server)}/keys`);
}
const failure = async (url: URL, limits: Partial<OutboundLimits> = {}) =>
  fetchJson(url, { ...LIMITS, ...limits }).then(
    () => 'fetched',
    (error: Error) => (error instanceof OutboundFailure ? error.message : `raw: ${error.message}`),
  );

describe('a request to somebody else’s server', () => {
  it('R-OA-02 carries no credential, and tells for how long the answer is good', async () => {
    let seen: unknown;
    const url = await serve((request, response) => {
      seen = [request.method, request.headers];
      response.setHeader('Cache-Control', 'public, max-age=120, must-revalidate').end('{"a":1}');
    });
    expect(await fetchJson(url, LIMITS)).toEqual({ json: { a: 1 }, maxAgeMs: 120_000 });
    expect(seen).toEqual([
      'GET',
      { accept: 'application/json', 'accept-encoding': 'identity', host: url.host, connection: 'close' },
    ]);
  });

  it.each<[string, RequestListener, string]>([
    [
      'a redirect',
      (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'is 302',
    ],
    ['an error', (_, response) => response.writeHead(500).end('{}'), 'is 500'],
    ['another good status', (_, response) => response.writeHead(206).end('{}'), 'is 206'],
    ['no JSON', (_, response) => response.end('<html>'), 'no JSON'],
    ['no UTF-8', (_, response) => response.end(Buffer.from('"\xff"', 'latin1')), 'no UTF-8'],
    ['too much', (_, response) => response.end(`"${'x'.repeat(2_000)}"`), 'more than 1000 bytes'],
    ['a connection that breaks', (_, response) => void response.socket?.destroy(), 'ECONNRESET'],
    ['silence', () => undefined, 'no answer within 500 ms'],
    [
      'a trickle',
      (_, response) => {
        const timer = setInterval(() => response.write(' '), 20);
        closers.push(() => clearInterval(timer));
      },
      'no answer within 500 ms',
    ],
  ])('R-OA-02 %s is a failure', async (_, listener, message) => {
    expect(await failure(await serve(listener))).toContain(message);
  });

  it('R-OA-02 R-IN-01 reaches no private address, by whatever name', async () => {
    let requests = 0;
    const { port } = await serve((_, response) => {
      requests++;
      response.end('{}');
    });
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0x7f000001',
      '2130706433',
      '127.1',
      '0.0.0.0',
    ]) {
      expect(await failure(new URL(`http://${host}:${port}/`), { allowsPrivate: false })).toMatch(/private/);
    }
    expect(requests).toBe(0);
  });

  it('R-OA-02 verifies the certificate, and quotes no URL', async () => {
    const url = await serve((_, response) => response.end('{}'));
    const https = new URL(`https://user:secret@127.0.0.1:${url.port}/keys`);
    const message = await failure(https);
    expect(message).not.toMatch(/raw|secret|fetched/);
  });
});
