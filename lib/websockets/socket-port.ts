/** One end of a socket, whichever library made it. */
export interface SocketPort {
  /** Not once it has begun to end. */
  readonly isOpen: boolean;
  /** Does nothing on a socket that is closing. */
  send(event: string, data: unknown): void;
  /** Ends it, with a reason that clients can read (RFC 6455 §7.4). */
  end(reason: string): void;
}

/** Policy violation. */
const CLOSE_CODE = 1_008;
const OPEN = 1;

/** The parts of a socket of `ws`. */
export interface NativeSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  emit(event: string, ...args: unknown[]): boolean;
  once(event: 'close', listener: () => void): void;
}

/** The parts of a socket of socket.io. */
export interface IoSocket {
  readonly request: object;
  readonly handshake: { readonly auth?: unknown };
  readonly connected: boolean;
  emit(event: string, ...args: unknown[]): boolean;
  disconnect(close: boolean): void;
  use(middleware: (packet: unknown[], next: () => void) => void): void;
  once(event: 'disconnect', listener: () => void): void;
}

/** How long a client may take to answer the end of its connection. */
const CLOSING_MS = 2_000;

export function nativePort(socket: NativeSocket): SocketPort {
  return {
    get isOpen() {
      return socket.readyState === OPEN;
    },
    send: (event, data) => {
      if (socket.readyState === OPEN) socket.send(JSON.stringify({ event, data }));
    },
    end: (reason) => {
      if (socket.readyState !== OPEN) return;
      socket.close(CLOSE_CODE, reason);
      const timer = setTimeout(() => socket.terminate(), CLOSING_MS).unref();
      socket.once('close', () => clearTimeout(timer));
    },
  };
}

export function ioPort(socket: IoSocket): SocketPort {
  return {
    get isOpen() {
      return socket.connected;
    },
    send: (event, data) => {
      if (socket.connected) socket.emit(event, data);
    },
    end: () => socket.disconnect(true),
  };
}
