import { connect, type Socket } from 'node:net';

import type { LoadResult } from './load-messages.js';

interface Load {
  readonly port: number;
  readonly connections: number;
  readonly durationMs?: number;
  readonly count?: number;
  readonly nextRequest: () => string;
}

/**
 * Keeps one request in flight on each connection. It knows just enough HTTP to find the end of a response with a
 * Content-Length, because a full client needs more CPU for a request than the fastest servers measured here.
 * Each connection comes from an address of its own.
 */
export async function sendLoad(load: Load): Promise<Omit<LoadResult, 'kind'>> {
  const { port, connections, durationMs, count = Number.POSITIVE_INFINITY, nextRequest } = load;
  const statuses: Record<string, number> = {};
  let sent = 0;
  const addresses = Array.from({ length: connections }, (_, i) => `127.0.0.${String(i + 2)}`);
  const first = await Promise.all(addresses.map((address) => open(port, address)));
  const started = performance.now();
  const deadline = started + (durationMs ?? Number.POSITIVE_INFINITY);
  const isOver = (): boolean => sent >= count || performance.now() >= deadline;

  // Waking a core that sleeps costs whoever sends to it, in a virtual machine more than many a request: slow servers would pay for it, fast ones not.
  const stayAwake = (): void => {
    if (!isOver()) setImmediate(stayAwake);
  };
  stayAwake();
  await Promise.all(
    first.map(async (connection, i) => {
      let socket = connection;
      while (!isOver()) {
        await exchangeUntilClosed(socket, isOver, nextRequest, {
          sent: () => void (sent += 1),
          answered: (status) => void (statuses[status] = (statuses[status] ?? 0) + 1),
        });
        socket.destroy();
        // A server may end a connection after some thousand requests.
        if (!isOver()) socket = await open(port, addresses[i] ?? '');
      }
    }),
  );
  return { requests: sent, seconds: (performance.now() - started) / 1000, statuses };
}

interface Tally {
  sent(): void;
  answered(status: string): void;
}

/** Sends requests on one connection until time is over or a response announces the connection's end. */
function exchangeUntilClosed(
  socket: Socket,
  isOver: () => boolean,
  nextRequest: () => string,
  tally: Tally,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest = '';
    const send = (): void => {
      tally.sent();
      socket.write(nextRequest(), 'latin1');
    };
    socket.on('data', (chunk: string) => {
      rest = rest === '' ? chunk : rest + chunk;
      const response = readResponse(rest);
      if (response === undefined || rest.length < response.length) return;
      tally.answered(rest.slice(9, 12));
      rest = rest.slice(response.length);
      if (response.isLast || isOver()) {
        socket.removeAllListeners('close');
        resolve();
      } else {
        send();
      }
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('connection closed without an answer')));
    send();
  });
}

function open(port: number, localAddress: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true }, () => resolve(socket));
    socket.setEncoding('latin1');
    socket.once('error', reject);
  });
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

/** Where the first response ends, and whether it is the last of its connection; `undefined` without a whole head. */
function readResponse(text: string): { length: number; isLast: boolean } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const length = CONTENT_LENGTH.exec(head)?.[1];
  if (length === undefined) throw new Error(`response without Content-Length: ${head.slice(0, 200)}`);
  return { length: headEnd + 4 + Number(length), isLast: head.includes('\r\nConnection: close') };
}
