import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';

import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { headerList } from '../../lib/http/header-writer.js';
import {
  expectsContinue,
  hardenServer,
  type HardeningOptions,
  type ParserFault,
} from '../../lib/http/server-hardening.js';
import { listen } from '../support/listen.js';
import { rawConnection, rawRequest, type RawResponse } from '../support/raw-http.js';
import { SELF_SIGNED } from '../support/self-signed.js';

const HEADERS = headerList([
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'"],
  ['Cache-Control', 'public'],
]);
const HSTS = ['Strict-Transport-Security', 'max-age=63072000'] as const;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function start(handler: RequestListener, options: HardeningOptions = {}, server = createServer()) {
  const faults: ParserFault[] = [];
  server.on('request', handler);
  hardenServer(server, HEADERS, { onParserError: (fault) => faults.push(fault), ...options });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port, faults };
}

const answer: RequestListener = (_request, response) => void response.end('fine');

function expectFailure(response: RawResponse | undefined, status: number, code: string): void {
  expect(response?.status).toBe(status);
  expect(response?.header('content-type')).toBe('application/json; charset=utf-8');
  expect(response?.header('x-content-type-options')).toBe('nosniff');
  expect(response?.header('content-security-policy')).toBe("default-src 'none'");
  expect(response?.header('cache-control')).toBe('no-store');
  expect(response?.header('connection')).toBe('close');
  expect(JSON.parse(response!.body)).toMatchObject({ error: { code } });
}

describe('what never becomes a request', () => {
  it.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['TLS on a plain port', Buffer.from('16030100050100000100', 'hex')],
    ['a header line without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
    ['a bare line feed in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n'],
    ['NUL', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
    ['a bad chunk size', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ])('R-HP-12 R-SH-02 %s is 400 with the headers, and ends the connection', async (_, bytes) => {
    const { port, faults } = await start((request, response) => {
      request.on('end', () => response.end('fine')).resume();
    });
    const { responses, closedByServer } = await rawConnection(port, bytes);
    expectFailure(responses[0], 400, 'MALFORMED_REQUEST');
    expect(responses).toHaveLength(1);
    expect(closedByServer).toBe(true);
    expect(faults).toEqual([
      { status: 400, reason: expect.stringMatching(/^HPE_/) as string, address: '127.0.0.1' },
    ]);
  });

  it('R-HP-08 R-SH-02 headers of more than 16 KiB are 431', async () => {
    const { port } = await start(answer);
    const text = (size: number) => `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(size)}\r\n\r\n`;
    expect((await rawRequest(port, text(15_000))).status).toBe(200);
    expectFailure(await rawRequest(port, text(17_000)), 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE');
  });

  it('R-HP-08 however many fields come, none gets lost', async () => {
    const seen: number[] = [];
    const { port } = await start((request, response) => {
      seen.push(request.rawHeaders.length / 2, Object.keys(request.headers).length);
      response.end();
    });
    const fields = Array.from({ length: 1_498 }, (_, i) => `${i.toString(36)}: b\r\n`).join('');
    await rawRequest(port, `GET / HTTP/1.0\r\n${fields}Authorization: Bearer x\r\nX-API-Key: y\r\n\r\n`);
    expect(seen).toEqual([1_500, 1_500]);
  });

  it('R-HP-12 is answered on a connection that has served before', async () => {
    const { port } = await start(answer);
    const { responses } = await rawConnection(port, [GET, 'garbage\r\n\r\n'], { pauseMs: 50 });
    expect(responses.map(({ status }) => status)).toEqual([200, 400]);
  });

  it('R-HP-12 is never answered in the place of another request', async () => {
    const { port, faults } = await start((_request, response) => {
      setTimeout(() => response.end('late'), 100);
    });
    const { responses, closedByServer } = await rawConnection(port, [GET, 'garbage\r\n\r\n'], {
      pauseMs: 20,
    });
    expect(responses).toEqual([]);
    expect(closedByServer).toBe(true);
    expect(faults).toHaveLength(1);
  });

  it('R-HP-12 never answers into the middle of a response', async () => {
    const { port } = await start((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1_000 });
      response.write('begun');
    });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { responses } = await rawConnection(port, [head, 'xyz\r\n'], { pauseMs: 50 });
    expect(responses.map(({ status, body }) => [status, body])).toEqual([[200, 'begun']]);
  });

  it('R-HP-12 one answer and one report for each connection, whatever follows', async () => {
    const { port, faults } = await start(answer);
    const junk = Array.from({ length: 20 }, () => 'more junk\r\n\r\n');
    const { responses } = await rawConnection(port, ['garbage\r\n\r\n', ...junk], { pauseMs: 1 });
    expect(responses).toHaveLength(1);
    expect(faults).toHaveLength(1);
  });

  it('R-HP-12 a client that neither reads nor goes away is cut off', async () => {
    const { port } = await start(answer);
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const closed = new Promise<number>((resolve) => {
      const started = performance.now();
      socket.on('error', () => undefined).on('close', () => resolve(performance.now() - started));
    });
    socket.write('garbage\r\n\r\n');
    const dripping = setInterval(() => socket.writable && socket.write('x'), 50);
    expect(await closed).toBeLessThan(3_000);
    clearInterval(dripping);
  });

  it('R-HP-12 resets and half-open sockets harm nobody', async () => {
    const { port, faults } = await start(answer);
    for (const bytes of [
      'garbage\r\n\r\n',
      'GET / HT',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(bytes, () => socket.resetAndDestroy());
        });
        socket.on('error', () => undefined).on('close', () => resolve());
      });
      await rawConnection(port, bytes, { end: true, timeoutMs: 500 });
    }
    expect((await rawRequest(port, GET)).status).toBe(200);
    expect(faults.every(({ status }) => status === 400)).toBe(true);
  });

  it('R-HP-12 takes the place of the framework’s own answer', async () => {
    const server = createServer();
    const own = vi.fn<() => void>();
    server.on('clientError', own);
    const { port } = await start(answer, {}, server);
    expectFailure(await rawRequest(port, 'garbage\r\n\r\n'), 400, 'MALFORMED_REQUEST');
    expect(own).not.toHaveBeenCalled();
  });

  it('R-SH-02 R-TL-03 carries HSTS on TLS, and only there', async () => {
    const secureHeaders = [...HEADERS, ...headerList([HSTS])];
    const plain = await start(answer, { secureHeaders });
    expect((await rawRequest(plain.port, 'garbage\r\n\r\n')).header(HSTS[0])).toBeUndefined();
    const secure = await start(answer, { secureHeaders }, createTlsServer(SELF_SIGNED));
    const response = await rawRequest(secure.port, 'garbage\r\n\r\n', { tls: { rejectUnauthorized: false } });
    expectFailure(response, 400, 'MALFORMED_REQUEST');
    expect(response.header(HSTS[0])).toBe(HSTS[1]);
  });

  it('R-HP-12 plain HTTP on a TLS port is cut off without an answer', async () => {
    const { port, faults } = await start(answer, {}, createTlsServer(SELF_SIGNED));
    const { responses, closedByServer } = await rawConnection(port, GET);
    expect([responses, closedByServer, faults]).toEqual([[], true, []]);
  });
});

describe('slow clients', () => {
  const quick = { headersTimeout: 200, requestTimeout: 400, keepAliveTimeout: 200, checkingInterval: 50 };
  const drip = (text: string) => text.split('').map((char) => char);

  it('R-HP-10 headers that do not come are 408', async () => {
    const { port, faults } = await start(answer, { limits: quick });
    const { responses, elapsedMs } = await rawConnection(port, drip('GET / HTTP/1.1\r\nHost: localhost'), {
      pauseMs: 30,
    });
    expectFailure(responses[0], 408, 'REQUEST_TIMEOUT');
    expect(elapsedMs).toBeLessThan(1_500);
    expect(faults).toMatchObject([{ status: 408, reason: 'ERR_HTTP_REQUEST_TIMEOUT' }]);
  });

  it('R-HP-10 a body that does not come is 408', async () => {
    const { port } = await start(() => undefined, { limits: quick });
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n';
    const { responses, elapsedMs } = await rawConnection(port, [head, ...drip('x'.repeat(60))], {
      pauseMs: 30,
    });
    expectFailure(responses[0], 408, 'REQUEST_TIMEOUT');
    expect(elapsedMs).toBeLessThan(2_000);
  });

  it('R-HP-10 an idle connection is closed, and so is one that never says a word', async () => {
    const { port } = await start(answer, { limits: { ...quick, stallTimeout: 300 } });
    const served = await rawConnection(port, GET, { idleMs: 3_000, timeoutMs: 4_000 });
    expect(served).toMatchObject({ closedByServer: true, timedOut: false });
    expect(served.elapsedMs).toBeLessThan(3_000);
    const silent = await rawConnection(port, '', { timeoutMs: 4_000 });
    expect(silent).toMatchObject({ closedByServer: true, timedOut: false });
  });

  it('R-HP-10 a client that does not read its response is cut off; a slow handler is waited for', async () => {
    const { port } = await start(
      (request, response) => {
        if (request.url === '/slow') setTimeout(() => response.end('at last'), 700);
        else response.end(Buffer.alloc(64 << 20));
      },
      { limits: { stallTimeout: 200 } },
    );
    const slow = await rawRequest(port, GET.replace('/', '/slow'), { timeoutMs: 4_000 });
    expect([slow.status, slow.body]).toEqual([200, 'at last']);
    const socket = connect(port, '127.0.0.1', () => socket.write(GET)).pause();
    const closed = new Promise((resolve) => {
      socket.on('error', resolve).on('close', resolve);
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    // Only now it looks: what was on the way comes, and then the end instead of the rest.
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await closed;
    expect(received).toBeLessThan(64 << 20);
  });
});

describe('the limits of a server', () => {
  const limitsOf = (server: Server) => ({
    headers: server.headersTimeout,
    request: server.requestTimeout,
    keepAlive: server.keepAliveTimeout,
    stall: server.timeout,
    requests: server.maxRequestsPerSocket,
    interval: (server as { connectionsCheckingInterval?: number }).connectionsCheckingInterval,
  });

  it('R-HP-10 R-HP-11 are tightened where nobody has chosen them', () => {
    const server = createServer();
    hardenServer(server, HEADERS);
    expect(limitsOf(server)).toEqual({
      headers: 10_000,
      request: 30_000,
      keepAlive: 5_000,
      stall: 0,
      requests: 0,
      interval: 2_000,
    });
    // As Fastify leaves it.
    const other = createServer();
    Object.assign(other, { requestTimeout: 0, keepAliveTimeout: 72_000, maxRequestsPerSocket: 0 });
    hardenServer(other, HEADERS);
    expect(limitsOf(other)).toEqual(limitsOf(server));
  });

  it('R-HP-10 R-HP-11 stand where the application has chosen them', () => {
    const server = createServer({ connectionsCheckingInterval: 500 });
    const own = {
      headersTimeout: 15_000,
      requestTimeout: 600_000,
      keepAliveTimeout: 65_000,
      timeout: 120_000,
    };
    Object.assign(server, own, { maxRequestsPerSocket: 7, maxHeadersCount: 50 });
    hardenServer(server, HEADERS);
    expect(limitsOf(server)).toEqual({
      headers: 15_000,
      request: 600_000,
      keepAlive: 65_000,
      stall: 120_000,
      requests: 7,
      interval: 500,
    });
    expect(server.maxHeadersCount).toBe(50);
    expect(server.listenerCount('timeout')).toBe(0);
  });

  it('R-HP-11 R-SH-02 a connection serves so many requests, the last one says so, and then it ends', async () => {
    const { port } = await start(answer, { limits: { maxRequestsPerSocket: 2 } });
    const { responses, closedByServer } = await rawConnection(port, [GET, GET, GET], { pauseMs: 50 });
    expect(responses.map((one) => one.header('connection'))).toEqual(['keep-alive', 'close']);
    expect(closedByServer).toBe(true);
  });

  it('R-HP-11 an address has so many connections, proxies have any number', async () => {
    const { port } = await start(answer, {
      connections: { limit: 3, strangersOnly: false, isProxy: (address) => address === '127.0.0.3' },
    });
    const open = (localAddress: string) =>
      new Promise<{ alive: boolean; close: () => Promise<void> }>((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', localAddress });
        const close = () =>
          new Promise<void>((done) => {
            socket.on('close', () => done()).end();
          });
        socket.on('error', () => undefined).on('close', () => resolve({ alive: false, close }));
        socket.on('connect', () => socket.write(GET));
        socket.once('data', () => resolve({ alive: true, close }));
      });
    const alive = async (address: string, count: number) => {
      const sockets = [];
      for (let i = 0; i < count; i++) sockets.push(await open(address));
      return sockets;
    };
    const mine = await alive('127.0.0.1', 5);
    expect(mine.map((one) => one.alive)).toEqual([true, true, true, false, false]);
    expect((await alive('127.0.0.2', 1)).map((one) => one.alive)).toEqual([true]);
    expect((await alive('127.0.0.3', 5)).every((one) => one.alive)).toBe(true);
    await mine[0]!.close();
    expect((await alive('127.0.0.1', 2)).map((one) => one.alive)).toEqual([true, false]);
  });
});

describe('expectations', () => {
  it('R-HP-13 100 Continue is not sent before somebody has looked', async () => {
    const { port } = await start((request, response) => {
      const waits = expectsContinue(request);
      if (waits && request.url === '/yes') response.writeContinue();
      response.end(String(waits));
    });
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
    const refused = await rawConnection(port, head('/no'), { responses: 1 });
    expect(refused.responses.map(({ status, body }) => [status, body])).toEqual([[200, 'true']]);
    const admitted = await rawConnection(port, [head('/yes'), 'ab'], { responses: 1 });
    expect(admitted.responses.map(({ status }) => status)).toEqual([100, 200]);
    expect((await rawRequest(port, GET)).body).toBe('false');
  });

  it('R-HP-13 other expectations reach the same listener, which refuses them', async () => {
    const { port } = await start((request, response) => {
      response.statusCode = 417;
      response.end(`${request.headers.expect} ${expectsContinue(request)}`);
    });
    const response = await rawRequest(port, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n');
    expect([response.status, response.body]).toEqual([417, 'miracles false']);
  });
});
