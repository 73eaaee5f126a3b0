import type { SecurityClock } from '../clock.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';
import type { Principal } from '../principal/principal.js';
import { acceptedScheme } from '../policy/accepted-scheme.js';
import type { RoutePolicy, StepUpPolicy } from '../policy/route-policy.js';

/** Decides whether an authenticated principal may use the route. */
export class Authorizer {
  constructor(
    private readonly events: SecurityEvents,
    private readonly clock: SecurityClock,
  ) {}

  /** @throws SecurityError `INSUFFICIENT_SCOPE`, `FORBIDDEN`, or `UNAUTHENTICATED` for a login that is not enough */
  authorize(state: RequestState, policy: RoutePolicy, principal: Principal): void {
    const { scopes, roles, userOnly, stepUp } = policy.authorization;
    const ofScheme = acceptedScheme(policy.authentication, principal.scheme)?.scopes ?? [];
    if (!hasAll(principal.scopes, scopes) || !hasAll(principal.scopes, ofScheme)) {
      throw this.#insufficientScope(state, policy, [...new Set([...scopes, ...ofScheme])]);
    }
    if (userOnly && principal.type !== 'user') throw this.#forbidden(state, 'user-only');
    for (let i = 0; i < roles.length; i++) {
      if (!roles[i]!.some((role) => principal.roles.includes(role)))
        throw this.#forbidden(state, 'role.missing');
    }
    // Last, so that nobody logs in again for what he may not do in any case.
    if (stepUp && !meets(principal, stepUp, this.clock.now() / 1000)) throw this.#stepUp(state, policy);
  }

  #stepUp(state: RequestState, { authentication }: RoutePolicy): SecurityError {
    const reason = 'login.insufficient';
    this.events.emit('authorization.denied', { reason }, eventContextOf(state));
    const wanted = state.wireScheme === 'dpop' ? 'dpop' : 'bearer';
    const challenges = authentication.challenges.map((one) =>
      one.wireScheme === wanted ? (one.insufficientAuthentication ?? one.missing) : one.missing,
    );
    return new SecurityError('UNAUTHENTICATED', 'This needs a more recent or a stronger login', {
      reason,
      headers: { 'WWW-Authenticate': challenges },
    });
  }

  #insufficientScope(
    state: RequestState,
    policy: RoutePolicy,
    requiredScopes: readonly string[],
  ): SecurityError {
    const { wireScheme } = state;
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

function meets({ authenticatedAt, acr, amr }: Principal, demand: StepUpPolicy, now: number): boolean {
  const { maxAge } = demand;
  if (maxAge !== undefined && (authenticatedAt === undefined || now - authenticatedAt > maxAge)) return false;
  if (!demand.acr.every((group) => acr !== undefined && group.includes(acr))) return false;
  return hasAll(amr, demand.amr);
}

function hasAll(held: readonly string[], needed: readonly string[]): boolean {
  for (let i = 0; i < needed.length; i++) if (!held.includes(needed[i]!)) return false;
  return true;
}
