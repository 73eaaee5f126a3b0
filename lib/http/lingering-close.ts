import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client may go on sending after its answer, so that it gets to read it instead of a reset. */
const LINGER_MS = 1_000;

/**
 * Has the connection of a request with an unread body end gently once it is answered: closed at once, it would be reset by what is still on its way,
 * and the answer lost with it (RFC 9112 §9.6). What comes is thrown away unparsed, a further request too.
 */
export function closeLingering({ socket, httpVersionMajor }: IncomingMessage): void {
  // A stream of HTTP/2 ends alone, and its connection goes on.
  if (httpVersionMajor > 1) return;
  // Node calls this after the last response of a connection.
  socket.destroySoon = () => {
    socket.end();
    discardRest(socket);
  };
}

/** Throws away what a client goes on sending after its answer, and cuts it off in the end. */
export function discardRest(socket: Socket): void {
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  // The first listener takes the connection from Node's parser, which has one itself from then on.
  socket.on('data', discard);
  socket.removeAllListeners('data');
  socket.on('data', discard);
  socket.resume();
}

function discard(): void {
  // The bytes of a body that nobody wants.
}
