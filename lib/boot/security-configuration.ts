import { type ApiKeySettings, compileApiKeyOptions } from '../authentication/api-key/api-key.options.js';
import type { AuthenticationSetup } from '../authentication/authentication.policy.js';
import { compileIssuer, type JwtIssuer } from '../authentication/jwt/jwt-issuer.js';
import type { JwtOptions } from '../authentication/jwt/jwt.options.js';
import { compileTokenOptions, type TokenSettings } from '../authentication/jwt/token-settings.js';
import { type SecurityClock, systemClock } from '../clock.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { checkErrorOptions } from '../errors/errors.options.js';
import { type PreparedHeaders, prepareHeaders } from '../headers/header-set.js';
import { compileMaxBody } from '../http/body.options.js';
import { compileJsonLimits, type JsonLimits } from '../http/json/json-limits.js';
import type { CredentialScheme, RateLimitPolicy, RateLimitRule } from '../policy/route-policy.js';
import { compileSetting } from '../rate-limit/rate-limit.policy.js';
import type { SecurityOptions } from '../security-options.js';
import type { TransportPolicy } from '../transport/https-policy.js';
import { compileTransport } from '../transport/transport.options.js';

import { checkValidationOptions } from '../validation/validation.options.js';

/** All options, checked and complete: what the rest of the boot builds from. */
export interface SecurityConfiguration {
  readonly options: SecurityOptions;
  readonly clock: SecurityClock;
  readonly production: boolean;
  readonly apiKeys: ApiKeySettings | undefined;
  readonly issuers: readonly JwtIssuer[];
  readonly ownIssuer: JwtIssuer | undefined;
  readonly tokens: TokenSettings;
  readonly authentication: AuthenticationSetup;
  readonly headers: PreparedHeaders;
  readonly transport: TransportPolicy;
  readonly jsonLimits: JsonLimits;
  readonly maxBodyBytes: number;
  readonly limits: RateLimitPolicy;
  readonly addressRules: readonly RateLimitRule[];
  readonly failedRule: RateLimitRule | undefined;
}

const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'apiKeys',
  'jwt',
  'tokens',
  'oauth2',
  'rateLimit',
  'headers',
  'validation',
  'body',
  'errors',
  'proxy',
  'undecorated',
  'realm',
  'logger',
  'production',
  'clock',
  'https',
  'publicHost',
] satisfies (keyof SecurityOptions)[]);

/** Checks every option and compiles it; nothing is thrown, all problems are collected. */
export function compileConfiguration(
  options: SecurityOptions,
  problems: ConfigurationProblems,
): SecurityConfiguration {
  for (const name of Object.keys(options)) {
    if (!KNOWN_OPTIONS.has(name))
      problems.add(
        'options.unknown',
        name,
        'is not an option',
        `use one of ${[...KNOWN_OPTIONS].join(', ')}`,
      );
  }
  // The one place that looks at the environment; `production` overrides it.
  const production = options.production ?? process.env['NODE_ENV'] === 'production';
  const issuers = compileIssuers(options, production, problems);
  const signers = issuers.filter(({ signer }) => signer !== undefined);
  if (signers.length > 1)
    problems.add(
      'jwt.several-signers',
      'jwt',
      'has several issuers with a signingKey',
      'keep one: TokenService issues for one issuer',
    );
  checkErrorOptions(options.errors, problems);
  checkValidationOptions(options.validation, problems);
  const realm = options.realm ?? 'api';
  if (!/^[\x20-\x7e]{1,100}$/.test(realm))
    problems.add('realm', 'realm', 'is no short ASCII text', "write a name such as 'api'");
  return {
    options,
    clock: options.clock ?? systemClock,
    production,
    apiKeys: options.apiKeys && compileApiKeyOptions(options.apiKeys, problems),
    issuers,
    ownIssuer: signers[0],
    tokens: compileTokenOptions(options.tokens, signers[0], problems),
    authentication: {
      schemes: schemesOf(options),
      realm,
      resourceMetadata: undefined,
      undecorated: options.undecorated ?? 'authenticate',
    },
    headers: prepareHeaders(options.headers, problems),
    transport: compileTransport(options, production, problems),
    jsonLimits: compileJsonLimits(options.body?.json, problems),
    maxBodyBytes: compileMaxBody(options.body, problems),
    ...compileLimits(options, problems),
  };
}

function schemesOf({ apiKeys, jwt, oauth2 }: SecurityOptions): CredentialScheme[] {
  return [
    ...(apiKeys ? (['api-key'] as const) : []),
    ...(jwt ? (['jwt'] as const) : []),
    ...(oauth2 ? (['oauth2'] as const) : []),
  ];
}

function listOf(jwt: JwtOptions | undefined) {
  if (jwt === undefined) return [];
  return Array.isArray(jwt)
    ? (jwt as readonly Exclude<JwtOptions, readonly unknown[]>[])
    : [jwt as Exclude<JwtOptions, readonly unknown[]>];
}

function compileIssuers(
  { jwt, oauth2 }: SecurityOptions,
  production: boolean,
  problems: ConfigurationProblems,
): JwtIssuer[] {
  const own = listOf(jwt).map((options, index) => {
    const where = Array.isArray(jwt) ? `jwt[${index}]` : 'jwt';
    return compileIssuer(options, 'jwt', where, production, problems);
  });
  const foreign = (oauth2?.issuers ?? []).map((options, index) =>
    compileIssuer(options, 'oauth2', `oauth2.issuers[${index}]`, production, problems),
  );
  if (oauth2 && !isResource(oauth2.resource)) {
    problems.add(
      'oauth2.resource',
      'oauth2.resource',
      'is no https URL without fragment',
      'give the URL under which clients know this API',
    );
  }
  if (oauth2 && foreign.length === 0)
    problems.add('oauth2.issuers', 'oauth2.issuers', 'is empty', 'name an authorization server');
  const issuers = [...own, ...foreign].filter((issuer) => issuer !== undefined);
  const names = issuers.map(({ rules }) => rules.issuer);
  if (new Set(names).size < names.length) {
    problems.add(
      'jwt.issuer.twice',
      'jwt',
      'names one issuer twice',
      'give each issuer one entry: its tokens go to one verifier',
    );
  }
  return issuers;
}

function isResource(resource: string): boolean {
  return URL.canParse(resource) && new URL(resource).protocol === 'https:' && !resource.includes('#');
}

function compileLimits({ rateLimit }: SecurityOptions, problems: ConfigurationProblems) {
  const { read = '300/minute', write = '60/minute', failedAuthentication = '20/minute' } = rateLimit ?? {};
  const limits = {
    read: compileSetting(read, 'read', problems),
    write: compileSetting(write, 'write', problems),
  };
  const byAddress = (rules: readonly RateLimitRule[]) =>
    rules.map((rule) => Object.freeze({ ...rule, by: 'address' as const }));
  const addressRules =
    rateLimit?.address === undefined
      ? defaultAddressRules(limits)
      : compileSetting(rateLimit.address, 'address', problems).early;
  const failed =
    failedAuthentication === false
      ? undefined
      : compileSetting(failedAuthentication, 'failedAuthentication', problems).early[0];
  return { limits, addressRules: Object.freeze(byAddress(addressRules)), failedRule: failed };
}

/** Ten times what one caller may do in a minute, so that an office full of them may share an address. */
function defaultAddressRules({ read, write }: RateLimitPolicy): RateLimitRule[] {
  const perMinute = ({ limit, windowMs }: RateLimitRule) => (limit * 60_000) / windowMs;
  const rates = [...read.early, ...write.early].map(perMinute);
  if (rates.length === 0) return [];
  const limit = Math.min(1_000_000_000, Math.ceil(10 * rates.reduce((sum, rate) => sum + rate, 0)));
  return [{ name: 'address', bucket: '7:address:', limit, windowMs: 60_000, cost: 1, by: 'address' }];
}
