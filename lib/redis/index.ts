export { openRedis } from './open-redis.js';
export { RedisApiKeyStore, type RedisApiKeyStoreOptions } from './redis-api-key-store.js';
export { RedisAuthorizationStore, type RedisAuthorizationStoreOptions } from './redis-authorization-store.js';
export { RedisDpopReplayStore, type RedisDpopReplayStoreOptions } from './redis-dpop-replay-store.js';
export { RedisRateLimitStorage, type RedisRateLimitStorageOptions } from './redis-rate-limit-storage.js';
export { RedisTokenStore, type RedisTokenStoreOptions } from './redis-token-store.js';
export type { RedisClient } from './redis-connection.js';
