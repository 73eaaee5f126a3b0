import type { KeyRingStore, StoredKeyRing } from '../../authentication/jwt/key-ring-store.js';
import { sha256 } from '../../authentication/sha256.js';
import type { AuthorizationStore } from './authorization-store.js';

const KIND = 'KeyRing';
/** Versions before the last one that are kept, so that no process that was asleep can write one of them again. */
const KEPT = 10;
const FOREVER = 253_402_300_799_000;

/** The signing keys among the other records: each version is a record that is written once. */
export class RecordKeyRingStore implements KeyRingStore {
  constructor(private readonly store: AuthorizationStore) {}

  async keyRing(issuer: string): Promise<StoredKeyRing | undefined> {
    const records = await this.store.list(KIND, sha256(issuer), Date.now());
    const versions = records.map(({ payload }) => JSON.parse(payload) as StoredKeyRing);
    return versions.toSorted((a, b) => b.version - a.version)[0];
  }

  async replaceKeyRing(issuer: string, ring: StoredKeyRing): Promise<boolean> {
    const current = await this.keyRing(issuer);
    if ((current?.version ?? 0) !== ring.version - 1) return false;
    const record = {
      kind: KIND,
      id: nameOf(issuer, ring.version),
      owner: sha256(issuer),
      payload: JSON.stringify(ring),
      expiresAt: FOREVER,
    };
    if (!(await this.store.save(record, true))) return false;
    if (ring.version > KEPT) await this.store.remove(KIND, nameOf(issuer, ring.version - KEPT));
    return true;
  }
}

const nameOf = (issuer: string, version: number): string => sha256(`${version} ${issuer}`);
