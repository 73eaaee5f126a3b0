import { type ApiKeySettings, compileApiKeyOptions } from '../authentication/api-key/api-key.options.js';
import type { AuthenticationSetup } from '../authentication/authentication.policy.js';
import { compileTokenIssuers } from '../authentication/jwt/issuer-compiler.js';
import type { TokenIssuer } from '../authentication/jwt/token-issuer.js';
import { compileDpopOptions, type DpopSettings } from '../authentication/oauth2/dpop/dpop.options.js';
import type { OpaqueIssuer } from '../authentication/oauth2/introspection/introspection.options.js';
import { compileMtlsOptions } from '../authentication/oauth2/mtls.options.js';
import { compileOpaqueIssuer } from '../authentication/oauth2/opaque-issuer.js';
import { metadataLocation } from '../authentication/oauth2/resource-metadata.js';
import { compileTokenOptions, type TokenSettings } from '../authentication/jwt/token-settings.js';
import { type SecurityClock, systemClock } from '../clock.js';
import { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { checkErrorOptions } from '../errors/errors.options.js';
import { type PreparedHeaders, prepareHeaders } from '../headers/header-set.js';
import { compileEscapeJson } from '../http/answers.options.js';
import { type BodyEncoding, compileEncodings, compileMaxBody } from '../http/body.options.js';
import { compileConnectionCap, type ConnectionCap } from '../http/http.options.js';
import { compileJsonLimits, type JsonLimits } from '../http/json/json-limits.js';
import { compileLoadOptions, type LoadSettings } from '../load/load.options.js';
import { createMeter } from '../policy/limit-meter.js';
import type { CredentialScheme, RateLimitPolicy, RateLimitRule } from '../policy/route-policy.js';
import { checkRateLimitOptions } from '../rate-limit/rate-limit.options.js';
import { compileRateLimitPlans } from '../rate-limit/plans/rate-limit-plans.js';
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
  readonly issuers: readonly TokenIssuer[];
  readonly ownIssuer: TokenIssuer | undefined;
  /** Whose tokens are looked up there. */
  readonly opaqueIssuer: OpaqueIssuer | undefined;
  /** There if OAuth is configured. */
  readonly dpop: DpopSettings | undefined;
  /** In which a trusted proxy names the client's certificate; lower case. */
  readonly certificateHeader: string | undefined;
  readonly tokens: TokenSettings;
  readonly authentication: AuthenticationSetup;
  readonly headers: PreparedHeaders;
  readonly transport: TransportPolicy;
  readonly jsonLimits: JsonLimits;
  readonly maxBodyBytes: number;
  readonly encodings: readonly BodyEncoding[];
  readonly escapeJson: boolean;
  readonly connections: ConnectionCap | undefined;
  readonly load: LoadSettings | undefined;
  readonly plans: Map<string, readonly RateLimitRule[]>;
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
  'answers',
  'http',
  'errors',
  'load',
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
  const clock = options.clock ?? systemClock;
  const issuers = compileTokenIssuers(options, problems, { production, clock });
  const ownIssuer = issuers.find(({ signer }) => signer !== undefined);
  checkErrorOptions(options.errors, problems);
  checkValidationOptions(options.validation, problems);
  const realm = options.realm ?? 'api';
  const resource = URL.canParse(options.oauth2?.resource ?? '') ? options.oauth2?.resource : undefined;
  if (!/^[\x20-\x7e]{1,100}$/.test(realm))
    problems.add('realm', 'realm', 'is no short ASCII text', "write a name such as 'api'");
  const apiKeys = options.apiKeys && compileApiKeyOptions(options.apiKeys, problems);
  const dpop = options.oauth2 && compileDpopOptions(options.oauth2.dpop, resource, problems);
  return {
    options,
    clock,
    production,
    apiKeys,
    issuers,
    ownIssuer,
    opaqueIssuer: compileOpaqueIssuer(options.oauth2, production, problems, clock),
    dpop,
    certificateHeader: compileMtlsOptions(options.oauth2?.mtls, problems),
    tokens: compileTokenOptions(options.tokens, ownIssuer, problems),
    authentication: {
      schemes: schemesOf(options),
      realm,
      resourceMetadata: resource === undefined ? undefined : metadataLocation(resource).url,
      undecorated: options.undecorated ?? 'authenticate',
      dpop,
      describedScopes: options.oauth2?.scopes && Object.keys(options.oauth2.scopes),
    },
    headers: prepareHeaders(options.headers, problems),
    transport: compileTransport(options, production, problems),
    jsonLimits: compileJsonLimits(options.body?.json, problems),
    maxBodyBytes: compileMaxBody(options.body, problems),
    encodings: compileEncodings(options.body, problems),
    escapeJson: compileEscapeJson(options.answers, problems),
    connections: compileConnectionCap(options.http, problems),
    load: compileLoadOptions(options.load, problems),
    plans: compileRateLimitPlans(options.rateLimit?.plans, apiKeys?.plans, problems),
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

function compileLimits({ rateLimit }: SecurityOptions, problems: ConfigurationProblems) {
  const { read = '300/minute', write = '60/minute', failedAuthentication = '20/minute' } = rateLimit ?? {};
  const limits = Object.freeze({
    read: compileSetting(read, 'read', problems),
    write: compileSetting(write, 'write', problems),
  });
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
  // Guessing must not become free with an outage (R-RL-18).
  const isOpen = (failed?.meter.onStoreFailure ?? rateLimit?.onStoreFailure) === 'open';
  checkRateLimitOptions(rateLimit, problems);
  return {
    limits,
    addressRules: Object.freeze(byAddress(addressRules)),
    failedRule: failed && isOpen ? localWhenFailing(failed) : failed,
  };
}

function localWhenFailing(rule: RateLimitRule): RateLimitRule {
  return Object.freeze({ ...rule, meter: createMeter({ ...rule.meter, onStoreFailure: 'local' }) });
}

/** Ten times what one caller may do in a minute, so that an office full of them may share an address. */
function defaultAddressRules({ read, write }: RateLimitPolicy): RateLimitRule[] {
  const perMinute = ({ meter }: RateLimitRule) => (meter.limit * 60_000) / meter.windowMs;
  const rates = [...read.early, ...write.early].map(perMinute);
  if (rates.length === 0) return [];
  const limit = Math.min(1_000_000_000, Math.ceil(10 * rates.reduce((sum, rate) => sum + rate, 0)));
  const meter = createMeter({ bucket: 'address', limit, windowMs: 60_000 });
  return [{ name: 'address', meter, cost: 1, by: 'address', countOnly: undefined }];
}
