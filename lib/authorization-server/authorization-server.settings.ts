import { createHash, randomBytes } from 'node:crypto';

import { KeyRefused, readSecret } from '../authentication/jwt/key-material.js';
import type { ManagedAlgorithm } from '../authentication/jwt/key-ring.js';
import { isSecureUrl, OptionChecks } from '../authentication/jwt/option-checks.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { createMeter, type LimitMeter } from '../policy/limit-meter.js';
import { compileLimit, type LimitText } from '../policy/limit-spec.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import type { AuthorizationServerOptions, ResourceOptions } from './authorization-server.options.js';
import { clientsOf } from './clients/configured-clients.js';
import type { RegisteredClient } from './clients/client-registration.js';
import type { AuthorizationPages, PageTheme } from './pages/page-views.js';
import { standardPages } from './pages/standard-pages.js';
import type { AuthorizationStore } from './records/authorization-store.js';
import { resourcesOf, scopesOf } from './resources.settings.js';
import { MemoryAuthorizationStore } from './records/memory-authorization-store.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

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
  readonly loginLimit: LimitMeter;
  readonly pageLimit: LimitMeter;
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
export function compileAuthorizationServer(
  options: AuthorizationServerOptions,
  limits: RateLimitStorage,
): AuthorizationServerSettings {
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
    const { limit = 1, windowMs = MINUTE } = compiled ?? {};
    return createMeter({ bucket: `authorization:${name}`, limit, windowMs });
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
    storage: options.storage ?? limits,
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
