import { BearerTokenVerifier } from '../../../lib/authentication/jwt/bearer-token-verifier.js';
import type { JwtIssuerOptions } from '../../../lib/authentication/jwt/jwt.options.js';
import { buildTokens } from '../../../lib/boot/token-runtime.js';
import { compileConfiguration } from '../../../lib/boot/security-configuration.js';
import type { TokenOptions } from '../../../lib/authentication/jwt/token.options.js';
import type { TokenService } from '../../../lib/authentication/jwt/token.service.js';
import type { TokenIssuer } from '../../../lib/authentication/jwt/token-issuer.js';
import type { TokenSync } from '../../../lib/authentication/jwt/token-sync.js';
import type { CredentialRejected } from '../../../lib/authentication/credential-verifier.js';
import type { SecurityClock } from '../../../lib/clock.js';
import { ConfigurationProblems } from '../../../lib/configuration/configuration-problems.js';
import type { SecurityEvent } from '../../../lib/events/security-event.js';
import { SecurityEvents } from '../../../lib/events/security-events.js';
import { AUDIENCE, ISSUER } from './token-workshop.js';

/** One process of an application, without HTTP: what issues, what verifies, and what keeps it in step with others. */
export interface TokenNode {
  readonly issuer: TokenIssuer;
  readonly tokens: TokenService;
  readonly verifier: BearerTokenVerifier;
  readonly sync: TokenSync;
  readonly seen: SecurityEvent[];
  /** `good`, or why not. */
  readonly access: (token: string) => Promise<string>;
  /** The same of a refresh token. */
  readonly refresh: (token: string) => Promise<string>;
}

/** Put together as an application is, on the store that the options name; it asks the store when `sync.run()` is called. */
export function tokenNode(
  tokens: TokenOptions,
  clock: SecurityClock,
  signingKey: JwtIssuerOptions['signingKey'] = 'managed',
): TokenNode {
  const problems = new ConfigurationProblems();
  const jwt = { issuer: ISSUER, audience: AUDIENCE, signingKey };
  const configuration = compileConfiguration({ jwt, tokens, clock }, problems);
  problems.throwIfAny();
  const events = new SecurityEvents(clock);
  const seen: SecurityEvent[] = [];
  events.stream.subscribe((event) => seen.push(event));
  const { service, revocations, sync } = buildTokens(configuration, events);
  const verifier = new BearerTokenVerifier(configuration.issuers, revocations, clock);
  if (!configuration.ownIssuer || !sync) throw new Error('the options make no node that shares anything');
  const codeOf = (error: CredentialRejected | { code: string; extras: { reason?: string } }) =>
    'code' in error ? `${error.code} ${error.extras.reason}` : error.reason;
  return {
    issuer: configuration.ownIssuer,
    tokens: service,
    verifier,
    sync,
    seen,
    access: async (token) =>
      verifier.cached(token) ? 'good' : verifier.verify(token).then(() => 'good', codeOf),
    refresh: (token) => service.refresh(token).then(() => 'good', codeOf),
  };
}
