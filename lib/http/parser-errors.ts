import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import { answerByStatus, serializeAnswer } from '../errors/error-answer.js';
import type { HeaderList } from './header-writer.js';
import { discardRest } from './lingering-close.js';
import { isAnswerable } from './socket-exchange.js';

/** Something on a connection that never became a request. */
export interface ParserFault {
  /** Of the answer, or of the one that could not be given any more. */
  readonly status: 400 | 408 | 413 | 431;
  /** Node's error code, such as `HPE_INVALID_METHOD`. */
  readonly reason: string;
  readonly address: string | undefined;
}

const STATUS_BY_CODE: Readonly<Record<string, ParserFault['status']>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers what never becomes a request (R-HP-12): bytes that are no HTTP, headers that are too long, clients that are too
 * slow. Takes the place of every other listener, the framework's own too, because each would answer once more.
 *
 * @param headers for answers on plain sockets
 * @param secureHeaders for answers on TLS sockets
 * @param report is told once for each connection
 */
export function answerParserErrors(
  server: Server,
  headers: HeaderList,
  secureHeaders: HeaderList,
  report: (fault: ParserFault) => void,
): void {
  const plain = preparedAnswers(headers);
  const secure = preparedAnswers(secureHeaders);
  const answered = new WeakSet<Socket>();
  server.removeAllListeners('clientError');
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // What a client sends after its answer is broken too; the connection is about to end.
    if (answered.has(socket)) return;
    answered.add(socket);
    const status = statusOf(error.code);
    if (status === undefined || socket.writableEnded) {
      // Reset, or no TLS, or what follows the last answer: nobody is there to read another.
      socket.destroy();
      return;
    }
    report({ status, reason: error.code!, address: socket.remoteAddress });
    if (!isAnswerable(socket)) {
      socket.destroy();
      return;
    }
    const answers = (socket as Partial<TLSSocket>).encrypted === true ? secure : plain;
    socket.end(answers[status]);
    discardRest(socket);
  });
}

function statusOf(code: string | undefined): ParserFault['status'] | undefined {
  if (code === undefined) return undefined;
  return STATUS_BY_CODE[code] ?? (code.startsWith('HPE_') ? 400 : undefined);
}

function preparedAnswers(headers: HeaderList): Readonly<Record<ParserFault['status'], string>> {
  const lines = headers
    .filter(([name]) => name !== 'Cache-Control')
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  const answer = (status: ParserFault['status']) => {
    const body = serializeAnswer(answerByStatus(status), false);
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status]!}\r\n${lines}Cache-Control: no-store\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`
    );
  };
  return { 400: answer(400), 408: answer(408), 413: answer(413), 431: answer(431) };
}
