/** One end of a socket, whichever library made it. */
export interface SocketPort {
  /** Not once it has begun to end. */
  readonly isOpen: boolean;
  /** Bytes, roughly, that wait because the client does not read. */
  readonly unread: number;
  /** Does nothing on a socket that is closing. */
  send(event: string, data: unknown): void;
  /** Ends it, with a reason that clients can read (RFC 6455 §7.4). */
  end(reason: string): void;
  /** Ends it without a word, and without waiting for what is unread. */
  drop(): void;
}

/** Policy violation. */
const CLOSE_CODE = 1_008;
const OPEN = 1;

/** The parts of a socket of `ws`. */
export interface NativeSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
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
  readonly conn: IoTransport;
  emit(event: string, ...args: unknown[]): boolean;
  disconnect(close: boolean): void;
  use(middleware: (packet: unknown[], next: () => void) => void): void;
  once(event: 'disconnect', listener: () => void): void;
}

/** What carries the sockets of one client of socket.io. */
export interface IoTransport {
  readonly writeBuffer: readonly { readonly data?: unknown }[];
  on(event: 'packet', listener: () => void): void;
  close(discard?: boolean): void;
}

/** So many are not added up. */
const MAX_PACKETS = 10_000;
/** How long a client may take to answer the end of its connection. */
const CLOSING_MS = 2_000;

export function nativePort(socket: NativeSocket): SocketPort {
  return {
    get isOpen() {
      return socket.readyState === OPEN;
    },
    get unread() {
      return socket.bufferedAmount;
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
    drop: () => socket.terminate(),
  };
}

export function ioPort(socket: IoSocket): SocketPort {
  return {
    get isOpen() {
      return socket.connected;
    },
    get unread() {
      const { writeBuffer } = socket.conn;
      if (writeBuffer.length > MAX_PACKETS) return Number.POSITIVE_INFINITY;
      return writeBuffer.reduce((sum, { data }) => sum + sizeOf(data), 0);
    },
    send: (event, data) => {
      if (socket.connected) socket.emit(event, data);
    },
    end: () => socket.disconnect(true),
    drop: () => socket.conn.close(true),
  };
}

function sizeOf(data: unknown): number {
  if (typeof data === 'string') return data.length;
  return ArrayBuffer.isView(data) ? data.byteLength : 0;
}
