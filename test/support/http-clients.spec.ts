import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { send } from './http-client.js';
import { listen } from './listen.js';
import { rawConnection, rawExchange, rawRequest } from './raw-http.js';

describe('HTTP clients of the tests', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.setHeader('Set-Cookie', ['a=1', 'b=2']);
        if (request.url === '/chunked') response.write('wö');
        response.end(request.url === '/chunked' ? 'rld' : JSON.stringify({ method: request.method, body }));
      });
    });
    port = await listen(server);
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('reads pipelined responses with lengths, chunks and none', async () => {
    const requests = ['GET /chunked', 'HEAD /', 'GET /']
      .map((line) => `${line} HTTP/1.1\r\nHost: a\r\n\r\n`)
      .join('');
    const responses = await rawExchange(port, requests, { methods: ['GET', 'HEAD', 'GET'] });
    expect(responses.map(({ status, body }) => [status, body])).toEqual([
      [200, 'wörld'],
      [200, ''],
      [200, '{"method":"GET","body":""}'],
    ]);
    expect(responses[0]?.header('set-cookie')).toBe('a=1, b=2');
  });

  it('writes pieces one after another', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n';
    const response = await rawRequest(port, [head.slice(0, 20), head.slice(20), 'h', Buffer.from('i')]);
    expect(JSON.parse(response.body)).toEqual({ method: 'POST', body: 'hi' });
  });

  it('reports what the parser of the server refuses, and the closed connection', async () => {
    const { responses, closedByServer } = await rawConnection(port, 'NONSENSE\r\n\r\n');
    expect(responses[0]?.status).toBe(400);
    expect(closedByServer).toBe(true);
  });

  it('takes resets, silence and nobody listening as outcomes', async () => {
    const resetting = createTcpServer((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const silent = createTcpServer((socket) => socket.on('error', () => undefined));
    const [resetPort, silentPort] = [await listen(resetting), await listen(silent)];

    expect(await rawConnection(resetPort, 'x')).toMatchObject({ responses: [], closedByServer: true });
    expect(await rawConnection(silentPort, 'x', { timeoutMs: 50 })).toMatchObject({ timedOut: true });
    resetting.close();
    silent.close();
    expect((await rawRequest(resetPort, 'x')).status).toBe(0);
  });

  it('sends JSON and returns it, with the headers as they came', async () => {
    const response = await send(port, 'POST', '/', { json: { a: 1 } });
    expect(response.json).toEqual({ method: 'POST', body: '{"a":1}' });
    expect(response.header('Set-Cookie')).toBe('a=1, b=2');
    expect(response.rawHeaders.filter(([name]) => name === 'Set-Cookie')).toHaveLength(2);
    expect((await send(port, 'GET', '/chunked')).json).toBeUndefined();
  });
});
