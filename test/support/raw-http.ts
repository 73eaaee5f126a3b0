import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

import { ResponseReader, type RawResponse } from './raw-response-reader.js';

export type { RawResponse } from './raw-response-reader.js';

/** What goes on the wire as it is: one piece, or several that are written one after another. */
export type RawInput = string | Buffer | readonly (string | Buffer)[];

export interface RawOptions {
  /** `127.0.0.1` by default. */
  readonly host?: string;
  /** The client's own address, such as `127.0.0.2`, to look like somebody else. */
  readonly localAddress?: string;
  /** Speak TLS, for instance with `{ rejectUnauthorized: false }`. */
  readonly tls?: ConnectionOptions;
  /** Final responses to wait for; without it, until the server closes or falls silent for `idleMs`. */
  readonly responses?: number;
  /** Methods of the requests in order, for responses to `HEAD`; guessed from the first line otherwise. */
  readonly methods?: readonly string[];
  /** Pause between the pieces of the input, in milliseconds; 10 by default. */
  readonly pauseMs?: number;
  /** Silence after a response that ends the exchange, in milliseconds; 200 by default. */
  readonly idleMs?: number;
  /** End of the whole exchange, in milliseconds; 5000 by default. */
  readonly timeoutMs?: number;
  /** Half-close the connection after the last piece. */
  readonly end?: boolean;
}

export interface RawConnection {
  /** In order of arrival, interim responses (1xx) among them. */
  readonly responses: readonly RawResponse[];
  /** The server ended the connection, or reset it. */
  readonly closedByServer: boolean;
  readonly timedOut: boolean;
  /** From the first byte sent until the end of the exchange. */
  readonly elapsedMs: number;
}

const NO_RESPONSE: RawResponse = { status: 0, reason: '', headers: [], header: () => undefined, body: '' };

/**
 * Sends bytes to a server as they are and returns the first final response; status 0 if none came.
 * A refused, broken or reset connection is an outcome and not an exception.
 *
 * @example
 * await rawRequest(port, ['GET / HT', 'TP/1.1\r\nHost: a\r\n\r\n']);
 */
export async function rawRequest(
  port: number,
  input: RawInput,
  options: RawOptions = {},
): Promise<RawResponse> {
  const { responses } = await rawConnection(port, input, { ...options, responses: 1 });
  return responses.find(({ status }) => status >= 200) ?? responses[0] ?? NO_RESPONSE;
}

/** Like {@link rawRequest}, for several requests on one connection: returns all responses. */
export async function rawExchange(
  port: number,
  input: RawInput,
  options: RawOptions = {},
): Promise<readonly RawResponse[]> {
  return (await rawConnection(port, input, options)).responses;
}

/** Like {@link rawExchange}, and also tells how the connection ended. */
export function rawConnection(
  port: number,
  input: RawInput,
  options: RawOptions = {},
): Promise<RawConnection> {
  const pieces = typeof input === 'string' || Buffer.isBuffer(input) ? [input] : input;
  const reader = new ResponseReader(options.methods ?? [methodOf(pieces)]);
  const { timeoutMs = 5000, idleMs = 200, pauseMs = 10, host = '127.0.0.1', localAddress } = options;
  const address = { port, host, ...(localAddress === undefined ? {} : { localAddress }) };
  const started = performance.now();

  return new Promise((resolve) => {
    const socket = options.tls ? connectTls({ ...options.tls, ...address }) : connectTcp(address);
    let idle: NodeJS.Timeout | undefined;
    const finish = (closedByServer: boolean, timedOut = false): void => {
      clearTimeout(deadline);
      clearTimeout(idle);
      socket.destroy();
      if (closedByServer) reader.end();
      resolve({
        responses: reader.responses,
        closedByServer,
        timedOut,
        elapsedMs: performance.now() - started,
      });
    };
    const deadline = setTimeout(() => finish(false, true), timeoutMs);

    socket.on('error', () => finish(true));
    socket.on('close', () => finish(true));
    socket.on('end', () => finish(true));
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      clearTimeout(idle);
      if (options.responses !== undefined) {
        if (reader.finalResponses >= options.responses) finish(false);
      } else if (reader.finalResponses > 0 && !reader.isInsideResponse) {
        idle = setTimeout(() => finish(false), idleMs);
      }
    });
    void writePieces(socket, pieces, pauseMs, options.end === true);
  });
}

async function writePieces(
  socket: Socket,
  pieces: readonly (string | Buffer)[],
  pauseMs: number,
  end: boolean,
): Promise<void> {
  socket.setNoDelay(true);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    if (!socket.writable) return;
    socket.write(piece);
  }
  if (end && socket.writable) socket.end();
}

function methodOf(pieces: readonly (string | Buffer)[]): string {
  const start = pieces.slice(0, 8).map(String).join('').slice(0, 32);
  return start.slice(0, Math.max(0, start.indexOf(' ')));
}
