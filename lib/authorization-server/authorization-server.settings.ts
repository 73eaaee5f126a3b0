import { createHash, randomBytes } from 'node:crypto';

import { isScopeToken } from '../authentication/jwt/claim-checks.js';
import { KeyRefused, readSecret } from '../authentication/jwt/key-material.js';
import type { ManagedAlgorithm } from '../authentication/jwt/key-ring.js';
import { isRawOptions, isSecureUrl, OptionChecks } from '../authentication/jwt/option-checks.js';
import { sha256 } from '../authentication/sha256.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { SecurityError } from '../errors/security-error.js';
import { compileLimit, type LimitText } from '../policy/limit-spec.js';
import { MemoryRateLimitStorage } from '../rate-limit/memory-rate-limit-storage.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import type { AuthorizationServerOptions, ResourceOptions } from './authorization-server.options.js';
import { completeRegistration } from './clients/client-checks.js';
import type { RegisteredClient } from './clients/client-registration.js';
import type { AuthorizationPages, PageTheme } from './pages/page-views.js';
import { standardPages } from './pages/standard-pages.js';
import type { AuthorizationStore } from './records/authorization-store.js';
import { MemoryAuthorizationStore } from './records/memory-authorization-store.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIN_SECRET_LENGTH = 43;

/** The options, checked and complete. */
export interface AuthorizationServerSettings {
  readonly issuer: string;
  readonly scopes: Readonly<Record<string, string>>;
  readonly resources: ReadonlyMap<string, Required<ResourceOptions>>;
  readonly store: AuthorizationStore;
  readonly encryptionKeys: readonly Uint8Array[];
  /** Signs cookies and the tokens of forms; derived from the encryption keys. */
  readonly cookieKeys: readonly string[];
  readonly authenticate: AuthorizationServerOptions['authenticate'];
  readonly findAccount: AuthorizationServerOptions['findAccount'];
  readonly clients: ReadonlyMap<string, RegisteredClient>;
  /** Milliseconds. */
  readonly lifetimes: Readonly<Record<'accessToken' | 'code' | 'refreshToken' | 'grant' | 'session', number>>;
  readonly signing: { readonly algorithm: ManagedAlgorithm; readonly rotateEvery: number };
  readonly requiresPushed: boolean;
  readonly nonceSecret: Uint8Array | undefined;
  readonly theme: PageTheme;
  readonly pages: AuthorizationPages;
  readonly storage: RateLimitStorage;
  readonly loginLimit: { readonly limit: number; readonly windowMs: number };
  readonly pageLimit: { readonly limit: number; readonly windowMs: number };
}

const WHERE = 'authorization-server';
const NAMES = [
  'issuer',
  'scopes',
  'resources',
  'store',
  'encryptionKey',
  'authenticate',
  'findAccount',
  'clients',
  'lifetimes',
  'signing',
  'pushedRequests',
  'dpopNonces',
  'theme',
  'pages',
  'storage',
  'loginLimit',
  'pageLimit',
  'production',
];

/**
 * Checks and completes the options (R-CF-01).
 * @throws SecurityConfigurationError with every problem
 */
export function compileAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServerSettings {
  const problems = new ConfigurationProblems();
  const checks = new OptionChecks(options as never, WHERE, 'AuthorizationServerModule', problems);
  checks.onlyKnown(NAMES);
  const production = options.production ?? process.env['NODE_ENV'] === 'production';
  checkIssuer(checks, production);
  for (const name of ['authenticate', 'findAccount'] as const) {
    if (typeof options[name] !== 'function')
      checks.report(name, 'missing', 'is no function', 'give one that looks into your accounts');
  }
  const scopes = scopesOf(checks);
  const resources = resourcesOf(checks, Object.keys(scopes), production);
  const encryptionKeys = encryptionKeysOf(checks);
  const known = { scopes: Object.keys(scopes), resources: [...resources.keys()] };
  const limitOf = (name: 'loginLimit' | 'pageLimit', byDefault: LimitText) => {
    const compiled = compileLimit(options[name] ?? byDefault, `AuthorizationServerModule.${name}`, problems);
    return { limit: compiled?.limit ?? 1, windowMs: compiled?.windowMs ?? MINUTE };
  };
  const { pushedRequests = 'optional' } = options;
  if (!['optional', 'required'].includes(pushedRequests))
    checks.report('pushedRequests', 'unknown', 'is none of the two', 'use "optional" or "required"');
  const { accent } = options.theme ?? {};
  if (accent !== undefined && !/^#[0-9a-fA-F]{6}$/.test(accent))
    checks.report(
      'theme',
      'accent',
      'has an accent that is no colour such as #0b57d0',
      'write one in hexadecimal',
    );
  const settings = {
    issuer: options.issuer,
    scopes,
    resources,
    store: options.store ?? new MemoryAuthorizationStore(),
    encryptionKeys,
    cookieKeys: encryptionKeys.map((key) => derived(key, 'cookies').toString('base64url')),
    authenticate: options.authenticate,
    findAccount: options.findAccount,
    clients: clientsOf(options, known, problems),
    lifetimes: lifetimesOf(options, problems),
    signing: signingOf(options, problems),
    requiresPushed: pushedRequests === 'required',
    nonceSecret: checks.flag('dpopNonces') ? derived(encryptionKeys[0]!, 'dpop nonces') : undefined,
    theme: options.theme ?? {},
    pages: { ...standardPages, ...options.pages },
    storage: options.storage ?? new MemoryRateLimitStorage(),
    loginLimit: limitOf('loginLimit', '5/minute'),
    pageLimit: limitOf('pageLimit', '300/minute'),
  };
  problems.throwIfAny();
  return settings;
}

function checkIssuer(checks: OptionChecks, production: boolean): void {
  const { issuer } = checks.options;
  const fix = 'give the origin under which browsers reach it, such as "https://id.example.com"';
  if (!isSecureUrl(issuer)) checks.report('issuer', 'insecure', 'is no https URL', fix);
  else if (production && issuer.startsWith('http:'))
    checks.report('issuer', 'insecure', 'is an http URL in production', fix);
  else if (new URL(issuer).origin !== issuer) checks.report('issuer', 'path', 'is more than an origin', fix);
}

function scopesOf(checks: OptionChecks): Readonly<Record<string, string>> {
  const { scopes } = checks.options;
  const fix = "describe each: { 'users:read': 'See the list of users' }";
  if (!isRawOptions(scopes) || Object.keys(scopes).length === 0) {
    checks.report('scopes', 'missing', 'names no scope', fix);
    return {};
  }
  for (const [name, text] of Object.entries(scopes)) {
    if (!isScopeToken(name) || name === 'openid' || name === 'offline_access')
      checks.report(
        'scopes',
        'name',
        `has ${JSON.stringify(name.slice(0, 40))}, which cannot be a scope`,
        fix,
      );
    if (typeof text !== 'string' || text.trim() === '')
      checks.report('scopes', 'words', `has no words for ${JSON.stringify(name.slice(0, 40))}`, fix);
  }
  return Object.freeze({ ...(scopes as Record<string, string>) });
}

function resourcesOf(
  checks: OptionChecks,
  allScopes: readonly string[],
  production: boolean,
): ReadonlyMap<string, Required<ResourceOptions>> {
  const { resources } = checks.options;
  const found = new Map<string, Required<ResourceOptions>>();
  const list: readonly unknown[] = Array.isArray(resources) ? resources : [];
  const fix = "give { identifier: 'https://api.example.com', name: 'Example' }";
  if (list.length === 0) checks.report('resources', 'missing', 'names no resource', fix);
  for (const one of list) {
    const { identifier, name, scopes = allScopes, tokenFormat = 'jwt' } = isRawOptions(one) ? one : {};
    if (!isSecureUrl(identifier) || (production && identifier.startsWith('http:')) || found.has(identifier)) {
      checks.report('resources', 'identifier', 'has an identifier that is no https URL, or comes twice', fix);
      continue;
    }
    if (typeof name !== 'string' || name === '')
      checks.report('resources', 'name', 'has a resource without a name', fix);
    const known = Array.isArray(scopes) && scopes.every((scope) => allScopes.includes(scope as string));
    if (!known) checks.report('resources', 'scopes', 'has scopes that are not described', fix);
    if (!['jwt', 'opaque'].includes(tokenFormat as string))
      checks.report('resources', 'tokenFormat', 'has a tokenFormat other than "jwt" and "opaque"', fix);
    found.set(identifier, {
      identifier,
      name: name as string,
      scopes: known ? (scopes as string[]) : [],
      tokenFormat: tokenFormat as 'jwt' | 'opaque',
    });
  }
  return found;
}

function encryptionKeysOf(checks: OptionChecks): readonly Uint8Array[] {
  const { encryptionKey, store } = checks.options;
  const fix = 'make one with crypto.randomBytes(32) and keep it where the store is not';
  const list: readonly unknown[] = Array.isArray(encryptionKey) ? encryptionKey : [encryptionKey];
  if (encryptionKey === undefined || list.length === 0) {
    if (store !== undefined)
      checks.report('encryptionKey', 'missing', 'is missing: what is stored would lie open', fix);
    return [randomBytes(32)];
  }
  try {
    return list.map((one) => readSecret(one, ['HS256']).key.export());
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    checks.report('encryptionKey', 'refused', 'holds no 32 random bytes', fix);
    return [randomBytes(32)];
  }
}

const derived = (key: Uint8Array, use: string): Buffer =>
  createHash('sha256').update(`authorization server ${use} `).update(key).digest();

function clientsOf(
  { clients = [] }: AuthorizationServerOptions,
  known: { readonly scopes: readonly string[]; readonly resources: readonly string[] },
  problems: ConfigurationProblems,
): ReadonlyMap<string, RegisteredClient> {
  const found = new Map<string, RegisteredClient>();
  clients.forEach(({ secret, ...input }, i) => {
    const where = `AuthorizationServerModule.clients[${i}]`;
    const code = `${WHERE}.client.invalid`;
    try {
      const client = completeRegistration(input, known, { clientId: input.clientId, createdAt: 0 });
      if ((client.authentication === 'secret') !== (secret !== undefined))
        problems.add(
          code,
          where,
          'has a secret without needing one, or none',
          'give it, from the environment',
        );
      else if (secret !== undefined && (typeof secret !== 'string' || secret.length < MIN_SECRET_LENGTH))
        problems.add(code, where, 'has a secret of less than 256 bits', 'make one with randomBytes(32)');
      if (found.has(client.clientId))
        problems.add(code, where, 'has the clientId of another', 'give each its own');
      found.set(client.clientId, { ...client, ...(secret && { secretDigest: sha256(secret) }) });
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      for (const { message } of error.extras.details ?? [])
        problems.add(code, where, message, 'see the documentation of ClientRegistration');
    }
  });
  return found;
}

function lifetimesOf({ lifetimes }: AuthorizationServerOptions, problems: ConfigurationProblems) {
  const where = 'AuthorizationServerModule.lifetimes';
  const checks = new OptionChecks({ ...lifetimes }, `${WHERE}.lifetimes`, where, problems);
  checks.onlyKnown(['accessToken', 'code', 'refreshToken', 'grant', 'session']);
  return {
    accessToken: checks.duration('accessToken', 10 * MINUTE, MINUTE, HOUR, '1m to 1h'),
    code: checks.duration('code', MINUTE, 10 * SECOND, 10 * MINUTE, '10s to 10m'),
    refreshToken: checks.duration('refreshToken', 30 * DAY, HOUR, 365 * DAY, '1h to 365d'),
    grant: checks.duration('grant', 180 * DAY, HOUR, 730 * DAY, '1h to 730d'),
    session: checks.duration('session', 8 * HOUR, 5 * MINUTE, 30 * DAY, '5m to 30d'),
  };
}

function signingOf({ signing }: AuthorizationServerOptions, problems: ConfigurationProblems) {
  const where = 'AuthorizationServerModule.signing';
  const checks = new OptionChecks({ ...signing }, `${WHERE}.signing`, where, problems);
  checks.onlyKnown(['algorithm', 'rotateEvery']);
  const { algorithm = 'ES256' } = checks.options;
  if (algorithm !== 'ES256' && algorithm !== 'EdDSA')
    checks.report('algorithm', 'unknown', 'is none of the two', 'use "ES256" or "EdDSA"');
  return {
    algorithm: algorithm as ManagedAlgorithm,
    rotateEvery: checks.duration('rotateEvery', 30 * DAY, HOUR, 365 * DAY, '1h to 365d'),
  };
}
