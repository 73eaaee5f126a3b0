import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryService,
  HttpAdapterHost,
  MetadataScanner,
  ModulesContainer,
} from '@nestjs/core';
import {
  AbstractGraphQLDriver,
  GRAPHQL_MODULE_OPTIONS,
  GraphQLModule,
  GraphQLSchemaHost,
} from '@nestjs/graphql';
import type { OperationTypeNode } from 'graphql';

import { SecurityInternals } from '../boot/security-internals.js';
import { answerTo } from '../errors/error-answer.js';
import { ClientAborted } from '../http/body/read-body.js';
import { eventContextOf } from '../http/request-context.js';
import type { RequestState } from '../http/request-state.js';
import type { FrameworkRequest } from '../pipeline/body-stage.js';
import { DocumentCheck } from './document-check.js';
import { type DriverOptions, secureDriver } from './driver-options.js';
import { installGate } from './gate-installer.js';
import { writeRefusal } from './graphql-answer.js';
import { type DriverParts, GraphqlEndpoint } from './graphql-endpoint.js';
import { GraphqlErrors } from './graphql-errors.js';
import { GraphqlGate } from './graphql-gate.js';
import {
  checkGraphqlOptions,
  completeGraphqlOptions,
  type GraphqlSecurityOptions,
} from './graphql-security.options.js';
import { GraphqlTransport } from './graphql-transport.js';
import { OperationCharges } from './operation-charges.js';
import { FieldMetadata } from './resolver-metadata.js';
import { exploreResolvers } from './resolver-explorer.js';
import { RootPolicies } from './root-policies.js';

export const GRAPHQL_SECURITY_OPTIONS = Symbol('nestjs-api-security.graphql-options');

/**
 * Begin reading here. Before any driver starts, every `GraphQLModule` of the application gets the gate before its path, the bounds among
 * its validation rules and the contract's errors; resolvers join the policies, and the one guard asks {@link GraphqlTransport} about them.
 */
@Injectable()
export class GraphqlSecurity implements OnModuleInit {
  constructor(
    @Inject(GRAPHQL_SECURITY_OPTIONS) private readonly options: GraphqlSecurityOptions,
    @Inject(SecurityInternals) private readonly internals: SecurityInternals,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
  ) {}

  /** Nest initialises global modules first, so that drivers start after this. */
  onModuleInit(): void {
    // A standalone application serves nobody.
    if (!this.host.httpAdapter) return;
    const { internals } = this;
    const settings = completeGraphqlOptions(this.options, internals.production);
    const documents = new DocumentCheck(settings);
    const errors = new GraphqlErrors(internals.reports);
    const roots = new RootPolicies();
    const endpoints = this.#drivers().map((parts) => new GraphqlEndpoint(this.#pathOf(parts.options), parts));
    const policyOf = (type: OperationTypeNode, field: string) =>
      roots.find(type, field) ?? endpoints[0]!.policy;
    const charges = new OperationCharges(policyOf, settings.complexity);
    const { stages, jsonLimits } = internals;
    const gate = new GraphqlGate({ stages, documents, charges, maxBatch: settings.maxBatch, jsonLimits });
    const explore = (schemas: Parameters<typeof exploreResolvers>[2]) =>
      exploreResolvers(this.discovery, this.scanner, schemas);
    const guardsFields = explore([]).some(
      ({ metadata }) => metadata instanceof FieldMetadata && metadata.isGuarded,
    );
    for (const endpoint of endpoints) {
      const { rule } = documents;
      secureDriver(endpoint.parts.options, {
        rule,
        errors,
        guardsFields,
        introspection: settings.introspection,
      });
      installGate(this.host.httpAdapter, endpoint.path, (request, state, response) =>
        this.#admit(gate, errors, endpoint, { request, state, response }),
      );
    }
    internals.transports.add(
      new GraphqlTransport({
        internals,
        errors,
        charges,
        roots,
        endpoints,
        explore,
        checkOptions: (problems) => checkGraphqlOptions(this.options, problems),
      }),
    );
  }

  async #admit(
    gate: GraphqlGate,
    errors: GraphqlErrors,
    endpoint: GraphqlEndpoint,
    { request, state, response }: { request: FrameworkRequest; state: RequestState; response: object },
  ): Promise<boolean> {
    try {
      await gate.admit(request, state, endpoint.policy);
      return true;
    } catch (error) {
      // Nobody is left to answer.
      if (error instanceof ClientAborted) return false;
      const answer = answerTo(error, true);
      errors.report(error, answer, eventContextOf(state));
      const { httpAdapter } = this.host;
      if (httpAdapter.isHeadersSent(response)) return false;
      const { status, headers, body } = writeRefusal(this.internals.writer, answer, state);
      for (const [name, value] of headers) httpAdapter.setHeader(response, name, value as string);
      httpAdapter.reply(response, body, status);
      return false;
    }
  }

  #drivers(): DriverParts[] {
    return [...this.modules.values()]
      .filter(({ metatype }) => metatype === GraphQLModule || metatype.prototype instanceof GraphQLModule)
      .map(({ metatype, providers }) => {
        const part = <T>(token: unknown) => providers.get(token as string)!.instance as T;
        return {
          module: part<GraphQLModule>(metatype),
          driver: part<AbstractGraphQLDriver>(AbstractGraphQLDriver),
          options: part<DriverOptions>(GRAPHQL_MODULE_OPTIONS),
          schemas: part<GraphQLSchemaHost>(GraphQLSchemaHost),
        };
      });
  }

  /** As the driver will make it of its options. */
  #pathOf({ path = '/graphql', useGlobalPrefix = false }: DriverOptions): string {
    const prefix = useGlobalPrefix ? this.config.getGlobalPrefix() : '';
    return normalized(prefix) + normalized(path);
  }
}

function normalized(path: string): string {
  const trimmed = path.replaceAll(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}
