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
    statements: (tables, dialect) => {
      const { exact, id, text, json, big } = dialect.types;
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
      ];
      const uses = [
        `key_id ${id} not null`,
        `day ${id} not null`,
        `uses ${big} not null`,
        'primary key (key_id, day)',
      ];
      return [
        ...createTable(dialect, tables.keys, columns, { owner: 'owner, created_at, id', end: 'ended_at' }),
        ...createTable(dialect, tables.uses, uses),
      ];
    },
  },
  {
    version: 2,
    name: 'sessions',
    statements: (tables, dialect) => {
      const { exact, id, text, json, big } = dialect.types;
      const sessions = [
        `id ${id} not null primary key`,
        `family ${id} not null unique`,
        `newest ${id} not null`,
        `previous ${id}`,
        `salt ${id}`,
        `grace_until ${big}`,
        `subject ${exact} not null`,
        `data ${json} not null`,
        `last_address ${text}`,
        `created_at ${big} not null`,
        `last_used_at ${big} not null`,
        `idle_until ${big} not null`,
        `expires_at ${big} not null`,
      ];
      const revocations = [
        `id ${id} not null primary key`,
        `kind ${id} not null`,
        `issuer ${exact} not null`,
        `name ${exact} not null`,
        `revoked_at ${big} not null`,
        `ends_at ${big} not null`,
        `noted_at ${big} not null`,
      ];
      const rings = [`id ${id} not null primary key`, 'version integer not null', `content ${json} not null`];
      return [
        ...createTable(dialect, tables.sessions, sessions, {
          subject: 'subject, last_used_at',
          end: 'idle_until',
        }),
        ...createTable(dialect, tables.revocations, revocations, { note: 'noted_at, id', end: 'ends_at' }),
        ...createTable(dialect, tables.keyRings, rings),
      ];
    },
  },
  {
    version: 3,
    name: 'authorization server',
    statements: (tables, dialect) => {
      const { exact, id, json, big } = dialect.types;
      const records = [
        `id ${exact} not null primary key`,
        `kind ${id} not null`,
        `grant_name ${id}`,
        `owner ${id}`,
        `uid ${id}`,
        `payload ${json} not null`,
        `consumed_at ${big}`,
        `expires_at ${big} not null`,
      ];
      const indexes = { grant: 'grant_name', owner: 'owner, kind', uid: 'uid, kind', end: 'expires_at' };
      return createTable(dialect, tables.authorization, records, indexes);
    },
  },
];

/** @param indexes columns by what they are for */
function createTable(
  { types, separateIndexes }: SqlDialect,
  table: string,
  columns: readonly string[],
  indexes: Readonly<Record<string, string>> = {},
): readonly string[] {
  const named = Object.entries(indexes).map(([name, on]) => [`${table}_by_${name}`, on] as const);
  const inside = separateIndexes ? [] : named.map(([name, on]) => `index ${name} (${on})`);
  return [
    `create table if not exists ${table} (${[...columns, ...inside].join(', ')})${types.table}`,
    ...(separateIndexes
      ? named.map(([name, on]) => `create index if not exists ${name} on ${table} (${on})`)
      : []),
  ];
}
