import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { GRAPHQL_SECURITY_OPTIONS, GraphqlSecurity } from './graphql-security.js';
import type { GraphqlSecurityOptions } from './graphql-security.options.js';

/**
 * Protects the resolvers of an application by the same decorators, policies and counters as its routes. Import it once, beside
 * `SecurityModule` and every `GraphQLModule`; without it resolvers are refused to everybody.
 *
 * @example
 * @Module({ imports: [SecurityModule.forRoot({ apiKeys: {} }), GraphqlSecurityModule.forRoot(), GraphQLModule.forRoot({ … })] })
 * export class AppModule {}
 */
@Module({})
export class GraphqlSecurityModule {
  /** What is wrong with the options or a resolver is told at boot, in the one SecurityConfigurationError. */
  static forRoot(options: GraphqlSecurityOptions = {}): DynamicModule {
    return {
      module: GraphqlSecurityModule,
      // So that it is initialised before the drivers.
      global: true,
      imports: [DiscoveryModule],
      providers: [{ provide: GRAPHQL_SECURITY_OPTIONS, useValue: options }, GraphqlSecurity],
    };
  }
}
