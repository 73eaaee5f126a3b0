import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const LAST = Symbol('nestjs-api-security.last-exchange');
type TrackedSocket = Duplex & { [LAST]?: ServerResponse };

/** Remembers on each socket the latest response that was begun on it. */
export function trackExchanges(server: Server): void {
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    (request.socket as TrackedSocket)[LAST] = response;
  });
}

/** Whether a request on this socket still waits for the end of its response. */
export function isBusy(socket: Duplex): boolean {
  const last = (socket as TrackedSocket)[LAST];
  return last !== undefined && !last.writableFinished;
}

/**
 * Whether bytes written to the socket now would be read as the answer to what just arrived: nothing is under way, or it is
 * that very request's body which arrives, and no earlier response is still to come.
 */
export function isAnswerable(socket: Duplex): boolean {
  if (!socket.writable) return false;
  const last = (socket as TrackedSocket)[LAST];
  if (last === undefined || last.writableFinished) return true;
  return last.socket === socket && !last.headersSent && !last.req.complete;
}
