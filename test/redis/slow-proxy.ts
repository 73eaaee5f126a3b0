import { connect, createServer, type Socket } from 'node:net';

import { listen } from '../support/listen.js';

/** Stands before a server and brings its answers late. */
export interface SlowProxy {
  readonly port: number;
  /** Milliseconds that answers from now on take longer. */
  delayMs: number;
  close(): void;
}

export async function slowProxy(target: number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  };
  const proxy = { port: 0, delayMs: 0, close: () => undefined as void };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    keep(client);
    keep(upstream);
    client.pipe(upstream);
    upstream.on('data', (data) => setTimeout(() => client.write(data), proxy.delayMs));
  });
  proxy.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  proxy.port = await listen(server);
  return proxy;
}
