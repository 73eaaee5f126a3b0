/** Which family of SQL a database speaks; MariaDB is `mysql`. */
export type SqlKind = 'postgres' | 'mysql' | 'sqlite';

/** A column of 64 bits: `pg` gives it as text, so that nothing is lost. */
type Big = number | string;

/** A row of the table of keys. Lists and objects are JSON, times epoch milliseconds. */
export interface KeyRow {
  id: string;
  digest: string;
  prefix: string;
  environment: string;
  last4: string;
  name: string;
  owner: string;
  tenant: string | null;
  scopes: string;
  roles: string;
  allowed_addresses: string;
  metadata: string;
  limits: string | null;
  created_at: Big;
  expires_at: Big | null;
  overlap_ends_at: Big | null;
  revoked_at: Big | null;
  exposed_at: Big | null;
  exposure: string | null;
  last_used_at: Big | null;
  last_used_from: string | null;
  predecessor: string | null;
  successor: string | null;
  /** When the key ended or will end, whatever ends it; what `purge` looks for. */
  ended_at: Big | null;
}

/** Uses of one key on one day. */
export interface UseRow {
  key_id: string;
  /** In UTC, as in `2026-11-24`. */
  day: string;
  uses: Big;
}

/** A row of the table of sessions. Times are epoch milliseconds. */
export interface SessionRow {
  id: string;
  /** Digests of the family, of its newest token and of the one before. */
  family: string;
  newest: string;
  previous: string | null;
  salt: string | null;
  grace_until: Big | null;
  subject: string;
  /** JSON of what never changes. */
  data: string;
  last_address: string | null;
  created_at: Big;
  last_used_at: Big;
  idle_until: Big;
  expires_at: Big;
}

/** A row of the table of revocations. */
export interface RevocationRow {
  /** Digest of kind, issuer and name. */
  id: string;
  kind: string;
  issuer: string;
  name: string;
  revoked_at: Big;
  ends_at: Big;
  /** When it was written, by the clock of the database. */
  noted_at: Big;
}

/** A row of the table of signing keys: the ring of one issuer. */
export interface KeyRingRow {
  /** Digest of the issuer. */
  id: string;
  version: number;
  content: string;
}

/** A row of what the authorization server keeps. Names are digests, times epoch milliseconds. */
export interface AuthorizationRow {
  /** Kind and id as one, because both tell a record apart. */
  id: string;
  kind: string;
  grant_name: string | null;
  owner: string | null;
  uid: string | null;
  payload: string;
  consumed_at: Big | null;
  expires_at: Big;
}

/** A migration that has been applied. */
export interface VersionRow {
  version: number;
  name: string;
  applied_at: Big;
}

/** The tables by their default names. */
export interface SqlSchema {
  security_api_keys: KeyRow;
  security_api_key_uses: UseRow;
  security_sessions: SessionRow;
  security_revocations: RevocationRow;
  security_key_rings: KeyRingRow;
  security_authorization: AuthorizationRow;
  security_schema_versions: VersionRow;
}

/** What the tables are called; typed as if they had their default names. */
export interface SqlTables {
  readonly prefix: string;
  readonly keys: 'security_api_keys';
  readonly uses: 'security_api_key_uses';
  readonly sessions: 'security_sessions';
  readonly revocations: 'security_revocations';
  readonly keyRings: 'security_key_rings';
  readonly authorization: 'security_authorization';
  readonly versions: 'security_schema_versions';
}

/** @throws TypeError for a prefix that is none */
export function tablesWith(prefix: string): SqlTables {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,31}$/.test(prefix)) {
    throw new TypeError('tablePrefix must be up to 32 letters, digits and "_"');
  }
  return {
    prefix,
    keys: `${prefix}api_keys` as 'security_api_keys',
    uses: `${prefix}api_key_uses` as 'security_api_key_uses',
    sessions: `${prefix}sessions` as 'security_sessions',
    revocations: `${prefix}revocations` as 'security_revocations',
    keyRings: `${prefix}key_rings` as 'security_key_rings',
    authorization: `${prefix}authorization` as 'security_authorization',
    versions: `${prefix}schema_versions` as 'security_schema_versions',
  };
}
