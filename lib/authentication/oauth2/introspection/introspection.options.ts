import type { SecurityClock } from '../../../clock.js';
import type { Duration } from '../../../configuration/units.js';
import { type IssuerKeys, readIssuerKeys } from '../../jwt/issuer-keys.js';
import type { AsymmetricKeyMaterial } from '../../jwt/jwt.options.js';
import { KeyRefused } from '../../jwt/key-material.js';
import { isRawOptions, isSecureUrl, OptionChecks } from '../../jwt/option-checks.js';
import type { ClaimRules } from '../../jwt/token-issuer.js';
import { type ClientAuthentication, privateKeyJwt, secretBasic } from './client-authentication.js';

/** How opaque access tokens are looked up (RFC 7662). Needs `clientSecret` or `privateKey`. */
export interface IntrospectionOptions {
  /** Where; what the issuer's metadata name as `introspection_endpoint` by default. */
  readonly endpoint?: string;
  /** This API as a client of the authorization server. */
  readonly clientId: string;
  /** For `client_secret_basic` (RFC 6749 §2.3.1). */
  readonly clientSecret?: string;
  /** For `private_key_jwt` (RFC 7523 §2.2). */
  readonly privateKey?: AsymmetricKeyMaterial;
  /** Name of the private key at the server; its thumbprint by default. */
  readonly keyId?: string;
  /** How long a good token is believed without asking again; `'30s'` by default, 0 to `'5m'`, never beyond its `exp`. */
  readonly cacheFor?: Duration;
  /** How long a bad token is refused without asking again; `'10s'` by default, 0 to `'10s'`. */
  readonly refuseFor?: Duration;
  /** Longest wait for an answer, to its last byte; `'3s'` by default, `'100ms'` to `'10s'`. */
  readonly timeout?: Duration;
  /** Most questions at a time; 50 by default, 1 to 1 000. Beyond it the answer is 503. */
  readonly maxConcurrent?: number;
  /**
   * Only answers count that the issuer has signed for this API (RFC 9701), with keys that are found by discovery or by the
   * issuer's `jwksUri`, `jwks`, `jwksFile` or `publicKey`; `false` by default.
   */
  readonly signed?: boolean;
  /** Whether the answer must name this API as audience; `true` by default. `false` only for a server with no other API. */
  readonly requireAudience?: boolean;
}

/** The options, checked and complete. */
export interface IntrospectionSettings {
  readonly endpoint: string | undefined;
  readonly allowsPrivate: boolean;
  readonly clientId: string;
  readonly authentication: ClientAuthentication;
  readonly cacheForMs: number;
  readonly refuseForMs: number;
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
  readonly requireAudience: boolean;
  /** The issuer's keys, where answers have to be signed. */
  readonly keys: IssuerKeys | undefined;
}

/** An issuer of opaque tokens. */
export interface OpaqueIssuer extends ClaimRules {
  readonly introspection: IntrospectionSettings;
}

const NAMES = [
  'endpoint',
  'clientId',
  'clientSecret',
  'privateKey',
  'keyId',
  'cacheFor',
  'refuseFor',
  'timeout',
  'maxConcurrent',
  'requireAudience',
  'signed',
];

/** Checks the options of one issuer; what is wrong is reported. */
export function compileIntrospection(
  issuer: OptionChecks,
  production: boolean,
  clock: SecurityClock,
): IntrospectionSettings | undefined {
  const given = issuer.options['introspection'];
  const prefix = 'oauth2.introspection';
  if (!isRawOptions(given)) {
    issuer.report('introspection', 'type', 'is no object', 'give { clientId, clientSecret }');
    return undefined;
  }
  const checks = new OptionChecks(given, prefix, `${issuer.where}.introspection`, issuer.problems);
  checks.onlyKnown(NAMES);
  const { endpoint, clientId, maxConcurrent = 50, requireAudience = true } = given;
  if (endpoint !== undefined && (!isSecureUrl(endpoint) || (production && /^http:/i.test(endpoint))))
    checks.report('endpoint', 'insecure', 'is no https URL', 'give the introspection endpoint of the issuer');
  if (typeof clientId !== 'string' || clientId === '')
    checks.report('clientId', 'missing', 'is missing', 'register this API as a client of the issuer');
  if (!Number.isInteger(maxConcurrent) || (maxConcurrent as number) < 1 || (maxConcurrent as number) > 1_000)
    checks.report('maxConcurrent', 'bounds', 'is no whole number from 1 to 1000', 'leave it out for 50');
  if (typeof requireAudience !== 'boolean')
    checks.report('requireAudience', 'type', 'is neither true nor false', 'use one of the two');
  const authentication = authenticationOf(checks, clock);
  const keys = checks.flag('signed') ? readIssuerKeys(issuer, undefined, clock, production) : undefined;
  if (!authentication) return undefined;
  return {
    endpoint: endpoint as string | undefined,
    allowsPrivate: issuer.options['allowPrivateAddresses'] === true,
    clientId: clientId as string,
    authentication,
    cacheForMs: checks.duration('cacheFor', 30_000, 0, 300_000, '0 to 5m'),
    refuseForMs: checks.duration('refuseFor', 10_000, 0, 10_000, '0 to 10s'),
    timeoutMs: checks.duration('timeout', 3_000, 100, 10_000, '100ms to 10s'),
    maxConcurrent: maxConcurrent as number,
    requireAudience: requireAudience as boolean,
    keys,
  };
}

function authenticationOf(checks: OptionChecks, clock: SecurityClock): ClientAuthentication | undefined {
  const { clientId, clientSecret, privateKey, keyId } = checks.options;
  if ((clientSecret === undefined) === (privateKey === undefined)) {
    const fix = 'give clientSecret or privateKey, and not both';
    checks.report('authentication', 'missing', 'has not exactly one way to authenticate', fix);
    return undefined;
  }
  if (clientSecret !== undefined) {
    if (typeof clientSecret === 'string' && clientSecret !== '')
      return secretBasic(String(clientId), clientSecret);
    checks.report('clientSecret', 'type', 'is no text', 'give what the issuer has shown');
    return undefined;
  }
  try {
    return privateKeyJwt(String(clientId), privateKey, keyId as string | undefined, clock);
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    checks.report('privateKey', 'refused', error.message, 'give an RSA, EC or Ed25519 private key');
    return undefined;
  }
}
