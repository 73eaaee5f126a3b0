import type { Server } from 'node:http';
import { BlockList, type Socket } from 'node:net';

import type { ConnectionCap } from './http.options.js';
import { addressKey, canonicalAddress } from './ip-address.js';
import { addBlock, isInBlocks } from './proxy-trust.js';

/** What the cap has to know of the application. */
export interface ConnectionPeers {
  /** Peers that speak for many clients, and are not counted. Asked with a canonical address. */
  readonly isProxy: (address: string) => boolean;
  /** IPv6 addresses count by this prefix; 64 by default. */
  readonly ipv6Prefix?: number | undefined;
  /** Told of an address once, when its first connection is closed, and again when it had been below the cap since. */
  readonly onExceeded?: ((address: string) => void) | undefined;
}

/** Networks from which no stranger comes: a peer in one of them may be a proxy that nobody named. */
const OWN_NETWORKS = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

interface Count {
  open: number;
  told: boolean;
}

/** Closes connections of an address that has too many open (R-HP-11), before a byte is read from them. */
export function capConnections(server: Server, cap: ConnectionCap, peers: ConnectionPeers): void {
  const counts = new Map<string, Count>();
  const own = new BlockList();
  for (const network of OWN_NETWORKS) addBlock(own, network);
  server.on('connection', (socket: Socket) => {
    const address = canonicalAddress(socket.remoteAddress ?? '');
    // A socket of the file system, or one that is gone already.
    if (address === undefined || peers.isProxy(address)) return;
    if (cap.strangersOnly && isInBlocks(own, address)) return;
    const key = addressKey(address, peers.ipv6Prefix);
    const count = counts.get(key) ?? { open: 0, told: false };
    if (count.open >= cap.limit) {
      socket.destroy();
      if (!count.told) peers.onExceeded?.(address);
      count.told = true;
      return;
    }
    count.open += 1;
    counts.set(key, count);
    socket.once('close', () => {
      count.open -= 1;
      count.told = false;
      if (count.open === 0) counts.delete(key);
    });
  });
}
