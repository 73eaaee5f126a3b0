import type { CanActivate, ExecutionContext } from '@nestjs/common';

import type { Authenticator } from '../authentication/authenticator.js';
import type { Authorizer } from '../authorization/authorizer.js';
import { SecurityError } from '../errors/security-error.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { PolicyRegistry } from '../policy/policy-registry.js';
import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { OwnLimits } from '../rate-limit/own-limits.js';
import type { PlanResolver } from '../rate-limit/plan-resolver.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { BodyStage, FrameworkRequest } from './body-stage.js';
import type { Transports } from './transports.js';

/**
 * The one guard: finds the route's policy and goes through its demands in a fixed order (docs/architecture.md):
 * authentication, limits, authorization, query, body, limits that read the body.
 * Stays synchronous as long as nothing has to be waited for.
 */
export class SecurityGuard implements CanActivate {
  readonly #ownLimits = new OwnLimits();

  constructor(
    private readonly registry: PolicyRegistry,
    private readonly authenticator: Authenticator,
    private readonly limiter: RateLimiter,
    private readonly plans: PlanResolver,
    private readonly authorizer: Authorizer,
    private readonly bodies: BodyStage,
    private readonly transports: Transports,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType<string>() !== 'http') return this.transports.canActivate(context);
    const request = context.getArgByIndex<FrameworkRequest>(0);
    const state = requestStateOf(request);
    const policy = this.registry.find(
      context.getClass(),
      context.getHandler() as unknown as (...args: never[]) => unknown,
    );
    // Neither can be missing in an application that has booted; if one is, nobody gets in (R-AU-13).
    if (!state || !policy) throw new SecurityError('FORBIDDEN', 'Not allowed', { reason: 'policy.missing' });
    state.policy = policy;
    const authenticated = this.authenticator.authenticate(state, policy);
    return authenticated === undefined
      ? this.#admit(request, state, policy)
      : authenticated.then(() => this.#admit(request, state, policy));
  }

  #admit(request: FrameworkRequest, state: RequestState, policy: RoutePolicy): boolean | Promise<boolean> {
    const own = state.ownLimits ?? this.plans.rulesFor(state.principal, state.plan);
    return own instanceof Promise
      ? own.then((rules) => this.#limit(request, state, policy, rules))
      : this.#limit(request, state, policy, own);
  }

  #limit(
    request: FrameworkRequest,
    state: RequestState,
    policy: RoutePolicy,
    own: readonly RateLimitRule[] | undefined,
  ): boolean | Promise<boolean> {
    const declared = rulesFor(state.request.method, policy);
    const rules = own === undefined ? declared : this.#ownLimits.combine(declared, own);
    const charged = this.limiter.charge(state, rules.early, undefined);
    return charged === undefined
      ? this.#authorize(request, state, policy, rules.late)
      : charged.then(() => this.#authorize(request, state, policy, rules.late));
  }

  #authorize(
    request: FrameworkRequest,
    state: RequestState,
    policy: RoutePolicy,
    late: readonly RateLimitRule[],
  ): boolean | Promise<boolean> {
    const principal = state.principal;
    if (policy.authentication.mode === 'required') {
      if (!principal) throw this.authenticator.missing(state, policy);
      this.authorizer.authorize(state, policy, principal);
    }
    const read = this.bodies.receive(request, state, policy);
    if (late.length === 0) return read === undefined ? true : read.then(() => true);
    return this.#chargeLate(request, state, late, read);
  }

  async #chargeLate(
    request: FrameworkRequest,
    state: RequestState,
    late: readonly RateLimitRule[],
    read: void | Promise<void>,
  ): Promise<boolean> {
    await read;
    await this.limiter.charge(state, late, request);
    return true;
  }
}

function rulesFor(method: string | undefined, { rateLimit }: RoutePolicy) {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? rateLimit.read : rateLimit.write;
}
