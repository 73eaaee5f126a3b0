import type { KeyEnvironment } from './key-format.js';

/** A limit as a store keeps it. */
export interface KeyLimit {
  /** Units in a window. */
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
}

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
  /** Name of a plan of the options, or limits of the key's own; they take the place of the route's. */
  readonly limits: string | readonly KeyLimit[] | undefined;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  /** End of the overlap with the successor; no change of `expiresAt` prolongs it (R-AK-11). */
  readonly overlapEndsAt: number | undefined;
  readonly revokedAt: number | undefined;
  /** When, and how, the key was first seen where it should not have been. */
  readonly exposedAt: number | undefined;
  readonly exposure: 'plaintext' | 'url' | 'reported' | undefined;
  readonly lastUsedAt: number | undefined;
  /** The client's address then. */
  readonly lastUsedFrom: string | undefined;
  /** Rotation links both ways. */
  readonly predecessor: string | undefined;
  readonly successor: string | undefined;
}

/** Changes that a store applies to one record. A field that is there with the value `undefined` is emptied. */
export type ApiKeyChanges = Partial<
  Pick<
    ApiKeyRecord,
    | 'digest'
    | 'name'
    | 'scopes'
    | 'roles'
    | 'allowedAddresses'
    | 'metadata'
    | 'limits'
    | 'expiresAt'
    | 'revokedAt'
    | 'exposedAt'
    | 'exposure'
  >
>;

/** A page of a list, newest first. */
export interface ApiKeyPage {
  readonly keys: readonly ApiKeyRecord[];
  /** Id to continue after, if there is more. */
  readonly next: string | undefined;
}

/** What must hold for an update to happen: a field that is still empty. */
export type EmptyField = 'revokedAt' | 'exposedAt';

/** Uses of one key since they were last written. */
export interface ApiKeyUse {
  readonly id: string;
  /** How many. */
  readonly uses: number;
  /** Epoch milliseconds of the last. */
  readonly lastUsedAt: number;
  /** The client's address then, if it was known. */
  readonly lastUsedFrom: string | undefined;
}

/** How often a key was used on one day. */
export interface ApiKeyDay {
  /** In UTC, as in `2026-11-24`. */
  readonly day: string;
  readonly uses: number;
}

/** What has changed in a store: one key, all keys of an owner, or anything, as after a lost connection. */
export type ApiKeyChange = { readonly id: string } | { readonly owner: string } | 'anything';

/** Days for which a store keeps numbers of uses. */
export const USAGE_DAYS = 400;

/**
 * Where keys are kept. Each method but `recordUses` and `purge` is one atomic step, whoever else calls it at the same time:
 * of two rotations or two revocations of one key exactly one succeeds. A method rejects when the store cannot answer; that
 * is 503 for the caller, never "unknown key" (R-AK-19).
 */
export interface ApiKeyStore {
  /** The record, or undefined if there is none. */
  find(id: string): Promise<ApiKeyRecord | undefined>;
  /** Adds a record; rejects if there is one of that id. */
  insert(record: ApiKeyRecord): Promise<void>;
  /** Applies the changes, and returns the record as it then is; undefined if there is none, or `unless` is filled already. */
  update(id: string, changes: ApiKeyChanges, unless?: EmptyField): Promise<ApiKeyRecord | undefined>;
  /**
   * Inserts the successor, links both and ends the old key's time, if that has no successor and is not revoked; else nothing.
   * Wherever it is broken off, the old key or both of them are valid (R-AK-11).
   */
  rotate(id: string, successor: ApiKeyRecord, overlapEndsAt: number): Promise<boolean>;
  /** An owner's keys, newest first. @param after the `next` of the page before; an id that is unknown gives an empty page */
  list(owner: string, limit: number, after?: string): Promise<ApiKeyPage>;
  /** Revokes all of an owner's keys that are not, those that are being made from them too, and returns their ids. */
  revokeAllOf(owner: string, at: number): Promise<readonly string[]>;
  /**
   * Adds to the numbers of uses, and moves `lastUsedAt` forward, never back. Unknown ids are passed over.
   * Called seldom, with up to 1 000 keys at once, never while a request waits.
   */
  recordUses(uses: readonly ApiKeyUse[]): Promise<void>;
  /** Uses by day from `firstDay` on, oldest first; days without any are left out, and so are those older than `USAGE_DAYS`. */
  usage(id: string, firstDay: string): Promise<readonly ApiKeyDay[]>;
  /** Removes up to `limit` keys, with their numbers of uses, that expired, were revoked or replaced before that time; tells how many. */
  purge(endedBefore: number, limit: number): Promise<number>;
  /**
   * Tells of changes that any process makes, as soon as they can be seen; for stores that have a way to. What is missed
   * counts from the end of `cacheTtl` on, so a lost connection needs no more than `'anything'` when it is back.
   *
   * @returns ends the subscription
   */
  subscribe?(listener: (change: ApiKeyChange) => void): Promise<() => Promise<void>>;
  /** Called once at shutdown, when nothing more will be asked. */
  close?(): Promise<void>;
}
