import type { OpaqueIssuer } from '../authentication/oauth2/introspection/introspection.options.js';
import type { ProxyTrustSetting } from '../http/proxy-trust.js';
import type { LimitMeter } from '../policy/limit-meter.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import type { ReportLine } from './boot-report.js';
import type { SecurityConfiguration } from './security-configuration.js';

const NOT_CONFIGURED = 'not configured';

/** What is on, in a line each; names and numbers only, no secrets. */
export function describeConfiguration(
  {
    apiKeys,
    issuers,
    ownIssuer,
    opaqueIssuer,
    options,
    transport,
    limits,
    addressRules,
    failedRule,
    maxBodyBytes,
    authentication,
  }: SecurityConfiguration,
  trust: ProxyTrustSetting | undefined,
): ReportLine[] {
  const named = (scheme: string) =>
    issuers.filter((one) => one.scheme === scheme).map(({ issuer }) => issuer);
  const read = [...limits.read.early, ...limits.read.late];
  const write = [...limits.write.early, ...limits.write.late];
  return [
    {
      feature: 'https',
      state: transport.mode === 'redirect' ? `redirect to ${transport.host ?? ''}` : transport.mode,
    },
    {
      feature: 'trusted proxies',
      state: trust === undefined || trust === false ? 'none' : describeTrust(trust),
    },
    { feature: 'headers', state: 'on every response' },
    {
      feature: 'api keys',
      state: apiKeys
        ? `${apiKeys.environment}, ${options.apiKeys?.store ? 'own store' : 'in memory'}`
        : NOT_CONFIGURED,
    },
    { feature: 'jwt', state: named('jwt').join(', ') || NOT_CONFIGURED },
    { feature: 'tokens', state: ownIssuer ? 'issued here' : NOT_CONFIGURED },
    { feature: 'oauth2', state: describeOAuth2([...named('oauth2')], opaqueIssuer) },
    {
      feature: 'no decorator',
      state: authentication.undecorated === 'refuse' ? 'refused at boot' : 'needs a credential',
    },
    { feature: 'limits', state: `read ${describeRules(read)}, write ${describeRules(write)}` },
    { feature: 'address limit', state: describeRules(addressRules) },
    { feature: 'failed logins', state: describeRules(failedRule ? [failedRule] : []) },
    { feature: 'limit storage', state: options.rateLimit?.storage ? 'own' : 'in memory' },
    { feature: 'validation', state: `strict, bodies up to ${maxBodyBytes} bytes` },
  ];
}

function describeOAuth2(issuers: string[], opaque: OpaqueIssuer | undefined): string {
  if (opaque) issuers.push(`${opaque.issuer} (introspection)`);
  return issuers.join(', ') || NOT_CONFIGURED;
}

function describeRules(rules: readonly RateLimitRule[]): string {
  if (rules.length === 0) return 'none';
  return rules.map(({ meter }) => describeMeter(meter)).join(' and ');
}

function describeMeter({ algorithm, limit, windowMs, burst, mode, dryRun }: LimitMeter): string {
  const parts = [algorithm === 'concurrency' ? `${limit} at once` : `${limit} in ${windowMs / 1_000} s`];
  if (algorithm === 'token-bucket') parts.push(`bursts of ${burst}`);
  if (algorithm === 'fixed-window') parts.push('fixed window');
  if (mode === 'lease') parts.push('leased');
  if (dryRun) parts.push('dry run');
  return parts.join(', ');
}

function describeTrust(trust: ProxyTrustSetting): string {
  if (typeof trust === 'function') return 'by a function';
  return typeof trust === 'number' ? `${trust} hops` : String(trust);
}
