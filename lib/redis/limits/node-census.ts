import { randomBytes } from 'node:crypto';

import type { RedisConnection } from '../redis-connection.js';
import { ANNOUNCE } from './limit-scripts.js';

/** How often a node says that it is there, and for how long it counts without saying so again; milliseconds. */
const ANNOUNCE_MS = 3_000;
const LIFETIME_MS = 10_000;

/** How many nodes share a storage: each announces itself under a random name, by the time of the server. */
export class NodeCensus {
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #id = randomBytes(9).toString('base64url');
  #timer: NodeJS.Timeout | undefined;
  #count: number | undefined;

  constructor(connection: RedisConnection, key: string) {
    this.#connection = connection;
    this.#key = key;
  }

  /** 1 until it is known. */
  get count(): number {
    return this.#count ?? 1;
  }

  /** Whether there is certainly nobody else. */
  get isAlone(): boolean {
    return this.#count === 1;
  }

  /** Does nothing after the first time. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.#announce(LIFETIME_MS), ANNOUNCE_MS);
    this.#timer.unref();
    void this.#announce(LIFETIME_MS);
  }

  /** Withdraws this node, if it has announced itself. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    await this.#announce(0);
  }

  async #announce(lifetimeMs: number): Promise<void> {
    try {
      const args = [this.#id, String(lifetimeMs)];
      this.#count = Math.max(1, Number(await this.#connection.run(ANNOUNCE, [this.#key], args)) || 1);
    } catch {
      // Whoever asks for a decision hears of it; the last count stands.
    }
  }
}
