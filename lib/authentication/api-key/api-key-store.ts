import type { KeyEnvironment } from './key-format.js';

/** A key at rest: everything but the key (R-AK-04). Times are epoch milliseconds. */
export interface ApiKeyRecord {
  readonly id: string;
  /** Digest of the whole key; see `ApiKeyDigest`. */
  readonly digest: string;
  readonly prefix: string;
  readonly environment: KeyEnvironment;
  readonly last4: string;
  readonly name: string;
  /** Whose key it is; revoked with its owner. */
  readonly owner: string;
  readonly tenant: string | undefined;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** CIDR blocks from which the key works; empty: from anywhere. */
  readonly allowedAddresses: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  /** End of the overlap with the successor; no change of `expiresAt` prolongs it (R-AK-11). */
  readonly overlapEndsAt: number | undefined;
  readonly revokedAt: number | undefined;
  /** When, and how, the key was first seen where it should not have been. */
  readonly exposedAt: number | undefined;
  readonly exposure: 'plaintext' | 'url' | 'reported' | undefined;
  readonly lastUsedAt: number | undefined;
  /** Rotation links both ways. */
  readonly predecessor: string | undefined;
  readonly successor: string | undefined;
}

/** Changes that a store applies to one record. */
export type ApiKeyChanges = Partial<
  Pick<
    ApiKeyRecord,
    | 'name'
    | 'scopes'
    | 'roles'
    | 'allowedAddresses'
    | 'metadata'
    | 'expiresAt'
    | 'revokedAt'
    | 'exposedAt'
    | 'exposure'
    | 'lastUsedAt'
  >
>;

/** A page of a list, newest first. */
export interface ApiKeyPage {
  readonly keys: readonly ApiKeyRecord[];
  /** Id to continue after, if there is more. */
  readonly next: string | undefined;
}

/** A field that must still be empty for an update to happen. */
export type EmptyField = 'revokedAt' | 'exposedAt';

/**
 * Where keys are kept. Each method is one atomic step, whoever else calls it at the same time: of two rotations or two
 * revocations of one key exactly one succeeds. A method rejects when the store cannot answer; that is 503 for the caller,
 * never "unknown key" (R-AK-19).
 */
export interface ApiKeyStore {
  /** The record, or undefined if there is none. */
  find(id: string): Promise<ApiKeyRecord | undefined>;
  /** Adds a record; rejects if there is one of that id. */
  insert(record: ApiKeyRecord): Promise<void>;
  /** Applies the changes, and returns the record as it then is; undefined if there is none, or `unless` is filled already. */
  update(id: string, changes: ApiKeyChanges, unless?: EmptyField): Promise<ApiKeyRecord | undefined>;
  /** Inserts the successor, links both and ends the old key's time, if that has no successor and is not revoked; else nothing. */
  rotate(id: string, successor: ApiKeyRecord, overlapEndsAt: number): Promise<boolean>;
  /** An owner's keys, newest first. @param after the `next` of the page before; an id that is unknown gives an empty page */
  list(owner: string, limit: number, after?: string): Promise<ApiKeyPage>;
  /** Revokes all of an owner's keys that are not, and returns their ids. */
  revokeAllOf(owner: string, at: number): Promise<readonly string[]>;
}
