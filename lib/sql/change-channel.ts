import { sql } from 'kysely';

import type { ApiKeyChange } from '../authentication/api-key/api-key-store.js';
import type { SqlTransaction } from './sql-dialect.js';
import type { SqlKind, SqlTables } from './sql-schema.js';

/** A change that can be told of by itself. */
type NamedChange = Exclude<ApiKeyChange, 'anything'>;

/** Where PostgreSQL tells of changes of these tables. */
export const channelOf = (tables: SqlTables): string => tables.keys;

/** Tells of changes, as soon as the transaction is through, to whoever listens; where a database cannot, nothing happens. */
export async function tellOf(
  db: SqlTransaction,
  kind: SqlKind,
  tables: SqlTables,
  changes: readonly NamedChange[],
): Promise<void> {
  if (kind !== 'postgres') return;
  for (const change of changes) {
    await sql`select pg_notify(${channelOf(tables)}, ${JSON.stringify(change)})`.execute(db);
  }
}

/** What was told; anything else that somebody says on the channel may mean any key. */
export function changeIn(payload: string | undefined): ApiKeyChange {
  try {
    const change = JSON.parse(payload ?? '') as Partial<Record<'id' | 'owner', unknown>> | null;
    if (typeof change?.id === 'string') return { id: change.id };
    if (typeof change?.owner === 'string') return { owner: change.owner };
  } catch {
    // Falls through.
  }
  return 'anything';
}
