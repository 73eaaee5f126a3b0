import { ServerResponse } from 'node:http';

import type { SecurityInternals } from '../boot/security-internals.js';
import { SecurityError } from '../errors/security-error.js';
import { RequestState } from '../http/request-state.js';
import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { OwnLimits } from '../rate-limit/plans/own-limits.js';
import { allRules } from '../rate-limit/rule-order.js';
import { countingAll } from '../rate-limit/rule-traits.js';
import { withAuthPayload } from './handshake.js';

/** Decides who may open a connection, under the policies of the gateways that will hear of it. */
export class Admission {
  readonly #own = new OwnLimits();

  constructor(private readonly internals: SecurityInternals) {}

  /**
   * Authenticates, charges and authorizes, in the order of a route. What is held in flight is given back with {@link release}.
   *
   * @throws SecurityError as a route does
   */
  async admit(state: RequestState, policies: readonly RoutePolicy[]): Promise<void> {
    const { authenticator, authorizer, limiter } = this.internals.stages;
    await this.identify(state, policies[0]!);
    await limiter.charge(state, this.#rules(policies, state.ownLimits), {});
    for (const policy of policies) {
      state.policy = policy;
      authenticator.recheck(state, policy);
      if (policy.authentication.mode === 'required') authorizer.authorize(state, policy, state.principal!);
    }
  }

  /** Gateways may share a place, and with it a limit: it is one connection all the same. */
  #rules(policies: readonly RoutePolicy[], own: readonly RateLimitRule[] | undefined): RateLimitRule[] {
    const counted = own?.map(countingAll);
    const all = policies.flatMap(({ rateLimit: { read } }) =>
      allRules(counted === undefined ? read : this.#own.combine(read, counted)),
    );
    return [...new Map(all.map((rule) => [rule.meter, rule])).values()];
  }

  /** Only finds out who is calling. */
  async identify(state: RequestState, policy: RoutePolicy): Promise<void> {
    state.policy = policy;
    const { authenticator, plans } = this.internals.stages;
    await authenticator.authenticate(state, policy);
    state.ownLimits ??= await plans.rulesFor(state.principal, state.plan);
  }
}

/** The state of a socket of socket.io: its handshake's, with the credential that came behind it. */
export function stateOfSocket(handshake: RequestState, auth: unknown): RequestState {
  const request = withAuthPayload(handshake.request, auth);
  const { address, addressKey, secure } = handshake;
  return new RequestState(request, new ServerResponse(request), address, addressKey, secure);
}

/** Tells the limiter that what a handshake has taken in flight is free again: nothing else ends a response that nobody sends. */
export function release({ response }: RequestState): void {
  response.emit('close');
}

/** The refusal of what no gateway stands behind. */
export function noGateway(): SecurityError {
  return new SecurityError('NOT_FOUND', 'Not Found', { reason: 'gateway.unknown' });
}
