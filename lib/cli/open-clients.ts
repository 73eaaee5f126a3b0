import { ClientService } from '../authorization-server/clients/client.service.js';
import type { AuthorizationStore } from '../authorization-server/records/authorization-store.js';
import { StoreCalls } from '../authentication/store-calls.js';
import { systemClock } from '../clock.js';
import { SecurityEvents } from '../events/security-events.js';
import type { SqlDatabase } from '../sql/sql-database.js';
import type { CliContext, CliValues, Opened } from './command.js';
import { openSql, storeUrl } from './open-store.js';

const TIMEOUT_MS = 10_000;

/** Opens the store of an authorization server. What scopes and resources that has, only the server knows. */
export async function openClients(
  values: CliValues,
  environment: CliContext['environment'],
): Promise<Opened<ClientService>> {
  const { store, database } = await openRecords(storeUrl(values, environment));
  const events = new SecurityEvents(systemClock);
  const calls = new StoreCalls(TIMEOUT_MS, events, {
    store: 'authorization-server',
    message: 'the store cannot be asked',
    reason: 'authorization-server.store-failed',
  });
  const service = new ClientService({
    store,
    calls,
    clock: systemClock,
    events,
    known: undefined,
    configured: new Map(),
  });
  return { service, database, close: async () => store.close?.() };
}

async function openRecords(
  url: string,
): Promise<{ store: AuthorizationStore; database: SqlDatabase | undefined }> {
  if (/^rediss?:/.test(url)) {
    const { RedisAuthorizationStore } = await import('../redis/redis-authorization-store.js');
    return { store: await RedisAuthorizationStore.open(url), database: undefined };
  }
  const { SqlAuthorizationStore } = await import('../sql/sql-authorization-store.js');
  const database = await openSql(url);
  return { store: new SqlAuthorizationStore(database), database };
}
