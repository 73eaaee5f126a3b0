import type { SecurityClock } from '../../clock.js';
import { BoundedCache } from '../bounded-cache.js';
import type { ApiKeyRecord, ApiKeyStore } from './api-key-store.js';

/** A key's last use is written no more often than this. */
const INTERVAL_MS = 60_000;
/** Writes under way at once; further ones are left out, the next use makes up for them. */
const MAX_WRITING = 100;

/** Notes when keys were last used, beside the requests: they neither wait for it nor fail with it (R-AK-18). */
export class LastUse {
  /** When this process last tried, by key id; monotonic. */
  readonly #noted: BoundedCache<number>;
  #writing = 0;

  constructor(
    private readonly store: ApiKeyStore,
    private readonly clock: SecurityClock,
    maxKeys: number,
  ) {
    this.#noted = new BoundedCache(maxKeys);
  }

  note({ id, lastUsedAt }: ApiKeyRecord): void {
    const now = this.clock.now();
    const elapsed = this.clock.monotonic();
    if (now - (lastUsedAt ?? -Infinity) < INTERVAL_MS) return;
    if (elapsed - (this.#noted.get(id) ?? -Infinity) < INTERVAL_MS || this.#writing >= MAX_WRITING) return;
    this.#noted.set(id, elapsed);
    this.#writing++;
    void this.#write(id, now);
  }

  async #write(id: string, lastUsedAt: number): Promise<void> {
    try {
      await this.store.update(id, { lastUsedAt });
    } catch {
      // A time that is missing harms nobody, and the look-ups of the same store report that it is down.
    } finally {
      this.#writing--;
    }
  }
}
