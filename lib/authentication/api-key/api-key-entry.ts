import { ApiKeyDigest } from './api-key-digest.js';
import type { ApiKeyRecord } from './api-key-store.js';
import { generateKey } from './key-format.js';

type Required = 'id' | 'digest' | 'owner' | 'name' | 'scopes';

/** A key that is kept in configuration: its digest in place of the key, and what it may do (R-AK-04). */
export type ApiKeyEntry = Pick<ApiKeyRecord, Required> & Partial<Omit<ApiKeyRecord, Required>>;

/** How keys are made where there is no service at hand; the same as the options of that name. */
export interface ApiKeyEntryOptions {
  /** `'sk'` by default. */
  readonly prefix?: string;
  /** `'live'` by default. */
  readonly environment?: 'live' | 'test';
  /** The newest pepper, if the application has any. */
  readonly pepper?: string;
}

const ID = /^[A-Za-z0-9]{16}$/;
/** SHA-256 in base64url. */
const DIGEST = /^[A-Za-z0-9_-]{43}$/;

/**
 * Makes a key for a configuration file: hand the key to its user, and keep the entry.
 *
 * @example
 * const { key, entry } = createApiKeyEntry({ owner: 'ci', name: 'nightly build', scopes: ['builds:write'] });
 */
export function createApiKeyEntry(
  init: Omit<ApiKeyEntry, 'id' | 'digest' | 'prefix' | 'environment' | 'last4'>,
  { prefix = 'sk', environment = 'live', pepper }: ApiKeyEntryOptions = {},
): { key: string; entry: ApiKeyEntry } {
  const { key, id } = generateKey(prefix, environment);
  const digest = new ApiKeyDigest(pepper === undefined ? [] : [pepper]).of(key);
  return { key, entry: { ...init, id, digest, prefix, environment, last4: key.slice(-4) } };
}

/**
 * The whole record of an entry.
 * @throws TypeError, which never quotes the digest: somebody may have put the key there
 */
export function recordOf(entry: ApiKeyEntry): ApiKeyRecord {
  if (!ID.test(entry.id))
    throw new TypeError('the id of a key is the 16 letters and digits in the middle of the key');
  if (!DIGEST.test(entry.digest)) {
    throw new TypeError(`the digest of key ${entry.id} is not a SHA-256 digest in base64url`);
  }
  return {
    prefix: 'sk',
    environment: 'live',
    last4: '',
    tenant: undefined,
    roles: [],
    allowedAddresses: [],
    metadata: {},
    limits: undefined,
    createdAt: 0,
    expiresAt: undefined,
    overlapEndsAt: undefined,
    revokedAt: undefined,
    exposedAt: undefined,
    exposure: undefined,
    lastUsedAt: undefined,
    lastUsedFrom: undefined,
    predecessor: undefined,
    successor: undefined,
    ...entry,
  };
}
