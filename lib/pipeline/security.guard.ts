import type { CanActivate, ExecutionContext } from '@nestjs/common';

import type { Authenticator } from '../authentication/authenticator.js';
import type { Authorizer } from '../authorization/authorizer.js';
import { SecurityError } from '../errors/security-error.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { PolicyRegistry } from '../policy/policy-registry.js';
import type { RateLimitRule, RateLimitRules, RoutePolicy } from '../policy/route-policy.js';
import { subjectFor } from '../rate-limit/limit-subject.js';
import { OwnLimits } from '../rate-limit/plans/own-limits.js';
import type { PlanResolver } from '../rate-limit/plans/plan-resolver.js';
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
    const state = requestStateOf(requestOf(context));
    const policy = this.registry.find(
      context.getClass(),
      context.getHandler() as unknown as (...args: never[]) => unknown,
    );
    // Neither can be missing in an application that has booted; if one is, nobody gets in (R-AU-13).
    if (!state || !policy) throw new SecurityError('FORBIDDEN', 'Not allowed', { reason: 'policy.missing' });
    state.policy = policy;
    const authenticated = this.authenticator.authenticate(state, policy);
    return authenticated === undefined
      ? this.#admit(context, state, policy)
      : authenticated.then(() => this.#admit(context, state, policy));
  }

  #admit(context: ExecutionContext, state: RequestState, policy: RoutePolicy): boolean | Promise<boolean> {
    const own = state.ownLimits ?? this.plans.rulesFor(state.principal, state.plan);
    return own instanceof Promise
      ? own.then((rules) => this.#limit(context, state, policy, rules))
      : this.#limit(context, state, policy, own);
  }

  #limit(
    context: ExecutionContext,
    state: RequestState,
    policy: RoutePolicy,
    own: readonly RateLimitRule[] | undefined,
  ): boolean | Promise<boolean> {
    const declared = rulesFor(state.request.method, policy);
    const rules = own === undefined ? declared : this.#ownLimits.combine(declared, own);
    const charged = this.limiter.charge(state, rules.early, undefined);
    return charged === undefined
      ? this.#authorize(context, state, policy, rules, own)
      : charged.then(() => this.#authorize(context, state, policy, rules, own));
  }

  #authorize(
    context: ExecutionContext,
    state: RequestState,
    policy: RoutePolicy,
    rules: RateLimitRules,
    own: readonly RateLimitRule[] | undefined,
  ): boolean | Promise<boolean> {
    const principal = state.principal;
    if (policy.authentication.mode === 'required') {
      if (!principal) throw this.authenticator.missing(state, policy);
      this.authorizer.authorize(state, policy, principal);
    }
    const read = this.bodies.receive(requestOf(context), state, policy);
    if (rules.late.length === 0 && rules.computed === undefined) return read ?? true;
    return this.#chargeLate(context, state, rules, own, read);
  }

  async #chargeLate(
    context: ExecutionContext,
    state: RequestState,
    { late, computed }: RateLimitRules,
    own: readonly RateLimitRule[] | undefined,
    read: undefined | Promise<true>,
  ): Promise<boolean> {
    await read;
    const request = requestOf(context);
    await this.limiter.charge(state, late, request);
    if (computed === undefined) return true;
    const { rules, keys, refusal } = await computed.resolve(context, subjectFor(state, request));
    const all = own === undefined ? rules : this.#ownLimits.combine(rules, own);
    const { params = {}, body } = request;
    await this.limiter.charge(state, all.early, { params, body, keys, refusal });
    return true;
  }
}

function requestOf(context: ExecutionContext): FrameworkRequest {
  return context.getArgByIndex<FrameworkRequest>(0);
}

function rulesFor(method: string | undefined, { rateLimit }: RoutePolicy) {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? rateLimit.read : rateLimit.write;
}
