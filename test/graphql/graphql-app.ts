import { ApolloDriver } from '@nestjs/apollo';
import type { DynamicModule, Type } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver } from '@nestjs/mercurius';
import { ApiKeyService, type SecurityOptions } from 'nestjs-api-security';
import { GraphqlSecurityModule, type GraphqlSecurityOptions } from 'nestjs-api-security/graphql';

import type { Adapter } from '../support/app.js';
import { type HttpResponse, send } from '../support/http-client.js';
import { TRUSTED } from '../support/reference-app.js';
import { startSecured } from '../support/secured-app.js';
import { OrdersResolver } from './orders.js';

/** Each driver on each adapter that it runs on. */
export const DRIVERS = [
  ['apollo', 'express'],
  ['apollo', 'fastify'],
  ['mercurius', 'fastify'],
] as const satisfies [string, Adapter][];
export type Driver = (typeof DRIVERS)[number];

export interface GraphqlError {
  readonly message: string;
  readonly path?: readonly string[];
  readonly extensions: Readonly<Record<string, unknown>> & { readonly code: string };
}

export interface GraphqlAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphqlError[];
}

export interface GraphqlAppOptions {
  readonly security?: SecurityOptions;
  readonly graphql?: GraphqlSecurityOptions;
  readonly driver?: object;
  readonly resolvers?: Type[];
  readonly imports?: (DynamicModule | Type)[];
}

export interface GraphqlApp {
  readonly port: number;
  readonly close: () => Promise<void>;
  key(scopes?: string[]): Promise<string>;
  get<T>(token: abstract new (...args: never[]) => T): T;
  ask(body: unknown, headers?: Record<string, string>): Promise<HttpResponse<GraphqlAnswer>>;
}

export function graphqlModule([driver]: Driver, options: object = {}): DynamicModule {
  return GraphQLModule.forRoot({
    driver: driver === 'apollo' ? ApolloDriver : MercuriusDriver,
    autoSchemaFile: true,
    ...(driver === 'apollo'
      ? { playground: false, allowBatchedHttpRequests: true }
      : { allowBatchedQueries: true }),
    ...options,
  });
}

/** Starts the resolvers of orders.ts behind the module. */
export async function startGraphql(driver: Driver, options: GraphqlAppOptions = {}): Promise<GraphqlApp> {
  const { app, port, close } = await startSecured(
    driver[1],
    { jwt: TRUSTED, ...options.security },
    {
      imports: [
        // Behind the driver, where order would matter if it did.
        graphqlModule(driver, options.driver),
        GraphqlSecurityModule.forRoot(options.graphql),
        ...(options.imports ?? []),
      ],
      providers: options.resolvers ?? [OrdersResolver],
    },
  );
  return {
    port,
    close,
    get: (token) => app.get(token as never),
    key: async (scopes = []) => (await app.get(ApiKeyService).issue({ owner: 'o', name: 'n', scopes })).key,
    ask: (body, headers = {}) =>
      send<GraphqlAnswer>(port, 'POST', '/graphql', {
        json: typeof body === 'string' ? { query: body } : body,
        headers,
      }),
  };
}
