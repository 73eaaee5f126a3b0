import { isScopeToken } from '../authentication/jwt/claim-checks.js';
import { isRawOptions, isSecureUrl, type OptionChecks } from '../authentication/jwt/option-checks.js';
import type { ResourceOptions } from './authorization-server.options.js';

/** Checks the scopes and their words; what is wrong is reported. */
export function scopesOf(checks: OptionChecks): Readonly<Record<string, string>> {
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

/** Checks the resources; what is wrong is reported. */
export function resourcesOf(
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
