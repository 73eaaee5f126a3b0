import { createServer, connect, type Socket } from 'node:net';

import { listen } from '../support/listen.js';

/** Stands before a server, and can go silent with all connections open, as a network does. */
export class StallingProxy {
  readonly #server = createServer((client) => this.#join(client));
  readonly #sockets = new Set<Socket>();
  #stalled = false;

  constructor(private readonly target: number) {}

  start(): Promise<number> {
    return listen(this.#server);
  }

  /** From now on nothing gets through on the connections there are, nor on new ones. */
  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** New connections work; the old ones stay silent. */
  resume(): void {
    this.#stalled = false;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket): void {
    this.#keep(client);
    if (this.#stalled) return;
    const server = connect(this.target, '127.0.0.1');
    this.#keep(server);
    client.pipe(server).pipe(client);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
