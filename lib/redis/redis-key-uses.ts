import { type ApiKeyDay, type ApiKeyUse, USAGE_DAYS } from '../authentication/api-key/api-key-store.js';
import { USAGE, USE } from './api-key-scripts.js';
import { pairsOf } from './key-record-fields.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeyRecords } from './redis-key-records.js';

const DAY_MS = 86_400_000;

/** Numbers of uses: a hash for each key, by day since 1970. */
export class RedisKeyUses {
  readonly #connection: RedisConnection;
  readonly #records: RedisKeyRecords;

  constructor(connection: RedisConnection, records: RedisKeyRecords) {
    this.#connection = connection;
    this.#records = records;
  }

  async add({ id, uses, lastUsedAt, lastUsedFrom }: ApiKeyUse): Promise<void> {
    const address = lastUsedFrom === undefined ? '' : JSON.stringify(lastUsedFrom);
    const day = Math.floor(lastUsedAt / DAY_MS);
    const args = [String(lastUsedAt), address, String(day), String(uses), String(USAGE_DAYS)];
    await this.#connection.run(USE, [this.#records.key(id), this.#records.uses(id)], args);
  }

  async since(id: string, firstDay: string): Promise<readonly ApiKeyDay[]> {
    const counted = pairsOf(await this.#connection.run(USAGE, [this.#records.uses(id)], []));
    const days = [...counted].map(([day, uses]) => [Number(day), Number(uses)] as const);
    days.sort(([one], [other]) => one - other);
    const oldest = (days.at(-1)?.[0] ?? 0) - USAGE_DAYS + 1;
    return days
      .filter(([day]) => day >= oldest)
      .map(([day, uses]) => ({ day: new Date(day * DAY_MS).toISOString().slice(0, 10), uses }))
      .filter(({ day }) => day >= firstDay);
  }
}
