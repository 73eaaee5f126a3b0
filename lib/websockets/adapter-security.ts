import type { WebSocketAdapter } from '@nestjs/common';

import type { IoSocket, NativeSocket } from './socket-port.js';

/** What the module puts around an adapter. */
export interface AdapterHooks {
  readonly maxMessageBytes: number;
  /** A socket of `ws` has been opened by a request. */
  readonly opened: (socket: NativeSocket, request: object) => void;
  /** Whether a socket of socket.io may join a namespace; rejects with what the client is told. */
  readonly joins: (socket: IoSocket, path: string, namespace: string) => Promise<void>;
}

/** A server or a namespace of socket.io. */
export interface IoServer {
  of(namespace: string): IoNamespace;
  path(): string;
}

interface IoNamespace {
  readonly name: string;
  readonly server: IoServer;
  use(middleware: (socket: IoSocket, next: (error?: Error) => void) => void): void;
}

type Connect = (socket: NativeSocket, request: object) => void;

/** The parts of Nest's adapters that are replaced. */
interface PatchedAdapter {
  create(port: number, options?: object): unknown;
  bindClientConnect(server: unknown, callback: Connect): unknown;
}

/** Secures an adapter in place, as soon as Nest is given it and before it has made a server. */
export function secureAdapter(adapter: WebSocketAdapter, hooks: AdapterHooks): 'native' | 'io' {
  const patched = adapter as unknown as PatchedAdapter;
  const kind = 'setMessageParser' in adapter ? 'native' : 'io';
  const create = patched.create.bind(adapter);
  const guarded = new WeakSet<object>();
  patched.create = (port, options) => {
    const server = create(port, { ...boundsOf(kind, hooks.maxMessageBytes), ...options });
    if (kind === 'io') {
      // Whoever connects joins `/` unless it names another one.
      const namespace = isNamespace(server) ? server : (server as IoServer).of('/');
      if (!guarded.has(namespace)) guardNamespace(namespace, hooks);
      guarded.add(namespace);
    }
    return server;
  };
  if (kind === 'native') {
    const bind = patched.bindClientConnect.bind(adapter);
    patched.bindClientConnect = (server, callback) =>
      bind(server, (socket, request) => {
        hooks.opened(socket, request);
        callback(socket, request);
      });
  }
  return kind;
}

/** Long polling would be requests of their own, past everything that routes go through. */
function boundsOf(kind: 'native' | 'io', bytes: number): object {
  return kind === 'native'
    ? { maxPayload: bytes, perMessageDeflate: false }
    : { maxHttpBufferSize: bytes, transports: ['websocket'], serveClient: false, connectTimeout: 10_000 };
}

function isNamespace(server: unknown): server is IoNamespace {
  return typeof (server as Partial<IoNamespace>).name === 'string';
}

function guardNamespace(namespace: IoNamespace, { joins }: AdapterHooks): void {
  namespace.use((socket, next) => {
    const admitted = async () => {
      try {
        await joins(socket, namespace.server.path(), namespace.name);
      } catch (error) {
        return next(error as Error);
      }
      next();
    };
    void admitted();
  });
}
