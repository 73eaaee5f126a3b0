import type { CanActivate, ExecutionContext } from '@nestjs/common';

import type { Authenticator } from '../authentication/authenticator.js';
import type { Authorizer } from '../authorization/authorizer.js';
import { SecurityError } from '../errors/security-error.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { PolicyRegistry } from '../policy/policy-registry.js';
import type { RateLimitRules, RoutePolicy } from '../policy/route-policy.js';
import { subjectFor } from '../rate-limit/limit-subject.js';
import { OwnLimits } from '../rate-limit/own-limits.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { BodyStage, FrameworkRequest } from './body-stage.js';

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
    private readonly authorizer: Authorizer,
    private readonly bodies: BodyStage,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType<string>() !== 'http') {
      throw new SecurityError('FORBIDDEN', 'This transport is not protected', {
        reason: 'transport.unsupported',
      });
    }
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
      ? this.#admit(context, request, state, policy)
      : authenticated.then(() => this.#admit(context, request, state, policy));
  }

  #admit(
    context: ExecutionContext,
    request: FrameworkRequest,
    state: RequestState,
    policy: RoutePolicy,
  ): boolean | Promise<boolean> {
    const declared = rulesFor(state.request.method, policy);
    const own = state.ownLimits;
    const rules = own === undefined ? declared : this.#ownLimits.combine(declared, own);
    const charged = this.limiter.charge(state, rules.early, undefined);
    return charged === undefined
      ? this.#authorize(context, request, state, policy, rules)
      : charged.then(() => this.#authorize(context, request, state, policy, rules));
  }

  #authorize(
    context: ExecutionContext,
    request: FrameworkRequest,
    state: RequestState,
    policy: RoutePolicy,
    rules: RateLimitRules,
  ): boolean | Promise<boolean> {
    const principal = state.principal;
    if (policy.authentication.mode === 'required') {
      if (!principal) throw this.authenticator.missing(state, policy);
      this.authorizer.authorize(state, policy, principal);
    }
    const read = this.bodies.receive(request, state, policy);
    if (rules.late.length === 0 && rules.computed === undefined)
      return read === undefined ? true : read.then(() => true);
    return this.#chargeLate(context, request, state, rules, read);
  }

  async #chargeLate(
    context: ExecutionContext,
    request: FrameworkRequest,
    state: RequestState,
    { late, computed }: RateLimitRules,
    read: void | Promise<void>,
  ): Promise<boolean> {
    await read;
    await this.limiter.charge(state, late, request);
    if (computed === undefined) return true;
    const { rules, keys, refusal } = await computed.resolve(context, subjectFor(state, request));
    const { early: all } =
      state.ownLimits === undefined ? rules : this.#ownLimits.combine(rules, state.ownLimits);
    await this.limiter.charge(state, all, { ...partsOf(request), keys, refusal });
    return true;
  }
}

function partsOf({ params, body }: FrameworkRequest) {
  return { body, ...(params ? { params } : {}) };
}

function rulesFor(method: string | undefined, { rateLimit }: RoutePolicy) {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? rateLimit.read : rateLimit.write;
}
