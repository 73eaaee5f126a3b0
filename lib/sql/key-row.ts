import type { ApiKeyRecord } from '../authentication/api-key/api-key-store.js';
import { endedAt } from '../authentication/api-key/key-standing.js';
import { isStorable, textOf } from './column-text.js';
import type { KeyRow } from './sql-schema.js';

type Field = keyof ApiKeyRecord;
type Column = Exclude<keyof KeyRow, 'ended_at'>;
/** How a field is written, and read back. */
interface Codec {
  readonly write: (value: unknown) => unknown;
  readonly read: (value: unknown) => unknown;
}

const text: Codec = { write: (value) => value, read: textOf };
const time: Codec = { write: (value) => value, read: Number };
const json: Codec = {
  write: (value) => JSON.stringify(value),
  read: (value): unknown => JSON.parse(textOf(value)),
};

const COLUMNS: Readonly<Record<Field, readonly [Column, Codec]>> = {
  id: ['id', text],
  digest: ['digest', text],
  prefix: ['prefix', text],
  environment: ['environment', text],
  last4: ['last4', text],
  name: ['name', text],
  owner: ['owner', text],
  tenant: ['tenant', text],
  scopes: ['scopes', json],
  roles: ['roles', json],
  allowedAddresses: ['allowed_addresses', json],
  metadata: ['metadata', json],
  limits: ['limits', json],
  createdAt: ['created_at', time],
  expiresAt: ['expires_at', time],
  overlapEndsAt: ['overlap_ends_at', time],
  revokedAt: ['revoked_at', time],
  exposedAt: ['exposed_at', time],
  exposure: ['exposure', text],
  lastUsedAt: ['last_used_at', time],
  lastUsedFrom: ['last_used_from', text],
  predecessor: ['predecessor', text],
  successor: ['successor', text],
};
const FIELDS = Object.entries(COLUMNS) as [Field, readonly [Column, Codec]][];

/** The columns of a record, or of what is changed in it, by names. */
export function columnsOf(fields: Partial<ApiKeyRecord>): Partial<KeyRow> {
  const columns: Record<string, unknown> = {};
  for (const [field, [column, { write }]] of FIELDS) {
    if (!(field in fields)) continue;
    const value = fields[field] ?? undefined;
    if (typeof value === 'string' && field !== 'limits' && !isStorable(value)) {
      throw new TypeError(`${field} holds characters that a database cannot keep`);
    }
    columns[column] = value === undefined ? null : write(value);
  }
  return columns;
}

/** The whole row of a record. */
export const rowOf = (record: ApiKeyRecord): KeyRow => ({ ...columnsOf(record), ...endOf(record) }) as KeyRow;

/** The column that `purge` looks at. */
export function endOf(record: ApiKeyRecord): Pick<KeyRow, 'ended_at'> {
  const end = endedAt(record);
  return { ended_at: end === Infinity ? null : end };
}

/** The record of a row, which may have columns that are newer than this code. */
export function recordOf(row: KeyRow): ApiKeyRecord {
  const record: Partial<Record<Field, unknown>> = {};
  for (const [field, [column, { read }]] of FIELDS) {
    const value: unknown = row[column];
    record[field] = value === null || value === undefined ? undefined : read(value);
  }
  return record as unknown as ApiKeyRecord;
}

/** An id as it was written. */
export const idOf = ({ id }: Pick<KeyRow, 'id'>): string => textOf(id);

/** A day as it was written. */
export const dayOf = ({ day }: { readonly day: string }): string => textOf(day);
