import type { ApiKeyChanges, ApiKeyPage, ApiKeyRecord, ApiKeyStore } from './api-key-store.js';

/** Keys in this process's memory: for tests, demonstrations, and keys that come from the configuration. */
export class MemoryApiKeyStore implements ApiKeyStore {
  readonly #records = new Map<string, ApiKeyRecord>();

  /** @param maxKeys most keys held, revoked ones included; 100 000 by default */
  constructor(
    records: readonly ApiKeyRecord[] = [],
    private readonly maxKeys = 100_000,
  ) {
    for (const record of records) this.#records.set(record.id, Object.freeze({ ...record }));
  }

  find(id: string): Promise<ApiKeyRecord | undefined> {
    return Promise.resolve(this.#records.get(id));
  }

  insert(record: ApiKeyRecord): Promise<void> {
    if (this.#records.has(record.id)) return Promise.reject(new Error('a key with this id exists'));
    if (this.#records.size >= this.maxKeys) return Promise.reject(new Error('the store is full'));
    this.#records.set(record.id, Object.freeze({ ...record }));
    return Promise.resolve();
  }

  update(
    id: string,
    changes: ApiKeyChanges,
    unless?: 'revokedAt' | 'successor' | 'exposedAt',
  ): Promise<ApiKeyRecord | undefined> {
    const record = this.#records.get(id);
    if (!record || (unless && record[unless] !== undefined)) return Promise.resolve(undefined);
    return Promise.resolve(this.#put({ ...record, ...changes }));
  }

  async rotate(id: string, successor: ApiKeyRecord, oldExpiresAt: number): Promise<boolean> {
    const record = this.#records.get(id);
    if (!record || record.revokedAt !== undefined || record.successor !== undefined) return false;
    const expiresAt = Math.min(record.expiresAt ?? Infinity, oldExpiresAt);
    // Nothing is awaited before both records stand: to everybody else this is one step.
    const inserted = this.insert(successor);
    if (this.#records.has(successor.id)) this.#put({ ...record, successor: successor.id, expiresAt });
    await inserted;
    return true;
  }

  list(owner: string, limit: number, after?: string): Promise<ApiKeyPage> {
    const own = [...this.#records.values()].filter((record) => record.owner === owner).toReversed();
    const start = after === undefined ? 0 : own.findIndex(({ id }) => id === after) + 1;
    const keys = own.slice(start, start + limit);
    return Promise.resolve({ keys, next: start + limit < own.length ? keys.at(-1)?.id : undefined });
  }

  revokeAllOf(owner: string, at: number): Promise<readonly string[]> {
    const revoked = [...this.#records.values()].filter(
      (record) => record.owner === owner && record.revokedAt === undefined,
    );
    for (const record of revoked) this.#put({ ...record, revokedAt: at });
    return Promise.resolve(revoked.map(({ id }) => id));
  }

  #put(record: ApiKeyRecord): ApiKeyRecord {
    const frozen = Object.freeze(record);
    this.#records.set(record.id, frozen);
    return frozen;
  }
}
