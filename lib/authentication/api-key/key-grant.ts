import { SecurityError } from '../../errors/security-error.js';
import type { Principal } from '../../principal/principal.js';

/** The scope without which an API key may not make or change keys, whatever else it may do (R-AK-15). */
export const MANAGE_KEYS_SCOPE = 'api-keys:manage';

/** The rights that a key shall get. */
export interface KeyGrant {
  readonly scopes: readonly string[];
  readonly roles?: readonly string[];
  readonly tenant?: string;
}

/**
 * Makes sure that nobody gives a key more than they have: scopes, roles and tenant stay inside the maker's own, and a maker
 * that is a key itself needs `api-keys:manage` (R-AK-15).
 *
 * @param wanted the rights of the new key; a list of scopes alone leaves the tenant out of consideration
 * @throws SecurityError `FORBIDDEN`
 */
export function assertWithinGrant(principal: Principal, wanted: readonly string[] | KeyGrant): void {
  const grant: KeyGrant = 'scopes' in wanted ? wanted : { scopes: wanted };
  if (principal.type === 'api-key' && !principal.scopes.includes(MANAGE_KEYS_SCOPE)) {
    throw forbidden('A key may not manage keys');
  }
  if (!grant.scopes.every((scope) => principal.scopes.includes(scope))) {
    throw forbidden('A key cannot have scopes that its maker lacks');
  }
  if (!(grant.roles ?? []).every((role) => principal.roles.includes(role))) {
    throw forbidden('A key cannot have roles that its maker lacks');
  }
  if ('scopes' in wanted && grant.tenant !== principal.tenant) {
    throw forbidden('A key cannot belong to another tenant than its maker');
  }
}

function forbidden(message: string): SecurityError {
  return new SecurityError('FORBIDDEN', message, { reason: 'key.grant' });
}
