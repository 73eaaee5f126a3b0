import { KeyRingSeal } from '../authentication/jwt/key-ring-seal.js';
import { MemoryTokenStore } from '../authentication/jwt/memory-token-store.js';
import { RevocationList } from '../authentication/jwt/revocation-list.js';
import { SigningKeyRing } from '../authentication/jwt/signing-key-ring.js';
import type { OwnIssuer } from '../authentication/jwt/token-issuer.js';
import { TokenSync } from '../authentication/jwt/token-sync.js';
import { TokenService, tokenStoreCalls } from '../authentication/jwt/token.service.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { SecurityConfiguration } from './security-configuration.js';

/** Between nodes, beside what their clocks may differ: a key that has just stopped signing may still be at work. */
const MARGIN_MS = 60_000;

/** What the tokens of an application are issued and revoked with. */
export interface TokenRuntime {
  readonly service: TokenService;
  readonly revocations: RevocationList;
  /** There if other processes may share the store, or there are signing keys to look after. */
  readonly sync: TokenSync | undefined;
}

/** Puts together what issues and revokes tokens. */
export function buildTokens(configuration: SecurityConfiguration, events: SecurityEvents): TokenRuntime {
  const { clock, options, issuers, opaqueIssuer, ownIssuer, tokens: settings } = configuration;
  const given = options.tokens?.store;
  const store = given ?? new MemoryTokenStore();
  const revocations = new RevocationList(clock);
  const calls = tokenStoreCalls(settings, events);
  const ring = ownIssuer?.signer instanceof SigningKeyRing ? ownIssuer.signer : undefined;
  if (ring) {
    const { issuer, maxLifetime, clockSkew } = ownIssuer as OwnIssuer;
    const { encryptionKeys, ...schedule } = settings.signingKeys;
    const seal = new KeyRingSeal(issuer, encryptionKeys);
    const outlive = (maxLifetime + 2 * clockSkew) * 1000 + MARGIN_MS;
    ring.open({ issuer, store, seal, schedule: { ...schedule, outlive }, calls, events });
  }
  const signed = opaqueIssuer?.introspection.keys;
  const sources = signed ? [...issuers, { issuer: opaqueIssuer.issuer, keys: signed.source }] : issuers;
  for (const { issuer, keys } of sources) {
    keys.watch?.((trouble) => {
      if (trouble.kind === 'failed') events.emit('key-set.failed', { issuer, reason: trouble.reason });
      else events.emit('key-set.ambiguous', { issuer, kid: trouble.kid });
    });
  }
  const { revokedWithinMs, acceptsUnknown } = settings;
  const parts = { store, revocations, ring, calls, clock, revokedWithinMs, acceptsUnknown };
  return {
    service: new TokenService({ issuers, settings, store, revocations, clock, events }),
    revocations,
    // What this process alone knows needs no asking.
    sync: given || ring ? new TokenSync(parts) : undefined,
  };
}
