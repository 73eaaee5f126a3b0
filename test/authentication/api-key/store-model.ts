import {
  type ApiKeyChange,
  type ApiKeyChanges,
  type ApiKeyDay,
  type ApiKeyRecord,
  type ApiKeyUse,
  type EmptyField,
  USAGE_DAYS,
} from '../../../lib/authentication/api-key/api-key-store.js';
import { endedAt } from '../../../lib/authentication/api-key/key-standing.js';

const DAY_MS = 86_400_000;

export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Whether what was told of makes one look at that key again. */
export const covers = (change: ApiKeyChange, { id, owner }: ApiKeyRecord): boolean =>
  change === 'anything' || ('id' in change ? change.id === id : change.owner === owner);

/** What a store does, said as simply as can be: no order, no pages, nothing at the same time. */
export class StoreModel {
  readonly records = new Map<string, ApiKeyRecord>();
  readonly #uses: { id: string; at: number; uses: number }[] = [];

  /** False if a store would reject it. */
  insert(record: ApiKeyRecord): boolean {
    if (this.records.has(record.id)) return false;
    this.records.set(record.id, record);
    return true;
  }

  update(id: string, changes: ApiKeyChanges, unless?: EmptyField): ApiKeyRecord | undefined {
    const record = this.records.get(id);
    if (!record || (unless && record[unless] !== undefined)) return undefined;
    const updated = { ...record, ...changes };
    this.records.set(id, updated);
    return updated;
  }

  /** Undefined if a store would reject it. */
  rotate(id: string, successor: ApiKeyRecord, overlapEndsAt: number): boolean | undefined {
    const record = this.records.get(id);
    if (!record || record.successor !== undefined || record.revokedAt !== undefined) return false;
    if (!this.insert({ ...successor, predecessor: id })) return undefined;
    this.records.set(id, { ...record, successor: successor.id, overlapEndsAt });
    return true;
  }

  /** Ids in order of the alphabet. */
  revokeAllOf(owner: string, at: number): string[] {
    const revoked = this.owned(owner).filter(({ revokedAt }) => revokedAt === undefined);
    for (const { id } of revoked) this.update(id, { revokedAt: at });
    return revoked.map(({ id }) => id).toSorted();
  }

  owned(owner: string): ApiKeyRecord[] {
    return [...this.records.values()].filter((record) => record.owner === owner);
  }

  recordUses(uses: readonly ApiKeyUse[]): void {
    for (const { id, uses: count, lastUsedAt, lastUsedFrom } of uses) {
      const record = this.records.get(id);
      if (!record) continue;
      this.#uses.push({ id, at: lastUsedAt, uses: count });
      if (lastUsedAt >= (record.lastUsedAt ?? 0))
        this.records.set(id, { ...record, lastUsedAt, lastUsedFrom });
    }
  }

  usage(id: string, firstDay: string): ApiKeyDay[] {
    const own = this.#uses.filter((use) => use.id === id);
    const oldest = dayOf(Math.max(0, ...own.map(({ at }) => at)) - (USAGE_DAYS - 1) * DAY_MS);
    const days = new Map<string, number>();
    for (const { at, uses } of own) days.set(dayOf(at), (days.get(dayOf(at)) ?? 0) + uses);
    return [...days]
      .filter(([day]) => day >= firstDay && day >= oldest)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([day, uses]) => ({ day, uses }));
  }

  purge(endedBefore: number): number {
    const ended = [...this.records.values()].filter((record) => endedAt(record) < endedBefore);
    for (const { id } of ended) {
      this.records.delete(id);
      for (let at = this.#uses.length - 1; at >= 0; at--)
        if (this.#uses[at]!.id === id) this.#uses.splice(at, 1);
    }
    return ended.length;
  }
}
