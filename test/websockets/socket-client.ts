import { io } from 'socket.io-client';
import { WebSocket } from 'ws';

export interface ClientOptions {
  readonly headers?: Record<string, string>;
  /** Offered beside a credential. */
  readonly protocols?: string[];
  /** Of socket.io. */
  readonly auth?: Record<string, unknown>;
}

export interface Received {
  readonly event: string;
  readonly data: unknown;
}

/** What both libraries' clients have in common. */
export interface SocketClient {
  readonly protocol: string | undefined;
  send(event: string, data?: unknown): void;
  /** As bytes, or with other arguments than an event and its data. */
  raw(...args: unknown[]): void;
  next(): Promise<Received>;
  readonly closed: Promise<string>;
  close(): void;
}

/** A connection that was refused. */
export class Refused extends Error {
  constructor(
    readonly status: number | undefined,
    readonly headers: Readonly<Record<string, unknown>>,
    readonly body: unknown,
  ) {
    super(`refused with ${String(status)}`);
  }
}

const PATIENCE_MS = 5_000;

export function connectWs(port: number, place: string, options: ClientOptions = {}): Promise<SocketClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/${place}`, options.protocols ?? [], {
    headers: options.headers ?? {},
  });
  const inbox = new Inbox();
  socket.on('message', (data: Buffer) => inbox.put(JSON.parse(data.toString()) as Received));
  const closed = new Promise<string>((resolve) => {
    socket.on('close', (code, reason) => resolve(`${code} ${reason.toString()}`));
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => reject(new Refused(response.statusCode, response.headers, parse(text))));
    });
    socket.on('open', () =>
      resolve({
        protocol: socket.protocol,
        send: (event, data) => socket.send(JSON.stringify({ event, data })),
        raw: (data) => socket.send(data as string),
        next: () => inbox.next(),
        closed,
        close: () => socket.close(),
      }),
    );
  });
}

export function connectIo(port: number, place: string, options: ClientOptions = {}): Promise<SocketClient> {
  const socket = io(`http://127.0.0.1:${port}/${place}`, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    extraHeaders: options.headers ?? {},
    ...(options.auth && { auth: options.auth }),
  });
  const inbox = new Inbox();
  socket.onAny((event: string, data: unknown) => inbox.put({ event, data }));
  const closed = new Promise<string>((resolve) => {
    socket.on('disconnect', (reason) => resolve(reason));
  });
  return new Promise((resolve, reject) => {
    socket.on('connect_error', (error) => {
      const { data, description, context } = error as unknown as {
        data?: unknown;
        description?: unknown;
        context?: { statusCode?: number };
      };
      socket.disconnect();
      reject(new Refused(statusIn(description) ?? context?.statusCode, {}, data));
    });
    socket.on('connect', () =>
      resolve({
        protocol: undefined,
        send: (event, data) => socket.emit(event, data),
        raw: (...args) => socket.emit(...(args as [string, ...unknown[]])),
        next: () => inbox.next(),
        closed,
        close: () => socket.disconnect(),
      }),
    );
  });
}

/** Under Node engine.io's client reports `ws`'s error: "Unexpected server response: 401". */
function statusIn(description: unknown): number | undefined {
  const message = (description as { message?: unknown } | undefined)?.message;
  const found = /server response: (\d{3})/.exec(String(message));
  return found ? Number(found[1]) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

class Inbox {
  readonly #received: Received[] = [];
  readonly #waiting: ((message: Received) => void)[] = [];

  put(message: Received): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(message);
    else this.#received.push(message);
  }

  next(): Promise<Received> {
    const received = this.#received.shift();
    if (received) return Promise.resolve(received);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no message came')), PATIENCE_MS);
      this.#waiting.push((message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
  }
}
