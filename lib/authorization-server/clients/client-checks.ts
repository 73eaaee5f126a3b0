import { isSecureUrl } from '../../authentication/jwt/option-checks.js';
import { KeyRefused, readPublicKey } from '../../authentication/jwt/key-material.js';
import { isScopeToken } from '../../authentication/jwt/claim-checks.js';
import type { ErrorDetail } from '../../errors/security-error.js';
import { SecurityError } from '../../errors/security-error.js';
import {
  type ClientRegistration,
  GRANT_TYPES,
  type GrantType,
  type RegisteredClient,
} from './client-registration.js';
import { redirectUriProblem } from './redirect-uri.js';

/** What registrations are checked against. */
export interface KnownTargets {
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
}

const NAMES = new Set([
  'clientId',
  'name',
  'authentication',
  'jwks',
  'redirectUris',
  'scopes',
  'resources',
  'grantTypes',
  'verified',
  'dpopBound',
  'pushedRequests',
  'allowedOrigins',
  'resourceServer',
]);
const CLIENT_ID = /^client_[A-Za-z0-9_-]{1,64}$/;
const MAX_LIST = 50;
const KEY_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] as const;

/** Collects what is wrong with one registration. */
class Findings {
  readonly details: ErrorDetail[] = [];

  expect(holds: boolean, path: string, rule: string, message: string): void {
    if (!holds) this.details.push({ path, rule, message: `${path} ${message}` });
  }
}

/**
 * Checks a registration and completes it (R-AS-03, R-AS-09 to R-AS-12, R-AS-16).
 *
 * @throws SecurityError `VALIDATION_FAILED` with everything that is wrong
 */
export function completeRegistration(
  input: ClientRegistration,
  targets: KnownTargets | undefined,
  made: Pick<RegisteredClient, 'clientId' | 'createdAt'>,
): Omit<RegisteredClient, 'secretDigest'> {
  const findings = new Findings();
  const expect = findings.expect.bind(findings);
  for (const name of Object.keys(input)) expect(NAMES.has(name), name, 'whitelist', 'is unknown');
  const { clientId = made.clientId, name, authentication = 'secret', jwks, resourceServer } = input;
  expect(
    typeof clientId === 'string' && CLIENT_ID.test(clientId),
    'clientId',
    'matches',
    'begins with client_',
  );
  expect(isLabel(name), 'name', 'isLength', 'has 1 to 80 characters, and no line breaks');
  expect(
    ['secret', 'private-key', 'none'].includes(authentication),
    'authentication',
    'isIn',
    'is secret, private-key or none',
  );
  const list = (member: keyof ClientRegistration, byDefault: readonly string[]): readonly string[] => {
    const value: unknown = input[member] ?? byDefault;
    const good =
      Array.isArray(value) && value.length <= MAX_LIST && value.every((one) => typeof one === 'string');
    expect(good, member, 'isArray', `is no list of up to ${MAX_LIST} texts`);
    return good ? [...new Set(value)] : [];
  };
  const redirectUris = list('redirectUris', []);
  redirectUris.forEach((uri, i) => {
    const problem = redirectUriProblem(uri);
    expect(problem === undefined, `redirectUris[${i}]`, 'isRedirectUri', problem ?? '');
  });
  const isResource = (uri: string): boolean => (targets ? targets.resources.includes(uri) : isSecureUrl(uri));
  const scopes = list('scopes', []);
  scopes.forEach((scope, i) =>
    expect(
      isScopeToken(scope) && (targets?.scopes.includes(scope) ?? true),
      `scopes[${i}]`,
      'isIn',
      'is no scope of this server',
    ),
  );
  const resources = list('resources', []);
  resources.forEach((one, i) =>
    expect(isResource(one), `resources[${i}]`, 'isIn', 'is no resource of this server'),
  );
  const usual: readonly GrantType[] =
    redirectUris.length > 0 ? ['authorization_code', 'refresh_token'] : ['client_credentials'];
  const grantTypes = list('grantTypes', resourceServer === undefined ? usual : []) as readonly GrantType[];
  expect(
    grantTypes.every((one) => GRANT_TYPES.includes(one)),
    'grantTypes',
    'isIn',
    `holds something beside ${GRANT_TYPES.join(', ')}`,
  );
  expect(
    grantTypes.includes('authorization_code') === redirectUris.length > 0,
    'redirectUris',
    'isDefined',
    'and the grant type authorization_code go together',
  );
  expect(
    !grantTypes.includes('refresh_token') || grantTypes.includes('authorization_code'),
    'grantTypes',
    'isIn',
    'has refresh_token without authorization_code',
  );
  expect(
    authentication !== 'none' || !grantTypes.includes('client_credentials'),
    'grantTypes',
    'isIn',
    'has client_credentials, for which a client must authenticate',
  );
  expect(
    (authentication === 'private-key') === (jwks !== undefined),
    'jwks',
    'isDefined',
    'and the authentication private-key go together',
  );
  if (jwks !== undefined) expect(areKeys(jwks), 'jwks', 'isKeySet', 'is no set of 1 to 10 public keys');
  expect(
    resourceServer === undefined || (isResource(resourceServer) && authentication !== 'none'),
    'resourceServer',
    'isIn',
    'is no resource of this server, or the client does not authenticate',
  );
  const allowedOrigins = list('allowedOrigins', []);
  allowedOrigins.forEach((origin, i) =>
    expect(isOrigin(origin), `allowedOrigins[${i}]`, 'isOrigin', 'is no https origin'),
  );
  const { verified = false, dpopBound = false, pushedRequests = false } = input;
  for (const [member, value] of Object.entries({ verified, dpopBound, pushedRequests }))
    expect(typeof value === 'boolean', member, 'isBoolean', 'is neither true nor false');
  if (findings.details.length > 0)
    throw new SecurityError('VALIDATION_FAILED', 'The client cannot be registered so', {
      details: findings.details,
    });
  return {
    clientId,
    name,
    authentication,
    redirectUris,
    scopes,
    resources,
    grantTypes,
    verified,
    dpopBound,
    pushedRequests,
    allowedOrigins,
    createdAt: made.createdAt,
    ...(jwks && { jwks }),
    ...(resourceServer !== undefined && { resourceServer }),
  };
}

/** What is shown to people may not pretend to be several lines, nor turn its neighbours around. */
function isLabel(name: unknown): name is string {
  return typeof name === 'string' && /^[^\p{C}\p{Zl}\p{Zp}]{1,80}$/u.test(name) && name.trim() === name;
}

function isOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { origin: own, protocol, hostname } = new URL(origin);
  return own === origin && (protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname));
}

function areKeys(jwks: unknown): boolean {
  const keys = (jwks as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > 10) return false;
  try {
    for (const key of keys) readPublicKey(key, KEY_ALGORITHMS, true);
    return true;
  } catch (error) {
    if (error instanceof KeyRefused) return false;
    throw error;
  }
}
