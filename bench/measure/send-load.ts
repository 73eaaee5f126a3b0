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
  const sockets = await Promise.all(
    Array.from({ length: connections }, (_, i) => open(port, `127.0.0.${String(i + 2)}`)),
  );
  const statuses: Record<string, number> = {};
  let sent = 0;
  let running = sockets.length;
  const started = performance.now();
  const deadline = started + (durationMs ?? Number.POSITIVE_INFINITY);

  await new Promise<void>((resolve, reject) => {
    for (const socket of sockets) {
      const send = (): void => {
        if (sent >= count || performance.now() >= deadline) {
          running -= 1;
          if (running === 0) resolve();
          return;
        }
        sent += 1;
        socket.write(nextRequest(), 'latin1');
      };
      let rest = '';
      socket.on('data', (chunk: string) => {
        rest = rest === '' ? chunk : rest + chunk;
        const length = responseLength(rest);
        if (length === undefined || rest.length < length) return;
        const status = rest.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        rest = rest.slice(length);
        send();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('connection closed by the server')));
      send();
    }
  });
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return { requests: sent, seconds, statuses };
}

function open(port: number, localAddress: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true }, () => resolve(socket));
    socket.setEncoding('latin1');
    socket.once('error', reject);
  });
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

function responseLength(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = CONTENT_LENGTH.exec(text.slice(0, headEnd))?.[1];
  if (length === undefined) throw new Error(`response without Content-Length: ${text.slice(0, 200)}`);
  return headEnd + 4 + Number(length);
}
