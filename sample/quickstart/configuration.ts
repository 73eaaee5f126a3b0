import { readTokenKey } from './auth/token-key.js';

/** What the environment decides about the quickstart. */
export interface QuickstartConfiguration {
  readonly port: number;
  readonly adapter: 'express' | 'fastify';
  /** What the adapter's own `trust proxy` option takes; `undefined` trusts nobody. */
  readonly trustProxy: string | number | boolean | undefined;
  readonly https: 'off' | 'reject' | 'redirect';
  /** Where redirects to HTTPS go. */
  readonly publicHost: string;
  /** Requests a minute. */
  readonly readLimit: number;
  readonly writeLimit: number;
  /** Where limits are counted by all processes together; `undefined` counts in this one's memory. */
  readonly redisUrl: string | undefined;
  /** Where API keys and sessions are kept: a file by default, or a database server. */
  readonly databaseUrl: string;
  /** Secret with which signing keys are encrypted in the database; base64. */
  readonly tokenKey: string;
  /** The password of both demo users. */
  readonly demoPassword: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the environment, so that a typing error stops the start instead of weakening the application.
 *
 * @throws Error that names the variable, what is wrong with it, and what it takes
 */
export function readConfiguration(environment: Environment): QuickstartConfiguration {
  return {
    port: wholeNumber(environment, 'PORT', 3000, 0, 65_535),
    adapter: oneOf(environment, 'ADAPTER', ['express', 'fastify'], 'express'),
    trustProxy: trustProxy(environment['TRUST_PROXY']),
    https: oneOf(environment, 'HTTPS', ['off', 'reject', 'redirect'], 'off'),
    publicHost: environment['PUBLIC_HOST'] || 'localhost',
    readLimit: wholeNumber(environment, 'READ_LIMIT', 100, 1, 1_000_000_000),
    writeLimit: wholeNumber(environment, 'WRITE_LIMIT', 20, 1, 1_000_000_000),
    redisUrl: redisUrl(environment['REDIS_URL'] || undefined),
    databaseUrl: databaseUrl(environment['DATABASE_URL'] || 'file:data/quickstart.db'),
    tokenKey: readTokenKey(
      environment['TOKEN_KEY'] || undefined,
      environment['TOKEN_KEY_FILE'] || 'data/token.key',
    ),
    demoPassword: environment['DEMO_PASSWORD'] || 'correct horse battery staple',
  };
}

function databaseUrl(text: string): string {
  if (/^(?:postgres|postgresql|mysql|mariadb|file|sqlite):/.test(text)) return text;
  throw new Error('DATABASE_URL must begin with postgres:, mysql:, mariadb: or file:.');
}

function redisUrl(text: string | undefined): string | undefined {
  if (text === undefined || /^rediss?:/.test(text)) return text;
  throw new Error('REDIS_URL must begin with redis: or rediss:.');
}

function wholeNumber(
  environment: Environment,
  name: string,
  otherwise: number,
  min: number,
  max: number,
): number {
  const text = environment[name];
  if (!text) return otherwise;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`${name} must be a whole number from ${min} to ${max}.`);
}

function oneOf<T extends string>(
  environment: Environment,
  name: string,
  allowed: readonly T[],
  otherwise: T,
): T {
  const text = environment[name];
  if (!text) return otherwise;
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new Error(`${name} must be one of: ${allowed.join(', ')}.`);
}

// A number counts hops, `true` and `false` are switches (the module refuses `true` at boot), anything else names proxies.
function trustProxy(text: string | undefined): string | number | boolean | undefined {
  if (!text) return undefined;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d{1,2}$/.test(text) ? Number(text) : text;
}
