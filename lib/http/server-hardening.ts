import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { capConnections, type ConnectionPeers } from './connection-cap.js';
import type { HeaderList } from './header-writer.js';
import type { ConnectionCap } from './http.options.js';
import { answerParserErrors, type ParserFault } from './parser-errors.js';
import { isBusy, trackExchanges } from './socket-exchange.js';

export type { ParserFault } from './parser-errors.js';

/** Bounds on what one connection may take; times in milliseconds (R-HP-08, R-HP-10, R-HP-11). */
export interface ServerLimits {
  /** Until the headers of a request have come: 10 s. */
  readonly headersTimeout: number;
  /** Until the whole request has come: 30 s. */
  readonly requestTimeout: number;
  /** Between two requests: 5 s. */
  readonly keepAliveTimeout: number;
  /** Without progress of a response that the client does not read: 30 s. */
  readonly stallTimeout: number;
  /** Between two looks at the first two: 2 s. */
  readonly checkingInterval: number;
  readonly maxRequestsPerSocket: number;
}

/** What is not the same for every application. */
export interface HardeningOptions {
  /** The set for answers on TLS sockets; the plain one by default. */
  readonly secureHeaders?: HeaderList;
  /** Told about bytes that never became a request. */
  readonly onParserError?: (fault: ParserFault) => void;
  /** Connections open at once for one address; any number by default. */
  readonly connections?: (ConnectionCap & ConnectionPeers) | undefined;
  readonly limits?: Partial<ServerLimits>;
}

const LIMITS: ServerLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  stallTimeout: 30_000,
  checkingInterval: 2_000,
  // Off: to requests that are already on their way Node answers 503 by itself, without our headers.
  maxRequestsPerSocket: 0,
};

/** What Node and Fastify set by themselves, and 0 for "for ever"; any other value was chosen by the application. */
const DEFAULTS = {
  headersTimeout: [0, 60_000],
  requestTimeout: [0, 300_000],
  keepAliveTimeout: [0, 5_000, 72_000],
  maxRequestsPerSocket: [0, null],
} as const satisfies Partial<Record<keyof Server, readonly (number | null)[]>>;

const EXPECTS_CONTINUE = Symbol('nestjs-api-security.expects-continue');
type MarkedRequest = IncomingMessage & { [EXPECTS_CONTINUE]?: true };

/** Whether the client waits for `100 Continue`; nobody has sent it yet (R-HP-13). */
export function expectsContinue(request: IncomingMessage): boolean {
  return (request as MarkedRequest)[EXPECTS_CONTINUE] === true;
}

/**
 * Tightens Node's server, before it listens: slow clients, connections that never end, bytes that are no HTTP, and
 * `100 Continue` before anybody has looked at the request. What the application chose by itself is left alone.
 *
 * @param headers go with every answer to what never became a request
 */
export function hardenServer(server: Server, headers: HeaderList, options: HardeningOptions = {}): void {
  const limits = { ...LIMITS, ...options.limits };
  for (const name of [
    'headersTimeout',
    'requestTimeout',
    'keepAliveTimeout',
    'maxRequestsPerSocket',
  ] as const) {
    const defaults: readonly (number | null)[] = DEFAULTS[name];
    if (defaults.includes(server[name])) server[name] = limits[name];
  }
  // Beyond a maximum of its own Node 20 drops all headers without a word; the framing check counts them instead.
  server.maxHeadersCount ??= 0;
  checkOften(server, limits.checkingInterval);
  trackExchanges(server);
  endStalledConnections(server, limits);
  endUsedUpConnections(server);
  if (options.connections !== undefined) capConnections(server, options.connections, options.connections);
  answerParserErrors(
    server,
    headers,
    options.secureHeaders ?? headers,
    options.onParserError ?? (() => undefined),
  );
  waitBeforeContinue(server);
}

/** Node looks for slow clients every 30 s; the interval is an option of its constructor that it reads when it listens. */
function checkOften(server: Server & { connectionsCheckingInterval?: unknown }, interval: number): void {
  const current = server.connectionsCheckingInterval;
  if (typeof current === 'number' && current > interval) server.connectionsCheckingInterval = interval;
}

/**
 * Ends connections whose client does not read. Node's time-out for it would be set anew for each request: instead the
 * few that have something unsent at a look get one.
 */
function endStalledConnections(server: Server, { stallTimeout, checkingInterval }: ServerLimits): void {
  // With a time-out of its own the application sees to this by itself; HTTP/2 shares a socket between many responses.
  if (!isHttp1(server) || server.timeout !== 0) return;
  const sockets = new Set<Socket>();
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const look = () => {
    for (const socket of sockets)
      if (socket.writableLength > 0 && socket.timeout !== stallTimeout) socket.setTimeout(stallTimeout);
  };
  const timer = setInterval(look, Math.min(checkingInterval, stallTimeout)).unref();
  server.on('close', () => clearInterval(timer));
  server.on('timeout', (socket: Socket) => {
    if (!isBusy(socket) || socket.writableLength > 0) socket.destroy();
  });
}

/** A client that goes on after its last request was told to close; Node would answer it without our headers. */
function endUsedUpConnections(server: Server): void {
  server.on('dropRequest', (_request: IncomingMessage, socket: Duplex) => {
    if (!isBusy(socket)) socket.destroy();
  });
}

function isHttp1(server: object): boolean {
  return server instanceof Server || server instanceof TlsServer;
}

function waitBeforeContinue(server: Server): void {
  server.on('checkContinue', (request: MarkedRequest, response: ServerResponse) => {
    request[EXPECTS_CONTINUE] = true;
    server.emit('request', request, response);
  });
  // An expectation that is none of ours is refused by the framing check, with all the headers.
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
}
