import { type SecurityClock, systemClock } from '../../clock.js';
import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { compileClaimRules } from '../jwt/claim-rules.js';
import { isOpaque } from '../jwt/issuer-compiler.js';
import { isRawOptions, OptionChecks, type RawOptions } from '../jwt/option-checks.js';
import { compileIntrospection, type OpaqueIssuer } from './introspection/introspection.options.js';

const NAMES = [
  'issuer',
  'audience',
  'introspection',
  'allowPrivateAddresses',
  'clockSkew',
  'maxLifetime',
  'rolesClaim',
  'roles',
  'scopes',
  'tenantClaim',
  'claims',
];
const KEY_NAMES = ['publicKey', 'jwks', 'jwksFile', 'jwksUri', 'keyRefresh'];
const DAY_MS = 86_400_000;

/** Checks the one issuer of opaque tokens, if there is one; what is wrong is reported. */
export function compileOpaqueIssuer(
  oauth2: unknown,
  production: boolean,
  problems: ConfigurationProblems,
  clock: SecurityClock = systemClock,
): OpaqueIssuer | undefined {
  const { issuers, resource } = isRawOptions(oauth2) ? oauth2 : {};
  const list: readonly unknown[] = Array.isArray(issuers) ? issuers : [];
  const [first, second] = list.filter((one): one is RawOptions => isOpaque(one, 'oauth2'));
  if (first === undefined) return undefined;
  const where = `oauth2.issuers[${list.indexOf(first)}]`;
  if (second !== undefined) {
    const fix = 'keep one: nothing in an opaque token tells whose it is';
    problems.add('oauth2.introspection.several', 'oauth2.issuers', 'names several opaque issuers', fix);
  }
  if (list.some((one) => one !== first && isRawOptions(one) && one['issuer'] === first['issuer'])) {
    const fix = 'name each issuer once: its tokens must mean one thing only';
    problems.add('oauth2.issuer.repeated', where, 'names an issuer a second time', fix);
  }
  const checks = new OptionChecks(first, 'oauth2', where, problems);
  const { introspection: given } = first;
  // Keys are of use for signed answers alone.
  const isSigned = isRawOptions(given) && given['signed'] === true;
  checks.onlyKnown(isSigned ? [...NAMES, ...KEY_NAMES] : NAMES);
  const defaultAudience = typeof resource === 'string' ? resource : '';
  checks.flag('allowPrivateAddresses');
  const rules = compileClaimRules(checks, 'oauth2', { production, defaultAudience, lifetime: DAY_MS });
  const introspection = compileIntrospection(checks, production, clock);
  return rules && introspection && Object.freeze({ ...rules, introspection });
}
