import { ApiKeyDigest } from '../authentication/api-key/api-key-digest.js';
import { compileApiKeyOptions } from '../authentication/api-key/api-key.options.js';
import { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import type { KeyEnvironment } from '../authentication/api-key/key-format.js';
import type { ApiKeyStore } from '../authentication/api-key/api-key-store.js';
import { systemClock } from '../clock.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { SecurityEvents } from '../events/security-events.js';
import type { SqlDatabase } from '../sql/sql-database.js';
import { type CliContext, type CliValues, type Opened, UsageError } from './command.js';

const VARIABLES = ['API_KEYS_URL', 'DATABASE_URL', 'REDIS_URL'] as const;
const NO_STORE = `which store? Give --store URL, or set ${VARIABLES.join(', ')}`;

/**
 * Opens the store that `--store` or the environment names, and the service over it. Its drivers are loaded only now, so
 * that only the one which is used has to be installed.
 *
 * @throws UsageError if no store is named, or what is said of keys makes no sense
 */
export async function openKeys(
  values: CliValues,
  environment: CliContext['environment'],
): Promise<Opened<ApiKeyService>> {
  const { settings, digests } = settingsOf(values, environment);
  const { store, database } = await openStore(storeUrl(values, environment));
  const service = new ApiKeyService(store, settings, digests, systemClock, new SecurityEvents(systemClock));
  return { service, database, close: () => service.stop() };
}

async function openStore(url: string): Promise<{ store: ApiKeyStore; database: SqlDatabase | undefined }> {
  if (/^rediss?:/.test(url)) {
    const { RedisApiKeyStore } = await import('../redis/redis-api-key-store.js');
    return { store: await RedisApiKeyStore.open(url), database: undefined };
  }
  const { SqlApiKeyStore } = await import('../sql/index.js');
  const database = await openSql(url);
  return { store: new SqlApiKeyStore(database), database };
}

/** Where, by `--store` or the environment. @throws UsageError */
export function storeUrl(values: CliValues, environment: CliContext['environment']): string {
  const url = textOf(values['store']) ?? VARIABLES.map((name) => environment[name]).find(Boolean);
  if (url === undefined) throw new UsageError(NO_STORE);
  return url;
}

/** @throws UsageError for a URL of no database */
export async function openSql(url: string): Promise<SqlDatabase> {
  const { openSqlDatabase } = await import('../sql/index.js');
  return openSqlDatabase(url, { listen: false, poolSize: 2 }).catch((error: unknown) => {
    if (error instanceof TypeError) throw new UsageError(`${error.message}, or redis://…`);
    throw error;
  });
}

/** A pepper comes from the environment alone: arguments are seen by everybody on the machine. */
function settingsOf(values: CliValues, environment: CliContext['environment']) {
  const peppers = (environment['API_KEY_PEPPER'] ?? '').split(/[\n,]/).filter((pepper) => pepper !== '');
  const keyEnvironment = textOf(values['environment']) ?? 'live';
  const plan = textOf(values['plan']);
  const prefix = textOf(values['prefix']);
  const problems = new ConfigurationProblems();
  const settings = compileApiKeyOptions(
    {
      environment: keyEnvironment as KeyEnvironment,
      ...(prefix !== undefined && { prefix }),
      ...(peppers.length > 0 && { pepper: peppers }),
      // Which plans there are only the application knows.
      ...(plan !== undefined && { plans: { [plan]: '1/second' as const } }),
    },
    problems,
  );
  if (problems.size > 0) {
    throw new UsageError(problems.all.map(({ where, problem }) => `${where} ${problem}`).join('; '));
  }
  return { settings, digests: new ApiKeyDigest(settings.peppers) };
}

function textOf(value: CliValues[string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
