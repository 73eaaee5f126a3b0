import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import { addressKey } from './ip-address.js';

/**
 * Closes connections of an address that has too many open (R-HP-11), IPv6 counted by /64.
 *
 * @param limit connections open at once for one address
 * @param isProxy peers that speak for many clients, and are not counted
 */
export function capConnections(server: Server, limit: number, isProxy: (address: string) => boolean): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const key = addressKey(socket.remoteAddress ?? '');
    if (isProxy(key)) return;
    const count = (open.get(key) ?? 0) + 1;
    if (count > limit) {
      socket.destroy();
      return;
    }
    open.set(key, count);
    socket.once('close', () => {
      const left = open.get(key)! - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
  });
}
