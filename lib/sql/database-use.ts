import { ChangeListener } from './change-listener.js';
import type { SqlDatabase } from './sql-database.js';

/** One store's use of a database: who listens through it, and that it is given back once. */
export class DatabaseUse {
  readonly #listeners = new Set<ChangeListener>();
  #over = false;

  constructor(private readonly database: SqlDatabase) {
    database.retain();
  }

  /**
   * @param heard gets what is told in a channel
   * @param missed called when something may have been told while nothing was heard
   * @throws SqlError if the server will never let us in
   */
  async listen(
    url: string,
    channel: string,
    heard: (payload: string | undefined) => void,
    missed: () => void,
  ): Promise<() => Promise<void>> {
    const listener = new ChangeListener(url, channel, heard, missed);
    try {
      await listener.start();
    } catch (error) {
      throw this.database.errorOf(error);
    }
    this.#listeners.add(listener);
    return async () => {
      this.#listeners.delete(listener);
      await listener.end();
    };
  }

  /** Ends the listeners, and gives the database back. */
  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    try {
      await Promise.all([...this.#listeners].map((listener) => listener.end()));
    } finally {
      await this.database.release();
    }
  }
}
