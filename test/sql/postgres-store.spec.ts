import { afterAll, beforeAll } from 'vitest';

import { describeApiKeyStore } from '../authentication/api-key/store-contract.js';
import { startPostgres } from '../support/servers/postgres.js';
import type { DatabaseServer } from '../support/servers/server-process.js';
import { openEmptyStore } from './stores.js';

let server: DatabaseServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.close());

describeApiKeyStore('a PostgreSQL store', () => openEmptyStore(server.url), { subscribes: true });
