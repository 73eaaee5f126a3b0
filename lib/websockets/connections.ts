import type { SecurityInternals } from '../boot/security-internals.js';
import { answerMembers, answerTo } from '../errors/error-answer.js';
import { SecurityError } from '../errors/security-error.js';
import { eventContextOf } from '../http/request-context.js';
import { attachRequestState, type RequestState } from '../http/request-state.js';
import { checkFrame, checkPacket, MessageRate } from './message-check.js';
import {
  type IoSocket,
  type IoTransport,
  ioPort,
  type NativeSocket,
  nativePort,
  type SocketPort,
} from './socket-port.js';
import type { WebsocketSettings } from './websocket-security.options.js';

/** One open socket. */
export interface Connection {
  readonly state: RequestState;
  readonly port: SocketPort;
  readonly owner: Connections;
}

/** What clients send, each answered or looked at. */
const FRAMES: ReadonlySet<string> = new Set(['message', 'ping', 'pong']);
const MAX_UNREAD = 16 * 1_048_576;

const CONNECTIONS = new WeakMap<object, Connection>();

/** What is known of a client; undefined for one that nobody has admitted. */
export function connectionOf(client: object): Connection | undefined {
  return CONNECTIONS.get(client);
}

/** The open sockets of an application: what they send is bounded, and they end when their credential does. */
export class Connections {
  readonly #open = new Set<Connection>();
  readonly #counted = new WeakSet<IoTransport>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly internals: SecurityInternals,
    private readonly settings: WebsocketSettings,
  ) {}

  /**
   * From now on frames of a `ws` socket are looked at before anybody else has them.
   *
   * @param lifetimeMs after which it is ended; any time by default
   */
  openNative(socket: NativeSocket, state: RequestState, lifetimeMs?: number): void {
    const connection = this.#add(socket, state, nativePort(socket));
    const timer = endAfter(connection.port, lifetimeMs);
    socket.once('close', () => this.#remove(connection, timer));
    const rate = this.#rate();
    const emit = socket.emit.bind(socket);
    socket.emit = (event, ...args) => {
      if (!FRAMES.has(event)) return emit(event, ...args);
      if (!this.#isInTime(rate)) {
        connection.port.end('RATE_LIMITED');
        return false;
      }
      const check = () => checkFrame(args[0], args[1] === true, this.internals.jsonLimits);
      return event !== 'message' || this.#takes(connection, check) ? emit(event, ...args) : false;
    };
  }

  /** The same for a socket of socket.io. */
  openIo(socket: IoSocket, state: RequestState, lifetimeMs?: number): void {
    const connection = this.#add(socket, state, ioPort(socket));
    const timer = endAfter(connection.port, lifetimeMs);
    socket.once('disconnect', () => this.#remove(connection, timer));
    this.#countPackets(socket.conn);
    socket.use((packet, next) => {
      if (this.#takes(connection, () => checkPacket(packet, this.internals.jsonLimits))) next();
    });
  }

  /**
   * Whether the credential is still good; ends the connection if it is not.
   *
   * @throws SecurityError `UNAUTHENTICATED`, or `UNAVAILABLE` if that cannot be told
   */
  async renew(connection: Connection): Promise<void> {
    const { state } = connection;
    const { authenticator, plans } = this.internals.stages;
    try {
      await authenticator.renew(state);
      state.ownLimits ??= await plans.rulesFor(state.principal, state.plan);
    } catch (error) {
      if (error instanceof SecurityError && error.code !== 'UNAVAILABLE') {
        this.tell(connection, error);
        connection.port.end(error.code);
      }
      throw error;
    }
  }

  /** Sends an error as the contract writes it, under the event that Nest's clients listen to. */
  tell({ state, port }: Connection, error: unknown, event?: string): void {
    const answer = answerTo(error, true);
    this.internals.reports.report(error, answer, eventContextOf(state));
    const { code, message, extras } = answer;
    port.send('exception', {
      error: { code, message, ...answerMembers(extras) },
      ...(event === undefined ? {} : { event }),
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#open.clear();
  }

  /** Whatever a client of socket.io sends, in all its namespaces: events, acknowledgements, heartbeats. */
  #countPackets(transport: IoTransport): void {
    if (this.#counted.has(transport)) return;
    this.#counted.add(transport);
    const rate = this.#rate();
    transport.on('packet', () => {
      if (!this.#isInTime(rate)) transport.close();
    });
  }

  #rate(): MessageRate {
    return new MessageRate(this.settings.maxMessagesPerSecond);
  }

  #isInTime(rate: MessageRate): boolean {
    return rate.take(this.internals.clock.monotonic());
  }

  #takes(connection: Connection, check: () => void): boolean {
    // What was on its way when the connection was ended comes to nobody.
    if (!connection.port.isOpen) return false;
    // Who asks on and reads nothing would fill the memory with answers.
    if (connection.port.unread > MAX_UNREAD) {
      connection.port.drop();
      return false;
    }
    try {
      check();
      return true;
    } catch (error) {
      this.tell(connection, error);
      return false;
    }
  }

  #add(socket: object, state: RequestState, port: SocketPort): Connection {
    const connection = { state, port, owner: this };
    CONNECTIONS.set(socket, connection);
    // So that `@CurrentPrincipal()` finds it.
    attachRequestState(socket as RequestState['request'], state);
    this.#open.add(connection);
    this.#timer ??= setInterval(() => this.#recheck(), this.settings.recheckMs).unref();
    return connection;
  }

  #remove(connection: Connection, timer: NodeJS.Timeout | undefined): void {
    clearTimeout(timer);
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #recheck(): void {
    // Those that cannot be looked at now are looked at the next time, and at their next message.
    for (const connection of this.#open) this.renew(connection).catch(() => undefined);
  }
}

/** What a timer of Node can wait for. */
const MAX_TIMER_MS = 2_147_483_647;

function endAfter(port: SocketPort, lifetimeMs: number | undefined): NodeJS.Timeout | undefined {
  if (lifetimeMs === undefined) return undefined;
  return setTimeout(() => port.end('EXPIRED'), Math.min(lifetimeMs, MAX_TIMER_MS)).unref();
}
