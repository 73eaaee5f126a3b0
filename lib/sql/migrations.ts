import type { SqlDialect } from './sql-dialect.js';
import type { SqlTables } from './sql-schema.js';

/**
 * One step of the schema. Each may run twice, and only adds: columns that may be empty, tables, indexes. So a process of
 * an older version goes on working beside a newer one.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: (tables: SqlTables, dialect: SqlDialect) => readonly string[];
}

/** All there are, oldest first. What has been released is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'api keys',
    statements: (tables, { types, separateIndexes }) => {
      const { exact, id, text, json, big, table } = types;
      const indexes = [
        [`${tables.keys}_by_owner`, 'owner, created_at, id'],
        [`${tables.keys}_by_end`, 'ended_at'],
      ] as const;
      const inside = separateIndexes ? [] : indexes.map(([name, columns]) => `index ${name} (${columns})`);
      const columns = [
        `id ${id} not null primary key`,
        `digest ${text} not null`,
        `prefix ${text} not null`,
        `environment ${text} not null`,
        `last4 ${text} not null`,
        `name ${text} not null`,
        `owner ${exact} not null`,
        `tenant ${text}`,
        `scopes ${json} not null`,
        `roles ${json} not null`,
        `allowed_addresses ${json} not null`,
        `metadata ${json} not null`,
        `limits ${json}`,
        `created_at ${big} not null`,
        `expires_at ${big}`,
        `overlap_ends_at ${big}`,
        `revoked_at ${big}`,
        `exposed_at ${big}`,
        `exposure ${text}`,
        `last_used_at ${big}`,
        `last_used_from ${text}`,
        `predecessor ${id}`,
        `successor ${id}`,
        `ended_at ${big}`,
        ...inside,
      ];
      const uses = [
        `key_id ${id} not null`,
        `day ${id} not null`,
        `uses ${big} not null`,
        'primary key (key_id, day)',
      ];
      return [
        `create table if not exists ${tables.keys} (${columns.join(', ')})${table}`,
        `create table if not exists ${tables.uses} (${uses.join(', ')})${table}`,
        ...(separateIndexes
          ? indexes.map(([name, on]) => `create index if not exists ${name} on ${tables.keys} (${on})`)
          : []),
      ];
    },
  },
];
