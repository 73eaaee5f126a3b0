import {
  Args,
  Field,
  Float,
  Info,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import { IsInt, IsString, Length, Max, Min } from 'class-validator';
import { GraphQLError } from 'graphql';
import {
  ApiKeyAuth,
  CurrentPrincipal,
  JwtAuth,
  type Principal,
  Public,
  RateLimit,
  RequireRoles,
  RequireScopes,
  SecurityError,
  SkipRateLimit,
  UserOnly,
} from 'nestjs-api-security';

/** What Apollo gives resolvers to say for how long an answer may be kept. */
class CacheInfo {
  cacheControl?: { setCacheHint(hint: { maxAge: number }): void };
}

@ObjectType()
export class Customer {
  @Field() name!: string;
  @Field(() => Order) order!: object;
}

@ObjectType()
export class Order {
  @Field(() => ID) id!: string;
  @Field(() => Float, { nullable: true }) margin?: number;
  @Field(() => Customer, { nullable: true }) customer?: Customer;
}

@InputType()
export class NewOrder {
  @IsString() @Length(1, 8) @Field() sku!: string;
  @IsInt() @Min(1) @Max(9) @Field(() => Int) count!: number;
}

@Resolver(() => Order)
export class OrdersResolver {
  @Public() @Query(() => String) hello() {
    return 'hello';
  }

  @Public() @Query(() => Order) featured() {
    return { id: 'f' };
  }

  /** No decorator: needs a credential of any scheme. */
  @Query(() => String, { nullable: true }) me(@CurrentPrincipal() principal: Principal) {
    return principal.id;
  }

  @ApiKeyAuth('orders:read') @Query(() => [Order], { nullable: true }) orders(
    @Args('first', { type: () => Int, nullable: true }) first?: number,
  ) {
    return [{ id: '1' }, { id: '2' }].slice(0, first);
  }

  @JwtAuth() @Query(() => String, { nullable: true }) tokenOnly() {
    return 'token';
  }

  @RequireRoles('admin') @Query(() => String, { nullable: true }) adminOnly() {
    return 'admin';
  }

  @UserOnly() @Query(() => String, { nullable: true }) userOnly() {
    return 'user';
  }

  @Public() @RateLimit('3/minute') @Query(() => String, { nullable: true }) limited() {
    return 'limited';
  }

  @Public() @SkipRateLimit() @Query(() => String) free() {
    return 'free';
  }

  @Public()
  @RateLimit({ limit: 2, window: '1m', by: ({ body }) => String((body as { email?: unknown }).email) })
  @Mutation(() => String, { nullable: true })
  login(@Args('email') email: string) {
    return email;
  }

  @RequireScopes('orders:write') @Mutation(() => String, { nullable: true }) create(
    @Args('order') order: NewOrder,
  ) {
    return `${order.constructor.name} ${order.sku}`;
  }

  @Public() @Query(() => String, { nullable: true }) at(@Args('time') time: Date) {
    return time.toISOString();
  }

  @Public() @Query(() => String) cached(@Info() info: CacheInfo) {
    info.cacheControl?.setCacheHint({ maxAge: 60 });
    return 'cached';
  }

  @Public() @Query(() => String, { nullable: true }) boom() {
    throw new Error('secret detail');
  }

  @Public() @Query(() => Int, { nullable: true }) badResult() {
    return 'secret value';
  }

  @Public() @Query(() => String, { nullable: true }) ownError() {
    throw new GraphQLError('Out of stock', { extensions: { code: 'OUT_OF_STOCK', secret: 's' } });
  }

  @Public() @Query(() => String, { nullable: true }) conflict() {
    throw new SecurityError('CONFLICT', 'Already there');
  }

  @RequireScopes('orders:margin') @ResolveField(() => Float, { nullable: true }) margin() {
    return 0.4;
  }

  @ResolveField(() => Customer, { nullable: true }) customer(@Parent() order: Order) {
    return { name: `of ${order.id}`, order };
  }
}
