import type { CredentialVerifier } from '../authentication/credential-verifier.js';
import { BearerTokenVerifier } from '../authentication/jwt/bearer-token-verifier.js';
import type { RevocationList } from '../authentication/jwt/revocation-list.js';
import { AccessTokenVerifier } from '../authentication/oauth2/access-token-verifier.js';
import { ClientCertificates } from '../authentication/oauth2/client-certificate.js';
import { DelegatedRights } from '../authentication/oauth2/delegated-rights.js';
import { DpopNonces } from '../authentication/oauth2/dpop/dpop-nonces.js';
import { IntrospectionVerifier } from '../authentication/oauth2/introspection/introspection-verifier.js';
import { SenderConstraint } from '../authentication/oauth2/sender-constraint.js';
import { StoreCalls } from '../authentication/store-calls.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { ProxyTrust } from '../http/proxy-trust.js';
import type { SecurityConfiguration } from './security-configuration.js';

const REPLAY_TIMEOUT_MS = 1_000;
const RIGHTS_TIMEOUT_MS = 5_000;

/** What verifies `Authorization: Bearer` and `DPoP`; `undefined` where no tokens are accepted. */
export function accessTokenVerifier(
  { issuers, opaqueIssuer, clock, options }: SecurityConfiguration,
  revocations: RevocationList,
  events: SecurityEvents,
): CredentialVerifier | undefined {
  const jwts = issuers.length > 0 ? new BearerTokenVerifier(issuers, revocations, clock) : undefined;
  const opaque = opaqueIssuer && new IntrospectionVerifier(opaqueIssuer, revocations, clock, events);
  const tokens = jwts && opaque ? new AccessTokenVerifier(jwts, opaque) : (jwts ?? opaque);
  const currentRights = options.oauth2?.currentRights;
  if (!tokens || !currentRights) return tokens;
  const calls = new StoreCalls(RIGHTS_TIMEOUT_MS, events, {
    store: 'user-rights',
    message: 'The rights of the user cannot be checked right now',
    reason: 'user-rights.failed',
  });
  return new DelegatedRights(tokens, currentRights, calls, clock);
}

/** What checks that tokens come from whom they were issued to; `undefined` where OAuth is not configured. */
export function senderConstraint(
  { dpop, certificateHeader, clock }: SecurityConfiguration,
  trust: () => ProxyTrust,
  events: SecurityEvents,
): SenderConstraint | undefined {
  if (!dpop) return undefined;
  const calls = new StoreCalls(REPLAY_TIMEOUT_MS, events, {
    store: 'dpop-proofs',
    message: 'DPoP proofs cannot be checked right now',
    reason: 'dpop.store-failed',
  });
  return new SenderConstraint({
    dpop,
    nonces: dpop.nonceSecret && new DpopNonces(dpop.nonceSecret, clock),
    certificates: new ClientCertificates(certificateHeader, trust),
    calls,
    clock,
  });
}
