import type { GraphQLSchema, OperationTypeNode } from 'graphql';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { RoutePolicy } from '../policy/route-policy.js';

const ROOTS = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;

/** The policies of all fields that an operation can begin with, by type and field. */
export class RootPolicies {
  readonly #byId = new Map<string, RoutePolicy>();
  readonly #all = new Set<RoutePolicy>();

  get all(): readonly RoutePolicy[] {
    return [...this.#all];
  }

  has(policy: RoutePolicy): boolean {
    return this.#all.has(policy);
  }

  find(type: OperationTypeNode, field: string): RoutePolicy | undefined {
    return this.#byId.get(`${ROOTS[type]}.${field}`);
  }

  add(policy: RoutePolicy, problems: ConfigurationProblems): void {
    if (this.#byId.has(policy.id)) {
      problems.add(
        'graphql.duplicate-field',
        `${policy.id} (${policy.handler})`,
        'is resolved by two methods, whose policies may differ',
        'give one of them another name',
      );
    }
    this.#byId.set(policy.id, policy);
    this.#all.add(policy);
  }

  /** Reports fields that no resolver class stands for: no guard would be asked about them (R-AZ-06). */
  check(schema: GraphQLSchema, problems: ConfigurationProblems): void {
    const types = {
      query: schema.getQueryType(),
      mutation: schema.getMutationType(),
      subscription: schema.getSubscriptionType(),
    };
    for (const [operation, type] of Object.entries(types)) {
      for (const field of Object.keys(type?.getFields() ?? {})) {
        if (this.find(operation as OperationTypeNode, field)) continue;
        problems.add(
          'graphql.unguarded-field',
          `${ROOTS[operation as OperationTypeNode]}.${field}`,
          'is resolved by no method of a class, so that no guard is asked about it',
          'make it a method of a @Resolver() class',
        );
      }
    }
  }
}
