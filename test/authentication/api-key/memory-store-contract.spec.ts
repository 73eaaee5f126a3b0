import { MemoryApiKeyStore } from '../../../lib/authentication/api-key/memory-api-key-store.js';
import { describeApiKeyStore } from './store-contract.js';

describeApiKeyStore(
  'a memory store',
  () => Promise.resolve({ store: new MemoryApiKeyStore(), close: () => Promise.resolve() }),
  { subscribes: false },
);
