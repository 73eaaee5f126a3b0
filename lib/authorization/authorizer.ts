import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';
import type { Principal } from '../principal/principal.js';
import { acceptedScheme } from '../policy/accepted-scheme.js';
import type { RoutePolicy } from '../policy/route-policy.js';

/** Decides whether an authenticated principal may use the route. */
export class Authorizer {
  constructor(private readonly events: SecurityEvents) {}

  /** @throws SecurityError `INSUFFICIENT_SCOPE` or `FORBIDDEN` */
  authorize(state: RequestState, policy: RoutePolicy, principal: Principal): void {
    const { scopes, roles, userOnly } = policy.authorization;
    const ofScheme = acceptedScheme(policy.authentication, principal.scheme)?.scopes ?? [];
    if (!hasAll(principal.scopes, scopes) || !hasAll(principal.scopes, ofScheme)) {
      throw this.#insufficientScope(state, policy, principal, [...new Set([...scopes, ...ofScheme])]);
    }
    if (userOnly && principal.type !== 'user') throw this.#forbidden(state, 'user-only');
    for (let i = 0; i < roles.length; i++) {
      if (!roles[i]!.some((role) => principal.roles.includes(role)))
        throw this.#forbidden(state, 'role.missing');
    }
  }

  #insufficientScope(
    state: RequestState,
    policy: RoutePolicy,
    principal: Principal,
    requiredScopes: readonly string[],
  ): SecurityError {
    const wireScheme = principal.scheme === 'api-key' ? 'api-key' : 'bearer';
    const challenge = policy.authentication.challenges.find((one) => one.wireScheme === wireScheme);
    this.events.emit(
      'authorization.denied',
      { reason: 'scope.missing', requiredScopes },
      eventContextOf(state),
    );
    return new SecurityError('INSUFFICIENT_SCOPE', 'The credential lacks a scope that this route needs', {
      requiredScopes,
      ...(challenge ? { headers: { 'WWW-Authenticate': challenge.insufficientScope } } : {}),
    });
  }

  #forbidden(state: RequestState, reason: string): SecurityError {
    this.events.emit('authorization.denied', { reason }, eventContextOf(state));
    return new SecurityError('FORBIDDEN', 'Not allowed', { reason });
  }
}

function hasAll(held: readonly string[], needed: readonly string[]): boolean {
  for (let i = 0; i < needed.length; i++) if (!held.includes(needed[i]!)) return false;
  return true;
}
