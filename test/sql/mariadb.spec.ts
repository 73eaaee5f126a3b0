import { afterAll, beforeAll } from 'vitest';

import { describeApiKeyStore } from '../authentication/api-key/store-contract.js';
import { describeTokenProcesses } from '../authentication/jwt/token-processes.js';
import { describeAuthorizationStore } from '../authorization-server/store-contract.js';
import { describeTokenStore } from '../authentication/jwt/token-store-contract.js';
import { startMariadb } from '../support/servers/mariadb.js';
import type { DatabaseServer } from '../support/servers/server-process.js';
import { describeSqlDatabase } from './database-contract.js';
import { describeOutage } from './outage-contract.js';
import { openEmptyStore, openEmptyAuthorizationStore, openEmptyTokenStore, tokenPlace } from './stores.js';

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb();
});
afterAll(() => server.close());

describeApiKeyStore('a MariaDB store', () => openEmptyStore(server.url), { subscribes: false });
describeAuthorizationStore('a MariaDB store', () => openEmptyAuthorizationStore(server.url));
describeTokenStore('a MariaDB store', () => openEmptyTokenStore(server.url), { subscribes: false });
describeTokenProcesses('MariaDB', () => tokenPlace(server.url));
describeSqlDatabase('a MariaDB database', () => server.url);
describeOutage('a MariaDB server', () => server);
