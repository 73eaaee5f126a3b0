import type {
  ApiKeyChange,
  ApiKeyChanges,
  ApiKeyRecord,
  EmptyField,
} from '../authentication/api-key/api-key-store.js';
import { CONFIRM, FIND, INSERT, LINK, REMOVE_ENDED, REVOKE, UPDATE, WITHDRAW } from './api-key-scripts.js';
import { fieldsOf, type StoredKey, storedKeyOf, textsOf } from './key-record-fields.js';
import type { RedisConnection } from './redis-connection.js';

/** What an id is; nothing else is looked for. */
const ID = /^[A-Za-z0-9]{16}$/;

/** Whether a key can have this id. */
export function isKeyId(id: string): boolean {
  return ID.test(id);
}

/** The hashes of single keys. Each method is one script on one slot, and tells others of the change that it makes. */
export class RedisKeyRecords {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #channel: string;

  /** @param channel where changes are told */
  constructor(connection: RedisConnection, prefix: string, channel: string) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#channel = channel;
  }

  async find(id: string): Promise<StoredKey | undefined> {
    return storedKeyOf(id, await this.#connection.run(FIND, [this.key(id)], []));
  }

  /** False if there is a key of that id. @param pending whether it is a successor that is still to be linked */
  async insert(record: ApiKeyRecord, pending: boolean): Promise<boolean> {
    const { id } = record;
    const marks = pending ? ['pending', '1'] : [];
    const args = [this.#channel, messageOf(id), ...fieldsOf(record).filled, ...marks];
    return Number(await this.#connection.run(INSERT, [this.key(id)], args)) === 1;
  }

  /** The key as it then is; undefined if there is none, or `unless` is filled. */
  async update(
    id: string,
    changes: ApiKeyChanges,
    unless: EmptyField | undefined,
  ): Promise<StoredKey | undefined> {
    const { filled, emptied } = fieldsOf(changes);
    const args = [this.#channel, messageOf(id), unless ?? '', String(filled.length), ...filled, ...emptied];
    return storedKeyOf(id, await this.#connection.run(UPDATE, [this.key(id)], args));
  }

  /** Gives a key its successor; false if it has another one, is revoked, or is not there. */
  async link(id: string, successor: string, overlapEndsAt: number): Promise<boolean> {
    const messages = [messageOf(id), messageOf(successor)];
    const args = [this.#channel, ...messages, JSON.stringify(successor), String(overlapEndsAt)];
    return Number(await this.#connection.run(LINK, [this.key(id)], args)) === 1;
  }

  /** Notes of a successor that it was linked. */
  async confirm(id: string): Promise<void> {
    await this.#connection.run(CONFIRM, [this.key(id)], []);
  }

  /** Takes back a successor that was not linked. */
  async withdraw(id: string): Promise<void> {
    await this.#connection.run(WITHDRAW, [this.key(id), this.uses(id)], []);
  }

  /** Revokes a key of an owner; `kept` is one that was revoked before, or is somebody else's. */
  async revoke(id: string, owner: string, at: number): Promise<'missing' | 'kept' | 'revoked'> {
    const args = [this.#channel, messageOf(id), JSON.stringify(owner), String(at)];
    const outcome = await this.#connection.run(REVOKE, [this.key(id)], args);
    return outcome as 'missing' | 'kept' | 'revoked';
  }

  /** Removes a key that ended before a time, with its uses; of one that did not, tells its end as text. */
  async removeEnded(
    id: string,
    endedBefore: number,
  ): Promise<{ readonly owner?: string; readonly end?: string }> {
    const keys = [this.key(id), this.uses(id)];
    const [outcome, detail = ''] = textsOf(
      await this.#connection.run(REMOVE_ENDED, keys, [String(endedBefore)]),
    );
    if (outcome === 'removed') return { owner: JSON.parse(detail) as string };
    return outcome === 'kept' ? { end: detail } : {};
  }

  /** What a key is and how it was used are in one slot of a cluster. */
  key(id: string): string {
    return `${this.#prefix}key:{${id}}`;
  }

  uses(id: string): string {
    return `${this.#prefix}uses:{${id}}`;
  }
}

function messageOf(id: string): string {
  return JSON.stringify({ id } satisfies ApiKeyChange);
}
