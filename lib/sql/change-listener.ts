import type { Client } from 'pg';

import { loadDriver } from './drivers/load-driver.js';

const CONNECT_MS = 5_000;
/** How often the connection is tried while nothing is heard: a lost one may look as if nothing had happened. */
const PROBE_MS = 15_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Wrong password, user or database: trying again would not help. */
const HOPELESS = new Set(['28P01', '28000', '3D000']);

/** Listens on a connection of its own, and connects again for as long as it is not ended. */
export class ChangeListener {
  readonly #url: string;
  readonly #channel: string;
  readonly #heard: (payload: string | undefined) => void;
  readonly #missed: () => void;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause = FIRST_PAUSE_MS;
  #ended = false;

  /**
   * @param url of a connection to PostgreSQL itself: poolers lose what is told
   * @param missed called when something may have been told while nothing was heard
   */
  constructor(
    url: string,
    channel: string,
    heard: (payload: string | undefined) => void,
    missed: () => void,
  ) {
    this.#url = url;
    this.#channel = channel;
    this.#heard = heard;
    this.#missed = missed;
  }

  /** Begins to listen; if the server is down, once it is back. Rejects if it will never let us in. */
  async start(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (HOPELESS.has((error as { code?: string }).code ?? '')) throw error;
      this.#later();
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #connect(): Promise<void> {
    const { default: pg } = await loadDriver('pg', () => import('pg'));
    if (this.#ended) return;
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: CONNECT_MS,
      keepAlive: true,
      application_name: 'nestjs-api-security (listening)',
    });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ payload }) => this.#heard(payload));
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (error) {
      this.#client = undefined;
      void client.end().catch(() => undefined);
      throw error;
    }
    this.#pause = FIRST_PAUSE_MS;
    this.#probeLater(client);
  }

  #lost(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void client.end().catch(() => undefined);
    this.#later();
  }

  /** Connects again, in time; nobody knows what was told meanwhile. */
  #later(): void {
    if (this.#ended) return;
    clearTimeout(this.#timer);
    const pause = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    this.#timer = setTimeout(() => {
      this.#connect().then(
        () => this.#ended || this.#missed(),
        () => this.#later(),
      );
    }, pause).unref();
  }

  #probeLater(client: Client): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      client.query('select 1').then(
        () => this.#client === client && this.#probeLater(client),
        () => this.#lost(client),
      );
    }, PROBE_MS).unref();
  }
}
