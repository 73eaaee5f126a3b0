import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { answerByStatus, serializeAnswer } from '../errors/error-answer.js';

/** Upper bounds in milliseconds; a server that is stricter already is left alone (R-HP-10). */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;

const EXPECTS_CONTINUE = Symbol('nestjs-api-security.expects-continue');
type MarkedRequest = IncomingMessage & { [EXPECTS_CONTINUE]?: true };

/** Whether the client waits for `100 Continue`; nobody has sent it yet (R-HP-13). */
export function expectsContinue(request: IncomingMessage): boolean {
  return (request as MarkedRequest)[EXPECTS_CONTINUE] === true;
}

/**
 * Tightens Node's server and answers what never becomes a request: bytes that are no HTTP, headers that are too long,
 * clients that are too slow (R-HP-12). `headerLines` go with every such answer.
 */
export function hardenServer(server: Server, headers: readonly (readonly [string, string])[]): void {
  server.headersTimeout = tightened(server.headersTimeout, HEADERS_TIMEOUT);
  server.requestTimeout = tightened(server.requestTimeout, REQUEST_TIMEOUT);
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');

  // The adapter's own listener, if there is one, answers without our headers.
  server.removeAllListeners('clientError');
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerParserError(error, socket, lines);
  });
  server.on('checkContinue', (request: MarkedRequest, response: ServerResponse) => {
    request[EXPECTS_CONTINUE] = true;
    server.emit('request', request, response);
  });
  // An expectation that is none of ours is refused by the framing check, with all the headers.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
}

function tightened(current: number, bound: number): number {
  return current > 0 && current < bound ? current : bound;
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function answerParserError(error: NodeJS.ErrnoException, socket: Socket, lines: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const answer = answerByStatus(STATUS_BY_CODE[error.code ?? ''] ?? 400);
  const body = serializeAnswer(answer, false);
  socket.end(
    `HTTP/1.1 ${answer.status} ${answer.message}\r\n${lines}Content-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
