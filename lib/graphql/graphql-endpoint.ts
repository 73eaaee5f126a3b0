import { type AbstractGraphQLDriver, type GraphQLModule, GraphQLSchemaHost } from '@nestjs/graphql';
import type { GraphQLSchema } from 'graphql';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type PolicyMetadataKey, RouteMetadata } from '../policy/metadata.js';
import { compilePolicy, type PolicyParts } from '../policy/policy-compiler.js';
import type { PolicyEntry } from '../policy/policy-registry.js';
import type { RoutePolicy } from '../policy/route-policy.js';
import { type DriverOptions, opensSockets } from './driver-options.js';

/** The parts of a `GraphQLModule` as the container holds them. */
export interface DriverParts {
  readonly module: GraphQLModule;
  readonly driver: AbstractGraphQLDriver;
  readonly options: DriverOptions;
  readonly schemas: GraphQLSchemaHost;
}

/** Stands in the policies for all that is asked of a path, before it is known what. */
class GraphqlRequests {
  execute(this: void): void {}
}

class EndpointMetadata extends RouteMetadata {
  constructor() {
    super(GraphqlRequests, GraphqlRequests.prototype.execute);
  }

  override ofHandler<T>(key: PolicyMetadataKey): T | undefined {
    return key === 'public' ? (true as T) : super.ofHandler<T>(key);
  }
}

/** One path that a driver serves. */
export class GraphqlEndpoint {
  #policy: RoutePolicy | undefined;

  /** The driver had started before it could be secured. */
  readonly isLate: boolean;

  constructor(
    readonly path: string,
    readonly parts: DriverParts,
  ) {
    this.isLate = this.schema !== undefined;
  }

  /** Undefined until the driver has built it. */
  get schema(): GraphQLSchema | undefined {
    try {
      return this.parts.schemas.schema;
    } catch {
      return undefined;
    }
  }

  /** There from the end of the boot on. */
  get policy(): RoutePolicy {
    if (!this.#policy) throw new Error(`${this.path} has not been compiled yet`);
    return this.#policy;
  }

  /** @param isOpen whether some operation needs no credential; if none is, bodies of strangers are not read */
  compile(isOpen: boolean, parts: PolicyParts, problems: ConfigurationProblems): PolicyEntry {
    if (this.isLate) {
      const fix = 'do not make GraphQLModule global, or import GraphqlSecurityModule before it';
      problems.add('graphql.started-before', this.path, 'is served by a driver that started too early', fix);
    }
    if (opensSockets(this.parts.options)) {
      const fix = 'leave subscriptions out of the options of the driver, and use a gateway';
      problems.add('graphql.subscriptions', this.path, 'opens sockets that nobody guards', fix);
    }
    const metadata = new EndpointMetadata();
    const locations = ['POST', 'GET'].map((method) => ({
      method,
      path: this.path,
      version: undefined,
      host: undefined,
    }));
    const compiled = compilePolicy(metadata, 'execute', locations, parts, problems);
    this.#policy = Object.freeze({
      ...compiled,
      body: Object.freeze({ ...compiled.body, declared: true }),
      query: undefined,
      authentication: Object.freeze({
        ...compiled.authentication,
        mode: isOpen ? ('public' as const) : ('required' as const),
      }),
    });
    return { controller: metadata.controller, handler: metadata.handler, policy: this.#policy };
  }
}
