import { Redis } from 'ioredis';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  type MockInstance,
  vi,
} from 'vitest';

import { StoreConnection } from '../../lib/redis/store-connection.js';
import { type RedisServer, startRedis } from '../support/servers/redis.js';

describe('StoreConnection', () => {
  let server: RedisServer;
  let client: Redis;
  let connection: StoreConnection;
  let warned: MockInstance<typeof process.emitWarning>;
  const warnings = () => warned.mock.calls.map(([text]) => String(text));
  const quiet = () => undefined;

  beforeAll(async () => {
    server = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
  });
  afterAll(() => server.close());
  beforeEach(() => {
    warned = vi.spyOn(process, 'emitWarning').mockImplementation(quiet);
    client = new Redis(server.url, { enableOfflineQueue: false, lazyConnect: true });
    client.on('error', quiet);
    connection = new StoreConnection(client, 'any', 'API keys');
  });
  afterEach(async () => {
    await connection.close();
    client.disconnect();
    warned.mockRestore();
  });

  it('warns once of a server that may drop what the store keeps', async () => {
    await client.connect();
    const end = await connection.follow('news', 'news', quiet, quiet);
    connection.checkEviction();
    await vi.waitFor(() => expect(warned).toHaveBeenCalled());
    connection.checkEviction();
    await end();
    expect(warnings()).toEqual([
      'Redis may drop API keys when its memory is full: set maxmemory-policy to noeviction, it is allkeys-lru',
    ]);
  });

  it('asks again when the server could not be asked', async () => {
    // The first command makes a lazy client connect, and is refused until it has.
    connection.checkEviction();
    await vi.waitFor(() => {
      connection.checkEviction();
      expect(warnings()).toHaveLength(1);
    });
  });

  it('R-AK-10 follows what is told, until the store is closed', async () => {
    await client.connect();
    const heard: string[] = [];
    await connection.follow('news', 'news', (text) => heard.push(text), quiet);
    await client.publish('news', 'one');
    await vi.waitFor(() => expect(heard).toEqual(['one']));
    await connection.close();
    await vi.waitFor(async () => expect(await client.publish('news', 'two')).toBe(0));
    expect(heard).toEqual(['one']);
  });

  it('says that nothing is heard yet, and listens once the server is there', async () => {
    const late = await startRedis();
    await late.stop();
    const own = new Redis(late.url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
    own.on('error', quiet);
    const following = new StoreConnection(own, 'any', 'news');
    following.own(own);
    const heard: string[] = [];
    await following.follow('news', 'changes of news', (text) => heard.push(text), quiet);
    expect(warnings()).toEqual([expect.stringMatching(/^changes of news are not heard yet: ./)]);
    await late.start();
    await vi.waitFor(async () => {
      await own.publish('news', 'now');
      expect(heard).toContain('now');
    }, 10_000);
    await following.close();
    await vi.waitFor(() => expect(own.status).toBe('end'));
    await late.close();
  });
});
