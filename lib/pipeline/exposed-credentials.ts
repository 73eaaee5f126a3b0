import type { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import { ExposureBreaker } from '../authentication/api-key/exposure-breaker.js';
import { isMalformedCredential, readCredential } from '../authentication/credential-reader.js';
import type { CredentialVerifier } from '../authentication/credential-verifier.js';
import type { SecurityClock } from '../clock.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { CredentialInUrl } from '../http/query/credential-in-url.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';

/** What exposure is about; without API keys there is nothing to look up. */
export interface ExposureSetup {
  readonly keys: ApiKeyService | undefined;
  readonly verifier: CredentialVerifier | undefined;
  readonly header: boolean;
  readonly revoke: boolean;
  readonly clock: SecurityClock;
  readonly events: SecurityEvents;
}

/** Look-ups at once; a flood of plain requests must not become a flood of look-ups (R-TL-11). */
const MAX_RUNNING = 10;

/**
 * Follows up keys that came in clear or in a URL (R-TL-09 to R-TL-11), after the request has been refused, so that the
 * answer tells nobody whether the key was genuine: reports the exposure, and by option revokes the key.
 */
export class ExposedCredentials {
  readonly #breaker: ExposureBreaker;
  #running = 0;

  constructor(private readonly setup: ExposureSetup) {
    this.#breaker = new ExposureBreaker(setup.clock, () => {
      setup.events.emit('api-key.revocation-stopped', { reason: 'too many keys were exposed at once' });
    });
  }

  inClear(state: RequestState): void {
    const credential = readCredential(state.request.rawHeaders, this.setup.header);
    if (credential === undefined || isMalformedCredential(credential) || credential.scheme !== 'api-key')
      return;
    this.#follow(state, credential.value, 'plaintext');
  }

  inUrl(state: RequestState, found: CredentialInUrl): void {
    if (found.key !== undefined) this.#follow(state, found.key, 'url');
  }

  #follow(state: RequestState, key: string, reason: 'plaintext' | 'url'): void {
    const { keys, verifier } = this.setup;
    if (!keys || !verifier || this.#running >= MAX_RUNNING) return;
    this.#running++;
    setImmediate(() => {
      this.#report(state, key, reason, keys, verifier)
        // A key that is not genuine exposes nothing, and a store that is down has been reported by the verifier.
        .catch(() => undefined)
        .finally(() => this.#running--);
    });
  }

  async #report(
    state: RequestState,
    key: string,
    reason: 'plaintext' | 'url',
    keys: ApiKeyService,
    verifier: CredentialVerifier,
  ): Promise<void> {
    const { principal } = verifier.cached(key) ?? (await verifier.verify(key));
    const revoke = this.setup.revoke && this.#breaker.allows(principal.id);
    await keys.expose(principal.id, reason, revoke, eventContextOf(state));
  }
}
