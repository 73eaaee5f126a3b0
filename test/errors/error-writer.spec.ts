import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { describe, expect, it, onTestFinished } from 'vitest';

import { answerByStatus, type ErrorAnswer } from '../../lib/errors/error-answer.js';
import { ErrorWriter } from '../../lib/errors/error-writer.js';
import { send, type HttpResponse, type SendOptions } from '../support/http-client.js';
import { listen } from '../support/listen.js';
import { rawConnection } from '../support/raw-http.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of Node's own, with no framework, where everything is answered like this. */
async function start(handler: Handler): Promise<number> {
  const server = createServer(handler);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return listen(server);
}

async function ask(
  answer: ErrorAnswer,
  options: SendOptions = {},
  method = 'GET',
  format: 'envelope' | 'problem' = 'envelope',
): Promise<HttpResponse> {
  const writer = new ErrorWriter(format);
  const port = await start((request, response) => writer.send(answer, request, response));
  return send(port, method, '/', options);
}

const REFUSED: ErrorAnswer = {
  ...answerByStatus(401),
  extras: { retryAfter: 7, headers: { 'WWW-Authenticate': ['Api-Key realm="a"', 'Bearer realm="a"'] } },
};

describe('the error writer', () => {
  it.each(['envelope', 'problem'] as const)('R-IV-24 writes no markup in the form %s', async (format) => {
    const message = 'no <b> & \u2028';
    const answer = { ...answerByStatus(400), message };
    const { text, headers } = await ask(answer, {}, 'GET', format);
    expect(text).not.toMatch(/[<>&\u2028]/);
    expect(text).toContain('\\u003cb\\u003e \\u0026 \\u2028');
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    expect(new ErrorWriter(format, false).safe('"<"')).toBe('"<"');
  });

  it('CONTRACT-2 R-SH-04 writes the envelope with what belongs to it', async () => {
    const response = await ask(REFUSED);
    expect(response.status).toBe(401);
    expect(response.header('content-type')).toBe('application/json; charset=utf-8');
    expect(response.header('cache-control')).toBe('no-store');
    expect(response.header('retry-after')).toBe('7');
    expect(response.header('content-length')).toBe(String(Buffer.byteLength(response.text)));
    const challenges = response.rawHeaders.filter(([name]) => name === 'WWW-Authenticate');
    expect(challenges.map(([, value]) => value)).toEqual(['Api-Key realm="a"', 'Bearer realm="a"']);
    expect(response.json).toEqual({
      error: { code: 'UNAUTHENTICATED', message: 'Unauthorized', retryAfter: 7 },
    });
  });

  it.each([
    ['application/problem+json', 'envelope'],
    ['application/json;q=0.5, application/problem+json', 'envelope'],
    ['text/html', 'problem'],
    [undefined, 'problem'],
  ] as const)('CONTRACT-2 problem details for Accept %s where the format is %s', async (accept, format) => {
    const headers = accept === undefined ? {} : { accept };
    const response = await ask(answerByStatus(404), { headers }, 'GET', format);
    expect(response.header('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(response.json).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it.each(['application/json', 'text/html', '*/*', 'application/problem+xml'])(
    'CONTRACT-2 the envelope for Accept %s',
    async (accept) => {
      const response = await ask(answerByStatus(404), { headers: { accept } });
      expect(response.header('content-type')).toBe('application/json; charset=utf-8');
    },
  );

  it('R-HP-12 R-ER-01 a HEAD gets the length of the text, and no text', async () => {
    const head = await ask(answerByStatus(404), {}, 'HEAD');
    const get = await ask(answerByStatus(404));
    expect([head.status, head.text]).toEqual([404, '']);
    expect(head.header('content-length')).toBe(get.header('content-length'));
  });

  it.each([
    ['no body', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', false],
    ['a short body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n', false],
    ['a long body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n', true],
    ['a body of unknown length', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', true],
  ])(
    'R-IV-03 R-HP-08 ends the connection only where a body is not worth reading: %s',
    async (_, head, ends) => {
      const writer = new ErrorWriter('envelope');
      const port = await start((request, response) => writer.send(answerByStatus(413), request, response));
      const { responses } = await rawConnection(port, head, { responses: 1 });
      expect(responses[0]?.status).toBe(413);
      expect(responses[0]?.header('connection')).toBe(ends ? 'close' : 'keep-alive');
    },
  );

  it('R-TL-02 a redirect is headers alone', async () => {
    const extras = { headers: { Location: 'https://api.example.com/' } };
    const response = await ask({ status: 308, code: '', message: '', extras });
    expect([response.status, response.text]).toEqual([308, '']);
    expect(response.header('location')).toBe('https://api.example.com/');
    expect(response.header('content-type')).toBeUndefined();
  });

  it.each(['GET', 'HEAD'])('R-PM-01 a document is sent as it is, for %s', async (method) => {
    const extras = { headers: { 'Content-Type': 'application/json' } };
    const response = await ask({ status: 200, code: '', message: '{"é":1}', extras }, {}, method);
    expect([response.status, response.text]).toEqual([200, method === 'HEAD' ? '' : '{"é":1}']);
    expect(response.header('content-length')).toBe('8');
  });

  it('R-ER-01 nothing is written where an answer has begun', async () => {
    const writer = new ErrorWriter('envelope');
    const port = await start((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      response.write('begun');
      writer.send(answerByStatus(500), request, response);
      response.end();
    });
    const response = await send(port, 'GET', '/');
    expect([response.status, response.text]).toEqual([200, 'begun']);
  });
});
