import type { RedisConnection } from './redis-connection.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Follows a channel for as long as it is wanted: a connection that is lost is opened again, on a cluster to any node. */
export class RedisSubscription {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #heard: (message: string) => void;
  readonly #missed: () => void;
  #close: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause = FIRST_PAUSE_MS;
  #stopped = false;

  /** @param missed called when messages may have been missed, once they are heard again */
  constructor(
    connection: RedisConnection,
    channel: string,
    heard: (message: string) => void,
    missed: () => void,
  ) {
    this.#connection = connection;
    this.#channel = channel;
    this.#heard = heard;
    this.#missed = missed;
  }

  /** Opens the connection; rejects if that fails, but goes on trying until `stop()`. */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.#again();
      throw error;
    }
  }

  /** Nothing is heard from here on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#close?.();
    this.#close = undefined;
  }

  async #open(): Promise<void> {
    const close = await this.#connection.listen(
      this.#channel,
      (message) => {
        if (!this.#stopped) this.#heard(message);
      },
      () => this.#again(),
    );
    if (this.#stopped) close();
    else this.#close = close;
    this.#pause = FIRST_PAUSE_MS;
  }

  #again(): void {
    this.#close = undefined;
    if (this.#stopped) return;
    // Up to twice as long, so that many processes do not all come back in the same moment.
    this.#timer = setTimeout(() => void this.#reopen(), this.#pause * (1 + Math.random()));
    this.#timer.unref();
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
  }

  async #reopen(): Promise<void> {
    try {
      await this.#open();
    } catch {
      this.#again();
      return;
    }
    if (!this.#stopped) this.#missed();
  }
}
