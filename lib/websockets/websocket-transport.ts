import type { ExecutionContext } from '@nestjs/common';

import type { SecurityInternals } from '../boot/security-internals.js';
import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { SecurityError } from '../errors/security-error.js';
import type { SecuredTransport } from '../pipeline/transports.js';
import type { PolicyParts } from '../policy/policy-compiler.js';
import type { PolicyEntry } from '../policy/policy-registry.js';
import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { OwnLimits } from '../rate-limit/plans/own-limits.js';
import { allRules } from '../rate-limit/rule-order.js';
import { countingAll, isPlace } from '../rate-limit/rule-traits.js';
import { type Connection, connectionOf } from './connections.js';

/** Messages under the policies of their handlers: the caller is known from the handshake, and looked at again each time. */
export class WebsocketTransport implements SecuredTransport {
  readonly type = 'ws';
  readonly #own = new OwnLimits();

  constructor(
    private readonly internals: SecurityInternals,
    /** All gateways and their handlers, and whatever else has to be told at boot. */
    private readonly compileAll: (
      parts: PolicyParts,
      problems: ConfigurationProblems,
    ) => readonly PolicyEntry[],
  ) {}

  canActivate(context: ExecutionContext): Promise<boolean> {
    const connection = connectionOf(context.getArgByIndex<object>(0));
    const policy = this.internals.registry.find(
      context.getClass(),
      context.getHandler() as unknown as (...args: never[]) => unknown,
    );
    // A socket that nobody has admitted, or a handler that nobody knows, gets nothing (R-AU-13).
    if (!connection || !policy)
      throw new SecurityError('FORBIDDEN', 'Not allowed', { reason: 'policy.missing' });
    return this.#decide(connection, policy, context.getArgByIndex(1));
  }

  async #decide(connection: Connection, policy: RoutePolicy, data: unknown): Promise<boolean> {
    const { authenticator, authorizer, limiter } = this.internals.stages;
    const { state } = connection;
    state.policy = policy;
    await connection.owner.renew(connection);
    const { write } = policy.rateLimit;
    const own = ofMessages(state.ownLimits);
    const rules = own === undefined ? write : this.#own.combine(write, own);
    await limiter.charge(state, allRules(rules), { body: data });
    // For the events, which are emitted before anything else can run.
    state.policy = policy;
    authenticator.recheck(state, policy);
    if (policy.authentication.mode === 'required') authorizer.authorize(state, policy, state.principal!);
    return true;
  }

  compile(parts: PolicyParts, problems: ConfigurationProblems): readonly PolicyEntry[] {
    return this.compileAll(parts, problems);
  }
}

const OF_MESSAGES = new WeakMap<readonly RateLimitRule[], readonly RateLimitRule[]>();

/** What limits that came with a credential say of messages: these are in flight for no time that anybody could tell, and have no outcome. */
function ofMessages(own: readonly RateLimitRule[] | undefined): readonly RateLimitRule[] | undefined {
  if (own === undefined) return undefined;
  let rules = OF_MESSAGES.get(own);
  if (rules === undefined)
    OF_MESSAGES.set(own, (rules = own.filter((rule) => !isPlace(rule)).map(countingAll)));
  return rules.length === 0 ? undefined : rules;
}
