import { isIdentifier, isSecureUrl, type OptionChecks } from './option-checks.js';
import type { ClaimRules } from './token-issuer.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What the options of one issuer do not say. */
export interface ClaimRuleDefaults {
  readonly production: boolean;
  readonly defaultAudience: string | undefined;
  /** Longest life of its tokens; milliseconds. */
  readonly lifetime: number;
}

/** Checks what is believed of an issuer's tokens; what is wrong is reported. */
export function compileClaimRules(
  checks: OptionChecks,
  scheme: ClaimRules['scheme'],
  { production, defaultAudience, lifetime }: ClaimRuleDefaults,
): ClaimRules | undefined {
  const issuer = checkIssuerName(checks, scheme, production);
  const audiences = checkAudience(checks, checks.options['audience'] ?? defaultAudience);
  const clockSkew = checks.duration('clockSkew', 30 * SECOND, 0, 5 * MINUTE, '0 to 5m') / SECOND;
  const maxLifetime = checks.duration('maxLifetime', lifetime, SECOND, 24 * HOUR, '1s to 24h') / SECOND;
  const rest = {
    rolesClaim: checks.claimName('rolesClaim') ?? 'roles',
    roles: checks.names('roles'),
    scopes: checks.names('scopes'),
    tenantClaim: checks.claimName('tenantClaim'),
    claims: checks.claimNames('claims'),
  };
  if (issuer === undefined || audiences === undefined) return undefined;
  return { scheme, issuer, audiences, clockSkew, maxLifetime, ...rest };
}

function checkIssuerName(
  checks: OptionChecks,
  scheme: ClaimRules['scheme'],
  production: boolean,
): string | undefined {
  const { issuer } = checks.options;
  const fix = 'give the exact iss of the tokens, such as "https://id.example.com"';
  if (issuer === undefined) checks.report('issuer', 'missing', 'is missing', fix);
  else if (!isIdentifier(issuer)) checks.report('issuer', 'invalid', 'is no identifier of an issuer', fix);
  else if (scheme === 'oauth2' && !isSecureUrl(issuer))
    checks.report('issuer', 'insecure', 'is no https URL', fix);
  else if (production && /^http:/i.test(issuer))
    checks.report('issuer', 'insecure', 'is an http URL in production', 'use https');
  else return issuer;
  return undefined;
}

function checkAudience(checks: OptionChecks, audience: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  const fix = 'give the exact aud by which tokens name this application, such as "https://api.example.com"';
  if (audience === undefined || list.length === 0) checks.report('audience', 'missing', 'is missing', fix);
  else if (!list.every(isIdentifier))
    checks.report('audience', 'invalid', 'is no identifier; wildcards are not supported', fix);
  else return Object.freeze([...list]);
  return undefined;
}
