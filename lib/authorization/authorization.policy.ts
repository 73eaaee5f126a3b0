import type { RouteMetadata } from '../policy/metadata.js';
import type { PolicyPart } from '../policy/policy-compiler.js';
import type { StepUpPolicy } from '../policy/route-policy.js';
import { StepUpInvalid, stepUpOf } from '../policy/step-up.js';

/** Scope grammar of RFC 6749 §3.3, as R-AZ-07 asks. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;

/** Compiles `@RequireScopes()`, `@RequireRoles()` and `@UserOnly()`: demands of class and method add up (R-AZ-01). */
export const authorizationPart: PolicyPart<'authorization'> = ({ metadata, where }, problems) => {
  const scopes = [...new Set(metadata.all<readonly string[]>('scopes').flat())];
  const schemes = metadata.all<{ scopes: readonly string[] }>('schemes');
  for (const scope of [...scopes, ...schemes.flatMap((scheme) => scheme.scopes)]) {
    if (!SCOPE.test(scope)) {
      problems.add(
        'policy.scope.grammar',
        where,
        'asks for a scope that no token can carry',
        'use visible ASCII without spaces, quotes and backslashes',
      );
    }
  }
  const roles = metadata.all<readonly string[]>('roles').map((group) => Object.freeze([...group]));
  const stepUp = validStepUpOf(metadata);
  return Object.freeze({
    scopes: Object.freeze(scopes),
    roles: Object.freeze(roles),
    userOnly: metadata.nearest<boolean>('userOnly') === true,
    ...(stepUp && { stepUp }),
  });
};

/** What is wrong with it the challenge has reported. */
function validStepUpOf(metadata: RouteMetadata): StepUpPolicy | undefined {
  try {
    return stepUpOf(metadata);
  } catch (error) {
    if (error instanceof StepUpInvalid) return undefined;
    throw error;
  }
}
