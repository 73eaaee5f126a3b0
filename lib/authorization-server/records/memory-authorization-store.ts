import {
  type AuthorizationRecord,
  type AuthorizationStore,
  type FoundRecord,
  MAX_LISTED,
} from './authorization-store.js';

type Entry = AuthorizationRecord & { consumedAt: number | undefined };

const SWEPT_PER_RECORD = 4;

/**
 * Records in this process's memory: for tests, and for a single node that may forget everything with a restart. Bounded: when
 * it is full, nothing new is taken.
 */
export class MemoryAuthorizationStore implements AuthorizationStore {
  readonly #records = new Map<string, Entry>();
  readonly #byGrant = new Map<string, Set<string>>();
  readonly #byOwner = new Map<string, Set<string>>();
  readonly #byUid = new Map<string, string>();
  #sweep = this.#records.entries();

  /** @param maxRecords of all kinds together; 100 000 by default */
  constructor(private readonly maxRecords = 100_000) {}

  get size(): number {
    return this.#records.size;
  }

  save(record: AuthorizationRecord, onlyNew = false): Promise<boolean> {
    const now = Date.now();
    this.#sweepSome(now);
    const key = keyOf(record.kind, record.id);
    const known = this.#records.get(key);
    if (known && onlyNew && known.expiresAt > now) return Promise.resolve(false);
    if (known) this.#drop(key, known);
    else if (this.#records.size >= this.maxRecords)
      return Promise.reject(new Error('the memory of the authorization server is full'));
    this.#records.set(key, { ...record, consumedAt: onlyNew ? undefined : known?.consumedAt });
    if (record.grant !== undefined) add(this.#byGrant, record.grant, key);
    if (record.owner !== undefined) add(this.#byOwner, keyOf(record.kind, record.owner), key);
    if (record.uid !== undefined) this.#byUid.set(keyOf(record.kind, record.uid), key);
    return Promise.resolve(true);
  }

  find(kind: string, id: string, now: number): Promise<FoundRecord | undefined> {
    return Promise.resolve(this.#valid(keyOf(kind, id), now));
  }

  findByUid(kind: string, uid: string, now: number): Promise<FoundRecord | undefined> {
    return Promise.resolve(this.#valid(this.#byUid.get(keyOf(kind, uid)) ?? '', now));
  }

  consume(kind: string, id: string, now: number): Promise<boolean> {
    const entry = this.#records.get(keyOf(kind, id));
    if (!entry || entry.expiresAt <= now || entry.consumedAt !== undefined) return Promise.resolve(false);
    entry.consumedAt = now;
    return Promise.resolve(true);
  }

  remove(kind: string, id: string): Promise<boolean> {
    const entry = this.#records.get(keyOf(kind, id));
    if (entry) this.#drop(keyOf(kind, id), entry);
    return Promise.resolve(entry !== undefined);
  }

  removeByGrant(grant: string): Promise<void> {
    for (const key of this.#byGrant.get(grant) ?? []) this.#drop(key, this.#records.get(key)!);
    return Promise.resolve();
  }

  list(kind: string, owner: string, now: number): Promise<readonly FoundRecord[]> {
    const keys = [...(this.#byOwner.get(keyOf(kind, owner)) ?? [])];
    const found = keys.map((key) => this.#valid(key, now)).filter((one) => one !== undefined);
    return Promise.resolve(found.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, MAX_LISTED));
  }

  purge(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const [key, entry] of this.#records) {
      if (removed >= limit) break;
      if (entry.expiresAt > now) continue;
      this.#drop(key, entry);
      removed += 1;
    }
    return Promise.resolve(removed);
  }

  #valid(key: string, now: number): FoundRecord | undefined {
    const entry = this.#records.get(key);
    if (!entry || entry.expiresAt <= now) return undefined;
    const { id, payload, consumedAt } = entry;
    return { id, payload, consumedAt };
  }

  #drop(key: string, { kind, grant, owner, uid }: Entry): void {
    this.#records.delete(key);
    if (grant !== undefined) remove(this.#byGrant, grant, key);
    if (owner !== undefined) remove(this.#byOwner, keyOf(kind, owner), key);
    if (uid !== undefined && this.#byUid.get(keyOf(kind, uid)) === key) this.#byUid.delete(keyOf(kind, uid));
  }

  /** A slice with each new record, so that what has lapsed goes without a timer. */
  #sweepSome(now: number): void {
    for (let i = 0; i < SWEPT_PER_RECORD; i++) {
      const { value, done } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#records.entries();
        return;
      }
      if (value[1].expiresAt <= now) this.#drop(...value);
    }
  }
}

const keyOf = (kind: string, name: string): string => `${kind} ${name}`;

function add(index: Map<string, Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  if (keys) keys.add(key);
  else index.set(name, new Set([key]));
}

function remove(index: Map<string, Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(name);
}
