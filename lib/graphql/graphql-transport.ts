import type { ExecutionContext } from '@nestjs/common';
import { GqlExecutionContext } from '@nestjs/graphql';
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql';

import type { SecurityInternals } from '../boot/security-internals.js';
import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { answerTo } from '../errors/error-answer.js';
import { SecurityError } from '../errors/security-error.js';
import { eventContextOf } from '../http/request-context.js';
import { type RequestState, requestStateIn } from '../http/request-state.js';
import { refuseComputedLimits, refuseOutcomes, type SecuredTransport } from '../pipeline/transports.js';
import type { RouteMetadata } from '../policy/metadata.js';
import { compilePolicy, type PolicyParts } from '../policy/policy-compiler.js';
import type { PolicyEntry } from '../policy/policy-registry.js';
import type { RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { allRules } from '../rate-limit/rule-order.js';
import { sizeOf } from './document-shape.js';
import { showRefusal } from './graphql-answer.js';
import type { GraphqlEndpoint } from './graphql-endpoint.js';
import type { GraphqlErrors } from './graphql-errors.js';
import { sessionOf } from './graphql-sessions.js';
import type { OperationCharges } from './operation-charges.js';
import type { ExploredResolver } from './resolver-explorer.js';
import type { RootPolicies } from './root-policies.js';

/** What the transport is made of. */
export interface GraphqlTransportParts {
  readonly internals: SecurityInternals;
  readonly errors: GraphqlErrors;
  readonly charges: OperationCharges;
  readonly roots: RootPolicies;
  readonly endpoints: readonly GraphqlEndpoint[];
  /** Once their schemas have been built. */
  readonly explore: (schemas: readonly GraphQLSchema[]) => readonly ExploredResolver[];
  readonly checkOptions: (problems: ConfigurationProblems) => void;
}

/** Resolvers under the policies of their decorators: the caller is known from the gate, each field has its own demands. */
export class GraphqlTransport implements SecuredTransport {
  readonly type = 'graphql';

  constructor(private readonly parts: GraphqlTransportParts) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { registry } = this.parts.internals;
    const state = requestStateIn(GqlExecutionContext.create(context));
    const policy = registry.find(
      context.getClass(),
      context.getHandler() as unknown as (...args: never[]) => unknown,
    );
    // Whatever has not come through the gate, such as a socket that nobody guards, gets nothing (R-AU-13).
    if (!state || !policy || !sessionOf(state))
      throw new SecurityError('FORBIDDEN', 'Not allowed', { reason: 'policy.missing' });
    try {
      const charged = this.#decide(context, state, policy);
      if (charged === undefined) return true;
      return charged.then(
        () => true,
        (error: unknown) => this.#refuse(state, error),
      );
    } catch (error) {
      return this.#refuse(state, error);
    }
  }

  #decide(context: ExecutionContext, state: RequestState, policy: RoutePolicy): void | Promise<void> {
    const { authenticator, authorizer, limiter } = this.parts.internals.stages;
    // For the events, which are emitted before anything else can run.
    state.policy = policy;
    authenticator.recheck(state, policy);
    if (state.principal && policy.authentication.mode === 'required')
      authorizer.authorize(state, policy, state.principal);
    const rules = this.#rules(context, state, policy);
    return limiter.charge(state, rules, undefined);
  }

  /** The gate has charged what operations begin with, unless it could not see it. */
  #rules(context: ExecutionContext, state: RequestState, policy: RoutePolicy): readonly RateLimitRule[] {
    const isRoot = this.parts.roots.has(policy);
    if (isRoot && sessionOf(state)!.charged) return [];
    const { read, write } = policy.rateLimit;
    if (allRules(read).length + allRules(write).length === 0) return [];
    const resolver = GqlExecutionContext.create(context);
    const { operation, fieldName, fieldNodes, fragments } = resolver.getInfo<GraphQLResolveInfo>();
    const root = isRoot ? { name: fieldName, size: sizeOf(fieldNodes, fragments) } : undefined;
    const args = resolver.getArgs<Record<string, unknown> | undefined>() ?? {};
    return this.parts.charges.rulesOfField(state, policy, operation.operation, args, root);
  }

  #refuse(state: RequestState, error: unknown): never {
    const answer = answerTo(error, true);
    this.parts.errors.report(error, answer, eventContextOf(state));
    showRefusal(state, answer);
    throw error;
  }

  compile(parts: PolicyParts, problems: ConfigurationProblems): readonly PolicyEntry[] {
    const { endpoints, roots } = this.parts;
    this.parts.checkOptions(problems);
    const schemas = endpoints.map(({ schema }) => schema).filter((schema) => schema !== undefined);
    const entries = this.parts.explore(schemas).map(({ id, methodName, isRoot, metadata }) => {
      const policy = compilePolicy(metadata, methodName, [], parts, problems, id);
      refuseComputedLimits(policy, problems);
      if (isLimited(metadata)) refuseOutcomes(policy, 'graphql.count-only', problems);
      if (isRoot) roots.add(policy, problems);
      return { controller: metadata.controller, handler: metadata.handler, policy };
    });
    for (const schema of schemas) roots.check(schema, problems);
    const isOpen = roots.all.some(({ authentication }) => authentication.mode === 'public');
    return [...entries, ...endpoints.map((endpoint) => endpoint.compile(isOpen, parts, problems))];
  }
}

/** Whether it has limits of its own; those of the application hold for routes too. */
function isLimited(metadata: RouteMetadata): boolean {
  return (metadata.ofHandler('rateLimit') ?? metadata.ofController('rateLimit')) !== undefined;
}
