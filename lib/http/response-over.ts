import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';

/** Who wants to know when a connection breaks: one listener for each connection, however many requests it carries. */
const WAITING = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back once a response has been sent, or cannot be sent any more.
 *
 * @param over told whether it was cut off
 */
export function whenOver(response: ServerResponse, over: (aborted: boolean) => void): void {
  const { socket } = response.req;
  // Behind others of its connection (pipelining) a response hears nothing when that breaks.
  const queued = response.socket === null;
  let open = true;
  const end = (aborted: boolean) => {
    if (!open) return;
    open = false;
    if (queued) WAITING.get(socket)?.delete(broken);
    over(aborted);
  };
  const broken = () => end(true);
  finished(response, { readable: false }, (error) => end(error != null));
  if (!queued) return;
  if (socket.destroyed) process.nextTick(broken);
  else waitingOn(socket).add(broken);
}

function waitingOn(socket: Socket): Set<() => void> {
  let waiting = WAITING.get(socket);
  if (waiting === undefined) {
    const all = (waiting = new Set());
    WAITING.set(socket, all);
    socket.once('close', () => {
      for (const broken of all) broken();
    });
  }
  return waiting;
}
