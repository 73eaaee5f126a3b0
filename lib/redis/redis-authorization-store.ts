import {
  type AuthorizationRecord,
  type AuthorizationStore,
  type FoundRecord,
  MAX_LISTED,
} from '../authorization-server/records/authorization-store.js';
import {
  CONSUME_RECORD,
  FIND_BY_UID,
  FIND_RECORD,
  LIST_RECORDS,
  REMOVE_BY_GRANT,
  REMOVE_RECORD,
  SAVE_RECORD,
} from './authorization-scripts.js';
import { textsOf } from './key-record-fields.js';
import { openRedis } from './open-redis.js';
import type { RedisClient } from './redis-connection.js';
import type { RedisScript } from './redis-script.js';
import { StoreConnection } from './store-connection.js';

/** Options of `RedisAuthorizationStore`. */
export interface RedisAuthorizationStoreOptions {
  /** What the names of all keys in Redis begin with: `'security:'` by default. */
  readonly prefix?: string;
}

/**
 * What the authorization server keeps, in Redis or Valkey, one server or a cluster. All of it is in one slot, so that every
 * change is one script, and happens or not; what expires Redis removes by itself.
 *
 * @example
 * new RedisAuthorizationStore(new Redis('redis://localhost', { enableOfflineQueue: false }))
 */
export class RedisAuthorizationStore implements AuthorizationStore {
  readonly #connection: StoreConnection;
  readonly #base: string;

  /**
   * @param client of ioredis or node-redis, connected or connecting; it stays the application's, which closes it
   * @throws TypeError for any other client
   */
  constructor(client: RedisClient, { prefix = 'security:' }: RedisAuthorizationStoreOptions = {}) {
    this.#base = `${prefix}{authorization}:`;
    this.#connection = new StoreConnection(client, this.#base, 'records of the authorization server');
  }

  /**
   * A store with a client of its own, which `close()` closes; see `openRedis()`.
   * @param url `redis://` or `rediss://`
   */
  static async open(
    url: string,
    options: RedisAuthorizationStoreOptions = {},
  ): Promise<RedisAuthorizationStore> {
    const client = await openRedis(url);
    const store = new RedisAuthorizationStore(client, options);
    store.#connection.own(client);
    return store;
  }

  async save(record: AuthorizationRecord, onlyNew = false): Promise<boolean> {
    this.#connection.checkEviction();
    const { kind, id, grant = '', owner = '', uid = '', payload, expiresAt } = record;
    const name = nameOf(kind, id);
    const indexes = [grant, owner && nameOf(kind, owner), uid && nameOf(kind, uid)];
    return (await this.#run(SAVE_RECORD, name, onlyNew ? 1 : 0, expiresAt, payload, ...indexes)) === 1;
  }

  async find(kind: string, id: string, now: number): Promise<FoundRecord | undefined> {
    return foundOf(textsOf(await this.#run(FIND_RECORD, nameOf(kind, id), now)));
  }

  async findByUid(kind: string, uid: string, now: number): Promise<FoundRecord | undefined> {
    return foundOf(textsOf(await this.#run(FIND_BY_UID, nameOf(kind, uid), now)));
  }

  async consume(kind: string, id: string, now: number): Promise<boolean> {
    return (await this.#run(CONSUME_RECORD, nameOf(kind, id), now)) === 1;
  }

  async remove(kind: string, id: string): Promise<boolean> {
    return (await this.#run(REMOVE_RECORD, nameOf(kind, id))) === 1;
  }

  async removeByGrant(grant: string): Promise<void> {
    await this.#run(REMOVE_BY_GRANT, grant);
  }

  async list(kind: string, owner: string, now: number): Promise<readonly FoundRecord[]> {
    const reply = (await this.#run(LIST_RECORDS, nameOf(kind, owner), now, MAX_LISTED)) as unknown[];
    return reply.map((one) => foundOf(textsOf(one))).filter((one) => one !== undefined);
  }

  /** Nothing to do: every key has its end. */
  purge(): Promise<number> {
    return Promise.resolve(0);
  }

  /** Closes the client if the store opened it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  #run(script: RedisScript, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#connection.redis.run(script, [this.#base], args.map(String));
  }
}

const nameOf = (kind: string, id: string): string => `${kind} ${id}`;

function foundOf([name, payload, consumed]: readonly string[]): FoundRecord | undefined {
  if (name === undefined || payload === undefined) return undefined;
  const consumedAt = consumed ? Number(consumed) : undefined;
  return { id: name.slice(name.indexOf(' ') + 1), payload, consumedAt };
}
