import type { IoredisClient } from './ioredis-connection.js';
import type { NodeRedisClient } from './node-redis-connection.js';
import type { RedisClient } from './redis-connection.js';
import { noteCause } from './redis-failure.js';

/** Longest wait for an answer; milliseconds. */
const COMMAND_MS = 2_000;
const CONNECT_MS = 5_000;
const LONGEST_PAUSE_MS = 1_000;

/**
 * A client with safe settings, of ioredis or else of node-redis, whichever is installed: what is asked while there is no
 * connection fails at once, no answer is waited for longer than 2 s, and a connection that is lost comes back by itself.
 * If the server is not there yet the client is returned all the same, and goes on trying.
 *
 * @param url `redis://` or `rediss://`
 * @throws TypeError for anything else, Error if neither is installed; neither quotes the URL, which may hold a password
 */
export async function openRedis(url: string): Promise<RedisClient> {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new TypeError('the URL of Redis begins with redis:// or rediss://');
  }
  const client = (await openIoredis(url)) ?? (await openNodeRedis(url));
  if (client === undefined)
    throw new Error('neither ioredis nor @redis/client is installed: npm install ioredis');
  return client;
}

/** Closes a client at once. */
export function closeRedis(client: RedisClient): void {
  if ('disconnect' in client) client.disconnect();
  else if ('destroy' in client) client.destroy();
}

/** @internal The one of ioredis; undefined if that is not installed. */
export async function openIoredis(url: string): Promise<IoredisClient | undefined> {
  const Redis = (await installed(import('ioredis')))?.Redis;
  if (Redis === undefined) return undefined;
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    // Sent a second time, a rotation or an insertion would find itself done already.
    autoResendUnfulfilledCommands: false,
    commandTimeout: COMMAND_MS,
    connectTimeout: CONNECT_MS,
    retryStrategy: pauseBefore,
  });
  client.on('error', (error: unknown) => noteCause(client, error));
  await client.connect().catch((error: unknown) => noteCause(client, error));
  return client;
}

/** @internal The one of node-redis; undefined if that is not installed. */
export async function openNodeRedis(url: string): Promise<NodeRedisClient | undefined> {
  const createClient = (await installed(import('@redis/client')))?.createClient;
  if (createClient === undefined) return undefined;
  const client = createClient({
    url,
    disableOfflineQueue: true,
    commandOptions: { timeout: COMMAND_MS },
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: pauseBefore },
  });
  const firstFailure = new Promise<void>((resolve) => {
    client.on('error', (error: unknown) => {
      noteCause(client, error);
      resolve();
    });
  });
  // It resolves once connected, however long that takes; closing it before is no failure.
  await Promise.race([client.connect().catch(() => undefined), firstFailure]);
  return client;
}

/** @param attempt 1 for the first */
function pauseBefore(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}

async function installed<Module>(module: Promise<Module>): Promise<Module | undefined> {
  try {
    return await module;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
