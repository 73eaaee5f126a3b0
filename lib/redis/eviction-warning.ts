import { MEMORY_POLICY } from './api-key-scripts.js';
import type { RedisConnection } from './redis-connection.js';

/**
 * Warns of a server that drops keys when its memory is full: an API key would be gone without a word. What stands under
 * `volatile-…` drops only what has an expiry, which no API key has there. Where the server does not tell, nothing is said.
 * Rejects when the server cannot be asked.
 *
 * @param what would be dropped
 * @param policies beginning of those that drop it; empty for all but `noeviction`
 */
export async function warnOfEviction(
  connection: RedisConnection,
  anyKey: string,
  what: string,
  policies = 'allkeys-',
): Promise<void> {
  const policy = await connection.run(MEMORY_POLICY, [anyKey], []);
  if (typeof policy !== 'string' || policy === '' || policy === 'noeviction') return;
  if (!policy.startsWith(policies)) return;
  process.emitWarning(
    `Redis may drop ${what} when its memory is full: set maxmemory-policy to noeviction, it is ${policy}`,
    { code: 'REDIS_EVICTION' },
  );
}
