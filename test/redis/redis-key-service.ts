import { ApiKeyDigest } from '../../lib/authentication/api-key/api-key-digest.js';
import { ApiKeyVerifier } from '../../lib/authentication/api-key/api-key-verifier.js';
import {
  type ApiKeyOptions,
  compileApiKeyOptions,
} from '../../lib/authentication/api-key/api-key.options.js';
import { ApiKeyService } from '../../lib/authentication/api-key/api-key.service.js';
import type { ApiKeyStore } from '../../lib/authentication/api-key/api-key-store.js';
import { systemClock } from '../../lib/clock.js';
import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { SecurityEvents } from '../../lib/events/security-events.js';

/** The service of a process of its own: what it remembers is shared with nobody. */
export async function serviceOver(store: ApiKeyStore, options: ApiKeyOptions = {}): Promise<ApiKeyService> {
  const settings = compileApiKeyOptions(options, new ConfigurationProblems());
  const events = new SecurityEvents(systemClock);
  const digests = new ApiKeyDigest(settings.peppers);
  const service = new ApiKeyService(store, settings, digests, systemClock, events);
  void new ApiKeyVerifier(store, settings, digests, systemClock, service);
  await service.start();
  return service;
}
