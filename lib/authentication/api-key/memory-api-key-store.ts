import { type ApiKeyEntry, recordOf } from './api-key-entry.js';
import {
  type ApiKeyChanges,
  type ApiKeyDay,
  type ApiKeyPage,
  type ApiKeyRecord,
  type ApiKeyStore,
  type ApiKeyUse,
  type EmptyField,
  USAGE_DAYS,
} from './api-key-store.js';
import { endedAt, reasonAgainst } from './key-standing.js';

const DAY_MS = 86_400_000;

/**
 * Keys in this process's memory: for tests, demonstrations, and keys that come from the configuration.
 * Nothing is awaited inside a method, so each is one step to everybody else.
 *
 * @example
 * new MemoryApiKeyStore([{ id, digest, owner: 'ci', name: 'nightly build', scopes: ['builds:write'] }])
 */
export class MemoryApiKeyStore implements ApiKeyStore {
  readonly #records = new Map<string, ApiKeyRecord>();
  /** Ids by owner, in the order in which they came. */
  readonly #owned = new Map<string, Set<string>>();
  /** Numbers of uses by day, by id. */
  readonly #days = new Map<string, Map<string, number>>();
  readonly #maxKeys: number;

  /**
   * @param entries keys to begin with, by their digests; `createApiKeyEntry()` makes them
   * @param maxKeys most keys held at once, 100 000 by default; a full store lets go of keys that have ended
   * @throws TypeError for an entry that no key can match, or that holds the key itself
   */
  constructor(entries: readonly ApiKeyEntry[] = [], maxKeys = 100_000) {
    this.#maxKeys = maxKeys;
    if (entries.length > maxKeys) throw new TypeError(`there are more than ${maxKeys} keys`);
    for (const entry of entries) {
      const record = recordOf(entry);
      if (this.#records.has(record.id)) throw new TypeError(`there are two keys with the id ${record.id}`);
      this.#add(record);
    }
  }

  find(id: string): Promise<ApiKeyRecord | undefined> {
    return Promise.resolve(this.#records.get(id));
  }

  insert(record: ApiKeyRecord): Promise<void> {
    const problem = this.#problemWith(record);
    if (problem !== undefined) return Promise.reject(new Error(problem));
    this.#add(record);
    return Promise.resolve();
  }

  update(id: string, changes: ApiKeyChanges, unless?: EmptyField): Promise<ApiKeyRecord | undefined> {
    const record = this.#records.get(id);
    if (!record || (unless !== undefined && record[unless] !== undefined)) return Promise.resolve(undefined);
    return Promise.resolve(this.#put({ ...record, ...changes }));
  }

  rotate(id: string, successor: ApiKeyRecord, overlapEndsAt: number): Promise<boolean> {
    const record = this.#records.get(id);
    if (!record || record.revokedAt !== undefined || record.successor !== undefined)
      return Promise.resolve(false);
    const problem = this.#problemWith(successor);
    if (problem !== undefined) return Promise.reject(new Error(problem));
    this.#put({ ...record, successor: successor.id, overlapEndsAt });
    this.#add({ ...successor, predecessor: id });
    return Promise.resolve(true);
  }

  list(owner: string, limit: number, after?: string): Promise<ApiKeyPage> {
    const owned = [...(this.#owned.get(owner) ?? [])].toReversed().map((id) => this.#records.get(id)!);
    owned.sort((one, other) => other.createdAt - one.createdAt);
    const start = after === undefined ? 0 : owned.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0) return Promise.resolve({ keys: [], next: undefined });
    const keys = owned.slice(start, start + limit);
    const next = start + limit < owned.length ? keys.at(-1)?.id : undefined;
    return Promise.resolve({ keys, next });
  }

  revokeAllOf(owner: string, at: number): Promise<readonly string[]> {
    const revoked = [...(this.#owned.get(owner) ?? [])]
      .map((id) => this.#records.get(id)!)
      .filter(({ revokedAt }) => revokedAt === undefined);
    for (const record of revoked) this.#put({ ...record, revokedAt: at });
    return Promise.resolve(revoked.map(({ id }) => id));
  }

  recordUses(uses: readonly ApiKeyUse[]): Promise<void> {
    for (const { id, uses: count, lastUsedAt, lastUsedFrom } of uses) {
      const record = this.#records.get(id);
      if (!record) continue;
      if (lastUsedAt >= (record.lastUsedAt ?? 0)) this.#put({ ...record, lastUsedAt, lastUsedFrom });
      const day = new Date(lastUsedAt).toISOString().slice(0, 10);
      const days = this.#days.get(id) ?? new Map<string, number>();
      const isNew = !days.has(day);
      days.set(day, (days.get(day) ?? 0) + count);
      if (isNew) dropOldDays(days);
      this.#days.set(id, days);
    }
    return Promise.resolve();
  }

  usage(id: string, firstDay: string): Promise<readonly ApiKeyDay[]> {
    const days = [...(this.#days.get(id) ?? [])].filter(([day]) => day >= firstDay);
    days.sort(([one], [other]) => (one < other ? -1 : 1));
    return Promise.resolve(days.map(([day, uses]) => ({ day, uses })));
  }

  purge(endedBefore: number, limit: number): Promise<number> {
    const ended = [...this.#records.values()]
      .filter((record) => endedAt(record) < endedBefore)
      .slice(0, limit);
    for (const record of ended) this.#drop(record);
    return Promise.resolve(ended.length);
  }

  #problemWith({ id, createdAt }: ApiKeyRecord): string | undefined {
    if (this.#records.has(id)) return 'there is a key with this id';
    if (this.#records.size >= this.#maxKeys) this.#dropEnded(createdAt);
    return this.#records.size >= this.#maxKeys ? 'the store is full' : undefined;
  }

  #dropEnded(now: number): void {
    for (const record of this.#records.values()) {
      if (reasonAgainst(record, now) !== undefined) this.#drop(record);
    }
  }

  #drop({ id, owner }: ApiKeyRecord): void {
    this.#records.delete(id);
    this.#days.delete(id);
    const owned = this.#owned.get(owner);
    owned?.delete(id);
    if (owned?.size === 0) this.#owned.delete(owner);
  }

  #add(record: ApiKeyRecord): void {
    this.#put(record);
    const owned = this.#owned.get(record.owner);
    if (owned) owned.add(record.id);
    else this.#owned.set(record.owner, new Set([record.id]));
  }

  /** Keeps a copy that is frozen through and through: whoever gets it cannot change what is kept. */
  #put(record: ApiKeyRecord): ApiKeyRecord {
    const own = Object.freeze({
      ...record,
      scopes: Object.freeze([...record.scopes]),
      roles: Object.freeze([...record.roles]),
      allowedAddresses: Object.freeze([...record.allowedAddresses]),
      metadata: Object.freeze({ ...record.metadata }),
      limits:
        typeof record.limits === 'object'
          ? Object.freeze(record.limits.map((limit) => Object.freeze({ ...limit })))
          : record.limits,
    });
    this.#records.set(own.id, own);
    return own;
  }
}

/** Days count back from the newest: uses may come late, in any order. */
function dropOldDays(days: Map<string, number>): void {
  const newest = [...days.keys()].reduce((one, other) => (one > other ? one : other));
  const oldest = new Date(Date.parse(newest) - (USAGE_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  for (const day of days.keys()) if (day < oldest) days.delete(day);
}
