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
  readonly revokedAt: number | undefined;
  /** When, and how, the key was seen where it should not have been. */
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
    | 'successor'
  >
>;

/** A page of a list, newest first. */
export interface ApiKeyPage {
  readonly keys: readonly ApiKeyRecord[];
  /** Id to continue after, if there is more. */
  readonly next: string | undefined;
}

/**
 * Where keys are kept. Each method is atomic. Methods reject when the store cannot answer: that is 503 for the caller,
 * never "unknown key" (R-AK-19).
 */
export interface ApiKeyStore {
  find(id: string): Promise<ApiKeyRecord | undefined>;
  insert(record: ApiKeyRecord): Promise<void>;
  /** Applies the changes if the record is there and, with `unless`, that field is still empty; otherwise undefined. */
  update(
    id: string,
    changes: ApiKeyChanges,
    unless?: 'revokedAt' | 'successor' | 'exposedAt',
  ): Promise<ApiKeyRecord | undefined>;
  /** Inserts the successor and links it, if the old key has none and is not revoked; otherwise changes nothing. */
  rotate(id: string, successor: ApiKeyRecord, oldExpiresAt: number): Promise<boolean>;
  list(owner: string, limit: number, after?: string): Promise<ApiKeyPage>;
  /** Revokes all of an owner's keys that are not, and tells which. */
  revokeAllOf(owner: string, at: number): Promise<readonly string[]>;
}
