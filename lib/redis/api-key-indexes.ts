import { createHash } from 'node:crypto';

import {
  ADD_TO_INDEX,
  ADVANCE_IN_INDEX,
  BELOW,
  CORRECT_INDEX,
  IDS,
  PAGE,
  REMOVE_FROM_INDEX,
} from './api-key-scripts.js';
import { pairsOf, textsOf } from './key-record-fields.js';
import type { RedisConnection } from './redis-connection.js';

/**
 * Where keys are found by owner and by end. They are on other nodes of a cluster than the keys, so no step is common to
 * both: an id is here before there is a key, it may be of no key, and the end of a key is never before the one noted here.
 */
export class ApiKeyIndexes {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #ends: string;

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#ends = `${prefix}ends`;
  }

  async addToOwner(owner: string, id: string, createdAt: number): Promise<void> {
    await this.#connection.run(ADD_TO_INDEX, [this.#ownerKey(owner)], [String(createdAt), id]);
  }

  async removeFromOwner(owner: string, id: string): Promise<void> {
    await this.#connection.run(REMOVE_FROM_INDEX, [this.#ownerKey(owner)], [id]);
  }

  /** All ids of an owner, oldest first. */
  async ownedIds(owner: string): Promise<readonly string[]> {
    return textsOf(await this.#connection.run(IDS, [this.#ownerKey(owner)], []));
  }

  /** Some ids of an owner, newest first. @param after '' to begin; none follow an id that is not there */
  async ownedPage(owner: string, count: number, after: string): Promise<readonly string[]> {
    return textsOf(await this.#connection.run(PAGE, [this.#ownerKey(owner)], [String(count), after]));
  }

  /** Notes that keys end at a time, or have ended earlier already. */
  async noteEnds(ids: readonly string[], at: number): Promise<void> {
    if (ids.length === 0 || at === Infinity) return;
    const args = ids.flatMap((id) => [String(at), id]);
    await this.#connection.run(ADVANCE_IN_INDEX, [this.#ends], args);
  }

  /** Ids of keys that may have ended before a time, with what is noted of each. */
  async endedBefore(time: number, count: number): Promise<ReadonlyMap<string, string>> {
    return pairsOf(await this.#connection.run(BELOW, [this.#ends], [String(time), String(count)]));
  }

  async forgetEnd(id: string): Promise<void> {
    await this.#connection.run(REMOVE_FROM_INDEX, [this.#ends], [id]);
  }

  /** @param noted what was noted, if that has not changed since */
  async correctEnd(id: string, noted: string, end: string): Promise<void> {
    await this.#connection.run(CORRECT_INDEX, [this.#ends], [id, noted, end]);
  }

  /** Owners are whatever the application says; as UTF-16, no two of them become the same. */
  #ownerKey(owner: string): string {
    return `${this.#prefix}owner:${createHash('sha256').update(owner, 'utf16le').digest('base64url')}`;
  }
}
