import {
  type ApiKeyChange,
  type ApiKeyChanges,
  type ApiKeyDay,
  type ApiKeyPage,
  type ApiKeyRecord,
  type ApiKeyStore,
  type ApiKeyUse,
  type EmptyField,
} from '../authentication/api-key/api-key-store.js';
import { endedAt } from '../authentication/api-key/key-standing.js';
import { changeOf } from './api-key-changes.js';
import { ApiKeyIndexes } from './api-key-indexes.js';
import { openRedis } from './open-redis.js';
import type { RedisClient } from './redis-connection.js';
import { isKeyId, RedisKeyRecords } from './redis-key-records.js';
import { RedisKeyUses } from './redis-key-uses.js';
import { StoreConnection } from './store-connection.js';

/** Options of `RedisApiKeyStore`. */
export interface RedisApiKeyStoreOptions {
  /** What the names of all keys and channels in Redis begin with: `'security:'` by default. */
  readonly prefix?: string;
}

/** Keys that are worked on at the same time. */
const BATCH = 500;

/**
 * API keys in Redis or Valkey, one server or a cluster, through the application's own client.
 * A key is one hash, and every change of it one script; `docs/redis.md` tells what the server must be set to.
 *
 * @example
 * new RedisApiKeyStore(new Redis('redis://localhost', { enableOfflineQueue: false }))
 */
export class RedisApiKeyStore implements ApiKeyStore {
  readonly #connection: StoreConnection;
  readonly #records: RedisKeyRecords;
  readonly #uses: RedisKeyUses;
  readonly #indexes: ApiKeyIndexes;
  readonly #channel: string;

  /**
   * @param client of ioredis or node-redis, connected or connecting; it stays the application's, which closes it
   * @throws TypeError for any other client
   */
  constructor(client: RedisClient, { prefix = 'security:' }: RedisApiKeyStoreOptions = {}) {
    this.#connection = new StoreConnection(client, `${prefix}ends`, 'API keys');
    const { redis } = this.#connection;
    this.#channel = `${prefix}changes`;
    this.#records = new RedisKeyRecords(redis, prefix, this.#channel);
    this.#uses = new RedisKeyUses(redis, this.#records);
    this.#indexes = new ApiKeyIndexes(redis, prefix);
  }

  /**
   * A store with a client of its own, which `close()` closes; see `openRedis()`.
   * @param url `redis://` or `rediss://`
   */
  static async open(url: string, options: RedisApiKeyStoreOptions = {}): Promise<RedisApiKeyStore> {
    const client = await openRedis(url);
    const store = new RedisApiKeyStore(client, options);
    store.#connection.own(client);
    return store;
  }

  async find(id: string): Promise<ApiKeyRecord | undefined> {
    return isKeyId(id) ? (await this.#records.find(id))?.record : undefined;
  }

  async insert(record: ApiKeyRecord): Promise<void> {
    this.#connection.checkEviction();
    await this.#add(record, false);
  }

  async update(id: string, changes: ApiKeyChanges, unless?: EmptyField): Promise<ApiKeyRecord | undefined> {
    if (!isKeyId(id)) return undefined;
    const { expiresAt, revokedAt } = changes;
    await this.#indexes.noteEnds([id], Math.min(expiresAt ?? Infinity, revokedAt ?? Infinity));
    return (await this.#records.update(id, changes, unless))?.record;
  }

  /**
   * The successor is written first, then linked: broken off before, the old key is what it was; after, both are valid.
   * Until it is linked nobody has the successor's secret, and no list shows it.
   */
  async rotate(id: string, successor: ApiKeyRecord, overlapEndsAt: number): Promise<boolean> {
    const old = await this.find(id);
    if (!old || old.revokedAt !== undefined || old.successor !== undefined) return false;
    await this.#add({ ...successor, predecessor: id }, true);
    await this.#indexes.noteEnds([id], overlapEndsAt);
    // If the answer does not come the link may be made all the same, so the successor stays.
    const linked = await this.#records.link(id, successor.id, overlapEndsAt);
    // What fails from here on changes nothing about the outcome.
    const tidied = linked ? this.#records.confirm(successor.id) : this.#withdraw(successor);
    await tidied.catch(() => undefined);
    return linked;
  }

  async list(owner: string, limit: number, after?: string): Promise<ApiKeyPage> {
    const keys: ApiKeyRecord[] = [];
    // A cursor is always an id, and an empty one would begin at the start.
    if (after !== undefined && !isKeyId(after)) return { keys, next: undefined };
    let last = after ?? '';
    while (keys.length <= limit) {
      // One more than the page has room for tells whether there is a next one.
      const wanted = limit + 1 - keys.length;
      const ids = await this.#indexes.ownedPage(owner, wanted, last);
      const stored = await Promise.all(ids.map((id) => this.#shown(owner, id)));
      keys.push(...stored.filter((record) => record !== undefined));
      if (ids.length < wanted) break;
      last = ids.at(-1)!;
    }
    const page = keys.slice(0, limit);
    return { keys: page, next: keys.length > limit ? page.at(-1)?.id : undefined };
  }

  /**
   * Goes through the owner's keys until there is none that was not seen revoked before: whatever a rotation had made of
   * them by then has been seen too.
   */
  async revokeAllOf(owner: string, at: number): Promise<readonly string[]> {
    const settled = new Set<string>();
    const revoked: string[] = [];
    for (;;) {
      const ids = (await this.#indexes.ownedIds(owner)).filter((id) => !settled.has(id));
      const before = settled.size;
      for (let i = 0; i < ids.length; i += BATCH) {
        await this.#revoke(owner, ids.slice(i, i + BATCH), at, settled, revoked);
      }
      if (settled.size === before) break;
    }
    // A successor that another rotation was quicker than is none.
    const real = await inBatches(revoked, (id) => this.#isReal(id));
    return revoked.filter((_, index) => real[index]);
  }

  async recordUses(uses: readonly ApiKeyUse[]): Promise<void> {
    const known = uses.filter(({ id }) => isKeyId(id));
    await inBatches(known, (use) => this.#uses.add(use));
  }

  async usage(id: string, firstDay: string): Promise<readonly ApiKeyDay[]> {
    return isKeyId(id) ? this.#uses.since(id, firstDay) : [];
  }

  async purge(endedBefore: number, limit: number): Promise<number> {
    let removed = 0;
    while (removed < limit) {
      const wanted = Math.min(limit - removed, BATCH);
      const ended = await this.#indexes.endedBefore(endedBefore, wanted);
      const outcomes = await Promise.all(
        [...ended].map(([id, noted]) => this.#removeEnded(id, noted, endedBefore)),
      );
      removed += outcomes.filter(Boolean).length;
      if (ended.size < wanted) break;
    }
    return removed;
  }

  /**
   * Follows the changes of all processes on a connection of its own. If that cannot be opened, or is lost, it is tried
   * again and again, and a change of `'anything'` told once it is there.
   */
  subscribe(listener: (change: ApiKeyChange) => void): Promise<() => Promise<void>> {
    return this.#connection.follow(
      this.#channel,
      'changes of API keys',
      (message) => listener(changeOf(message)),
      () => listener('anything'),
    );
  }

  /** Ends the subscriptions, and closes the client if the store opened it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #add(record: ApiKeyRecord, pending: boolean): Promise<void> {
    const { id, owner, createdAt } = record;
    if (!isKeyId(id)) throw new TypeError('the id of a key is 16 letters and digits');
    await Promise.all([
      this.#indexes.addToOwner(owner, id, createdAt),
      this.#indexes.noteEnds([id], endedAt(record)),
    ]);
    if (await this.#records.insert(record, pending)) return;
    if ((await this.find(id))?.owner !== owner) await this.#indexes.removeFromOwner(owner, id);
    throw new Error('there is a key with this id');
  }

  async #withdraw({ id, owner }: ApiKeyRecord): Promise<void> {
    await this.#records.withdraw(id);
    await Promise.all([this.#indexes.removeFromOwner(owner, id), this.#indexes.forgetEnd(id)]);
  }

  /** A key as a list has it: of that owner, and not one that a rotation broken off has left behind. */
  async #shown(owner: string, id: string): Promise<ApiKeyRecord | undefined> {
    const stored = await this.#records.find(id);
    if (stored?.record.owner !== owner) return undefined;
    return !stored.pending || (await this.#isLinked(stored.record)) ? stored.record : undefined;
  }

  async #isReal(id: string): Promise<boolean> {
    const stored = await this.#records.find(id);
    return stored !== undefined && (!stored.pending || this.#isLinked(stored.record));
  }

  async #isLinked({ id, predecessor }: ApiKeyRecord): Promise<boolean> {
    return predecessor !== undefined && (await this.find(predecessor))?.successor === id;
  }

  async #revoke(
    owner: string,
    ids: readonly string[],
    at: number,
    settled: Set<string>,
    revoked: string[],
  ): Promise<void> {
    await this.#indexes.noteEnds(ids, at);
    await Promise.all(
      ids.map(async (id) => {
        const outcome = await this.#records.revoke(id, owner, at);
        if (outcome === 'revoked') revoked.push(id);
        if (outcome !== 'missing') settled.add(id);
      }),
    );
  }

  async #removeEnded(id: string, noted: string, endedBefore: number): Promise<boolean> {
    const { owner, end } = await this.#records.removeEnded(id, endedBefore);
    if (end !== undefined) {
      await this.#indexes.correctEnd(id, noted, end);
      return false;
    }
    if (owner !== undefined) await this.#indexes.removeFromOwner(owner, id);
    await this.#indexes.forgetEnd(id);
    return owner !== undefined;
  }
}

async function inBatches<In, Out>(items: readonly In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (let i = 0; i < items.length; i += BATCH) {
    results.push(...(await Promise.all(items.slice(i, i + BATCH).map(work))));
  }
  return results;
}
