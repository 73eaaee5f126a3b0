export { openSqlDatabase, type SqlDatabaseOptions, type SqlSource } from './open-sql-database.js';
export { SqlAuthorizationStore } from './sql-authorization-store.js';
export { SqlApiKeyStore } from './sql-api-key-store.js';
export { SqlTokenStore } from './sql-token-store.js';
export { SqlDatabase } from './sql-database.js';
export { SqlError } from './sql-error.js';
export type { SqlKind } from './sql-schema.js';
