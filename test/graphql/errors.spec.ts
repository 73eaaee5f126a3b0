import { Query, Resolver } from '@nestjs/graphql';
import { ForbiddenException } from '@nestjs/common';
import { Public, type SecurityEvent, SecurityEvents } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { DRIVERS, type GraphqlApp, startGraphql } from './graphql-app.js';
import { OrdersResolver } from './orders.js';

@Resolver()
class Failing {
  @Public() @Query(() => String, { nullable: true }) own() {
    throw new ForbiddenException({ message: 'Closed on Sundays', code: 'CLOSED', internal: 'x' });
  }

  @Public() @Query(() => String, { nullable: true }) odd() {
    throw Object.assign(new Error('select * from secrets'), { status: 404 });
  }
}

describe.each(DRIVERS)('errors of GraphQL under %s on %s', (...driver) => {
  let app: GraphqlApp;
  afterEach(() => app.close());

  it.each([
    ['{ boom }', 'INTERNAL_ERROR', 'Internal Server Error'],
    ['{ badResult }', 'INTERNAL_ERROR', 'Internal Server Error'],
    ['{ ownError }', 'OUT_OF_STOCK', 'Out of stock'],
    ['{ conflict }', 'CONFLICT', 'Already there'],
    ['{ own }', 'CLOSED', 'Closed on Sundays'],
    ['{ odd }', 'NOT_FOUND', 'Not Found'],
  ])('R-ER-02 R-ER-03 %s is told as %s', async (query, code, message) => {
    app = await startGraphql(driver, { resolvers: [OrdersResolver, Failing] });
    const answer = await app.ask(query);
    expect(answer.status).toBe(200);
    expect(answer.json.errors).toEqual([
      {
        message,
        locations: expect.any(Array) as unknown,
        path: expect.any(Array) as unknown,
        extensions: { code },
      },
    ]);
    expect(answer.text).not.toMatch(/secret|stack|internal"/);
  });

  it.each([
    ['{ helo }', undefined, 'Cannot query field "helo" on type "Query".'],
    ['{ orders(first: "secret") { id } }', undefined, 'Int cannot represent non-integer value'],
    ['query($n: Int) { orders(first: $n) { id } }', { n: 'secret' }, 'Variable "$n" got an invalid value'],
    [
      'mutation { create(order: { sku: "a", count: 1, admin: true }) }',
      undefined,
      'Field "admin" is not defined by type "NewOrder".',
    ],
  ])(
    'R-ER-04 %s quotes no value and names nothing that the client does not know',
    async (query, variables, message) => {
      app = await startGraphql(driver);
      const answer = await app.ask({ query, ...(variables && { variables }) });
      expect(answer.status).toBe(400);
      expect(answer.json.errors?.map((error) => [error.message, error.extensions])).toEqual([
        [message, { code: 'VALIDATION_FAILED' }],
      ]);
    },
  );

  it('R-IV-11 arguments are validated like bodies', async () => {
    app = await startGraphql(driver);
    const headers = { 'x-api-key': await app.key(['orders:write']) };
    const create = (order: string) => app.ask(`mutation { create(order: ${order}) }`, headers);
    expect((await create('{ sku: "a", count: 2 }')).json.data).toEqual({ create: 'NewOrder a' });
    const bad = await create('{ sku: "far too long", count: 12 }');
    expect(bad.json.errors?.[0]?.extensions).toEqual({
      code: 'VALIDATION_FAILED',
      details: [
        { path: 'order.sku', rule: 'isLength', message: expect.any(String) as unknown },
        { path: 'order.count', rule: 'max', message: expect.any(String) as unknown },
      ],
    });
    expect((await app.ask('{ at(time: "2024-02-29T12:00:00Z") }')).json.data).toEqual({
      at: '2024-02-29T12:00:00.000Z',
    });
  });

  it('R-LG-01 what nobody expected is reported once, with its resolver', async () => {
    app = await startGraphql(driver);
    const events: SecurityEvent[] = [];
    app.get(SecurityEvents).stream.subscribe((event) => events.push(event));
    await app.ask('{ boom }');
    const unhandled = events.filter(({ type }) => type === 'error.unhandled');
    expect(unhandled).toMatchObject([{ message: 'secret detail' }]);
  });
});
