import type { ApiKeyRecord } from '../authentication/api-key/api-key-store.js';

/** Each field of a key is a field of a hash with its JSON as the value; a field that is empty is left out. */
type Fields = { readonly [Field in keyof ApiKeyRecord]-?: (value: unknown) => boolean };

const isText = (value: unknown): boolean => typeof value === 'string';
const isTime = (value: unknown): boolean => Number.isSafeInteger(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isLimit = (value: unknown): boolean =>
  isObject(value) && Number.isFinite(value['limit']) && Number.isFinite(value['window']);

/** What a value must be to be believed. */
const FIELDS: Fields = {
  id: isText,
  digest: isText,
  prefix: isText,
  environment: (value) => value === 'live' || value === 'test',
  last4: isText,
  name: isText,
  owner: isText,
  tenant: isText,
  scopes: isTexts,
  roles: isTexts,
  allowedAddresses: isTexts,
  metadata: (value) => isObject(value) && Object.values(value).every(isText),
  limits: (value) => isText(value) || (Array.isArray(value) && value.every(isLimit)),
  createdAt: isTime,
  expiresAt: isTime,
  overlapEndsAt: isTime,
  revokedAt: isTime,
  exposedAt: isTime,
  exposure: (value) => value === 'plaintext' || value === 'url' || value === 'reported',
  lastUsedAt: isTime,
  lastUsedFrom: isText,
  predecessor: isText,
  successor: isText,
};
const NAMES = Object.keys(FIELDS) as readonly (keyof ApiKeyRecord)[];
const REQUIRED: ReadonlySet<string> = new Set<keyof ApiKeyRecord>([
  'id',
  'digest',
  'prefix',
  'environment',
  'last4',
  'name',
  'owner',
  'scopes',
  'roles',
  'allowedAddresses',
  'metadata',
  'createdAt',
]);

/** Fields to write as `field, value, …`, and those to empty. */
export interface FieldChanges {
  readonly filled: readonly string[];
  readonly emptied: readonly string[];
}

/** A key, or changes of one, as fields; what is no field of a key is passed over. */
export function fieldsOf(values: Partial<ApiKeyRecord>): FieldChanges {
  const filled: string[] = [];
  const emptied: string[] = [];
  for (const name of NAMES) {
    if (!Object.hasOwn(values, name)) continue;
    // `undefined` is all that JSON has no text for; the types promise nothing else.
    const text = JSON.stringify(values[name]) as string | undefined;
    if (text === undefined) emptied.push(name);
    else filled.push(name, text);
  }
  return { filled, emptied };
}

/** A key as it was read: fresh objects, which nobody else has. */
export interface StoredKey {
  readonly record: ApiKeyRecord;
  /** A successor of which it is not known yet whether it was linked. */
  readonly pending: boolean;
}

/**
 * Makes a key of what `HGETALL` says; undefined if that is nothing. Fields that a later version may add are passed over.
 * @throws Error if it is damaged: a key is what was written or none
 */
export function storedKeyOf(id: string, reply: unknown): StoredKey | undefined {
  const texts = pairsOf(reply);
  if (texts.size === 0) return undefined;
  const record: Record<string, unknown> = {};
  for (const name of NAMES) {
    const text = texts.get(name);
    record[name] = text === undefined ? undefined : parsed(text);
    const isFine = text === undefined ? !REQUIRED.has(name) : FIELDS[name](record[name]);
    if (!isFine) throw new Error(`the record of key ${id} is damaged: ${name}`);
  }
  if (record['id'] !== id) throw new Error(`the record of key ${id} is damaged: it is of another key`);
  return { record: record as unknown as ApiKeyRecord, pending: texts.has('pending') };
}

/** The reply to `HGETALL`, in a script always a flat list. @throws Error if it is anything else */
export function pairsOf(reply: unknown): Map<string, string> {
  const texts = textsOf(reply);
  const pairs = new Map<string, string>();
  for (let i = 0; i + 1 < texts.length; i += 2) pairs.set(texts[i]!, texts[i + 1]!);
  return pairs;
}

/** @throws Error if a reply is no list of texts */
export function textsOf(reply: unknown): readonly string[] {
  if (!isTexts(reply)) throw new Error('Redis answered something else than was asked for');
  return reply as readonly string[];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
