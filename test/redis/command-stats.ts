import type { Redis } from 'ioredis';

/** Calls of scripts that a server has seen. */
export async function scriptCalls(client: Redis): Promise<number> {
  const stats = await client.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return calls.reduce((sum, count) => sum + count, 0);
}
