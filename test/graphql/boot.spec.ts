import { Args, Field, InputType, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Throttle } from '@nestjs/throttler';
import { IsInt } from 'class-validator';
import { arrayOf, Public, RateLimit, RequireScopes, SecurityConfigurationError } from 'nestjs-api-security';
import type { GraphqlSecurityOptions } from 'nestjs-api-security/graphql';
import { describe, expect, it } from 'vitest';

import { type Driver, type GraphqlAppOptions, graphqlModule, startGraphql } from './graphql-app.js';

const APOLLO: Driver = ['apollo', 'express'];

async function problemsOf(options: GraphqlAppOptions): Promise<string[]> {
  try {
    const app = await startGraphql(APOLLO, options);
    await app.close();
    return [];
  } catch (error) {
    if (!(error instanceof SecurityConfigurationError)) throw error;
    return error.problems.map(({ code, where }) => `${code} ${where}`).toSorted();
  }
}

@InputType()
class Item {
  @IsInt() @Field(() => Int) count!: number;
}

@InputType()
class Unruled {
  @Field(() => Int) count!: number;
}

describe('boot of GraphQL', () => {
  it('R-CF-01 R-RL-19 a resolver cannot count failures alone: an answer with errors is a 200, and its limit would be off', async () => {
    @Public()
    @Resolver()
    class Login {
      @RateLimit({ limit: 5, window: '1m', countOnly: 'failures' }) @Mutation(() => String) login() {
        return '';
      }

      @Query(() => String) one() {
        return '';
      }
    }
    expect(await problemsOf({ resolvers: [Login] })).toEqual([
      'graphql.count-only Mutation.login (Login.login)',
    ]);
  });

  it('R-CF-01 tells what contradicts itself in one error', async () => {
    @Resolver()
    class Wrong {
      @Public() @RequireScopes('a') @Query(() => String) one() {
        return '';
      }

      @Public() @RateLimit('5/minute', { cost: 6 }) @Query(() => String) two() {
        return '';
      }

      @Public() @Mutation(() => String) three(@Args('input') _input: Unruled) {
        return '';
      }

      @Public() @Mutation(() => String) four(@Args('items', { type: () => [Item] }) _items: Item[]) {
        return '';
      }
    }
    const graphql = { maxDepth: 0, maxAlias: 3, complexity: 2, introspection: 'no' };
    expect(
      await problemsOf({ resolvers: [Wrong], graphql: graphql as unknown as GraphqlSecurityOptions }),
    ).toEqual([
      'graphql.bound GraphqlSecurityModule maxDepth',
      'graphql.complexity GraphqlSecurityModule complexity',
      'graphql.introspection GraphqlSecurityModule introspection',
      'graphql.unknown-option GraphqlSecurityModule maxAlias',
      'policy.public.with-demands Query.one (Wrong.one)',
      'policy.rate-limit.cost Query.two (Wrong.two)',
      'validation.no-rules Mutation.three (Wrong.three), parameter 1 (body)',
      'validation.undeclared Mutation.four (Wrong.four), parameter 1 (body)',
    ]);
  });

  it('takes what the schema or a pipe types', async () => {
    @Resolver()
    class Right {
      @Public() @Query(() => String) ids(@Args('ids', { type: () => [String] }) _ids: string[]) {
        return '';
      }

      @Public() @Query(() => String) nullable(
        @Args('n', { type: () => Int, nullable: true }) _n: number | null,
      ) {
        return '';
      }

      @Public() @Query(() => String) items(
        @Args('items', { type: () => [Item] }, arrayOf(Item)) _items: Item[],
      ) {
        return '';
      }
    }
    expect(await problemsOf({ resolvers: [Right] })).toEqual([]);
  });

  it('R-AZ-06 refuses to start with a field that no guard is asked about', async () => {
    const driver = {
      autoSchemaFile: false,
      typeDefs: 'type Query { hello: String bare: String }',
      resolvers: { Query: { bare: () => 'open to everybody' } },
    };
    @Resolver()
    class Hello {
      @Public() @Query('hello') hello() {
        return 'hello';
      }
    }
    expect(await problemsOf({ resolvers: [Hello], driver })).toEqual(['graphql.unguarded-field Query.bare']);
  });

  it.each([
    ['subscriptions', { subscriptions: { 'graphql-ws': true } }],
    ['installSubscriptionHandlers', { installSubscriptionHandlers: true }],
  ])('R-AZ-06 refuses to start with sockets that nobody guards: %s', async (_, driver) => {
    expect(await problemsOf({ driver })).toEqual(['graphql.subscriptions /graphql']);
  });

  it('R-AZ-06 the same with Mercurius', async () => {
    const starting = startGraphql(['mercurius', 'fastify'], { driver: { subscription: true } });
    await expect(starting).rejects.toThrow('graphql.subscriptions');
  });

  it('refuses limits whose functions know nothing of resolvers', async () => {
    @Resolver()
    class Throttled {
      @Public() @Throttle({ default: { limit: () => 5, ttl: 1_000 } }) @Query(() => String) hello() {
        return 'hello';
      }
    }
    expect(await problemsOf({ resolvers: [Throttled] })).toEqual([
      'policy.rate-limit.computed Query.hello (Throttled.hello)',
    ]);
  });

  it('refuses a driver that started before it could be secured', async () => {
    @Resolver()
    class Hello {
      @Public() @Query(() => String) hello() {
        return 'hello';
      }
    }
    const early = { ...graphqlModule(APOLLO, { path: '/early' }), global: true };
    const problems = await problemsOf({ resolvers: [Hello], imports: [early] });
    // Whether Nest starts it first is Nest's business: it must be either secured or refused.
    expect(['graphql.started-before /early', undefined]).toContain(problems[0]);
  });
});
