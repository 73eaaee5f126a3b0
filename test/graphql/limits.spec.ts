import { createHash } from 'node:crypto';

import { Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { ApiKeyService, Public, RateLimit } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { DRIVERS, type GraphqlApp, startGraphql } from './graphql-app.js';
import { Order } from './orders.js';

describe.each(DRIVERS)('limits of operations under %s on %s', (...driver) => {
  let app: GraphqlApp;
  afterEach(() => app.close());

  const left = async (body: unknown, headers?: Record<string, string>) => {
    const answer = await app.ask(body, headers);
    return [answer.status, answer.header('x-ratelimit-remaining')];
  };

  it('R-RL-14 an operation, an alias and each of a batch cost one unit', async () => {
    app = await startGraphql(driver, { security: { rateLimit: { read: '10/minute', write: '5/minute' } } });
    expect(await left('{ hello }')).toEqual([200, '9']);
    expect(await left('{ a: hello b: hello hello }')).toEqual([200, '6']);
    expect(await left([{ query: '{ hello }' }, { query: '{ a: hello b: hello }' }])).toEqual([200, '3']);
    expect(await left('{ hello hello ... { hello } ...F } fragment F on Query { hello }')).toEqual([
      200,
      '2',
    ]);
    expect(await left('mutation { a: login(email: "1") b: login(email: "2") }')).toEqual([200, '1']);
    expect((await left('{ free a: free }'))[0]).toBe(200);
    expect(await left('{ hello }')).toEqual([200, '1']);
  });

  it('R-RL-14 R-RL-04 what does not fit is refused whole, and charges nothing', async () => {
    app = await startGraphql(driver, { security: { rateLimit: { read: '5/minute' } } });
    const over = await app.ask('{ a: hello b: hello c: hello d: hello e: hello f: hello }');
    expect(over.status).toBe(429);
    expect(over.header('x-ratelimit-remaining')).toBe('0');
    const retryAfter = Number(over.header('retry-after'));
    expect(retryAfter).toBeGreaterThan(0);
    expect(over.json).toEqual({
      errors: [{ message: 'Too many requests', extensions: { code: 'RATE_LIMITED', retryAfter } }],
    });
    const batch = Array.from({ length: 6 }, () => ({ query: '{ hello }' }));
    expect((await app.ask(batch)).status).toBe(429);
    expect(await left(batch.slice(1))).toEqual([200, '0']);
    expect((await app.ask('{ hello }')).status).toBe(429);
  });

  it('R-RL-10 of 60 aliases and requests at once exactly as many pass as the limit has units', async () => {
    app = await startGraphql(driver, { security: { rateLimit: { read: '20/minute' } } });
    const answers = await Promise.all(Array.from({ length: 30 }, () => app.ask('{ a: hello b: hello }')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
  });

  it('counts limits of several operations together, and by arguments', async () => {
    app = await startGraphql(driver);
    expect(await left('{ limited a: limited }')).toEqual([200, '1']);
    expect(await left('{ limited a: limited }')).toEqual([429, '0']);
    const login = (email: string) =>
      left({ query: 'mutation($e: String!) { login(email: $e) }', variables: { e: email } });
    expect([await login('a'), await login('a'), await login('a')].map(([status]) => status)).toEqual([
      200, 200, 429,
    ]);
    expect((await login('b'))[0]).toBe(200);
    expect(await left('mutation { a: login(email: "c") b: login(email: "c") c: login(email: "c") }')).toEqual(
      [429, '0'],
    );
  });

  it('charges a complexity that the application computes', async () => {
    app = await startGraphql(driver, {
      security: { rateLimit: { read: '100/minute' } },
      graphql: { complexity: ({ fields, args }) => fields * Number(args['first'] ?? 1) },
    });
    const headers = { 'x-api-key': await app.key(['orders:read']) };
    expect(await left('{ orders(first: 20) { id } }', headers)).toEqual([200, '60']);
    expect(
      await left({ query: 'query($n: Int) { orders(first: $n) { id } }', variables: { n: 31 } }, headers),
    ).toEqual([429, '0']);
    expect(await left('{ me }', headers)).toEqual([200, '59']);
  });

  it('R-RL-14 a field whose selections stand apart costs as much as in one place', async () => {
    app = await startGraphql(driver, {
      security: { rateLimit: { read: '100/minute' } },
      graphql: { complexity: ({ fields }) => fields * 10 },
    });
    const [, together] = await left('{ featured { id customer { name } } }');
    const [, apart] = await left(
      '{ featured { id } ...F } fragment F on Query { featured { customer { name } } }',
    );
    expect(Number(together)).toBe(60);
    expect(Number(apart)).toBeLessThanOrEqual(20);
  });

  it('R-RL-14 a request that names no operation of its document is refused, with all of its batch, and costs one unit', async () => {
    app = await startGraphql(driver, {
      security: { rateLimit: { write: '5/minute' } },
      graphql: { complexity: () => 50 },
    });
    const nothing = { query: '{ hello }', operationName: 'nothing' };
    expect(await left(nothing)).toEqual([400, '4']);
    expect(await left('query A { hello } query B { hello }')).toEqual([400, '3']);
    expect(await left('fragment F on Query { hello }')).toEqual([400, '2']);
    expect(await left([{ query: '{ hello }' }, nothing])).toEqual([400, '1']);
    expect(await left({})).toEqual([400, '0']);
    expect((await left(nothing))[0]).toBe(429);
  });

  it('a limit of a plan counts every operation, since the status of an answer tells no outcome', async () => {
    app = await startGraphql(driver, {
      security: {
        rateLimit: { plans: { careful: { limit: 2, window: '1m', countOnly: 'failures' } } },
      },
    });
    const { key } = await app
      .get(ApiKeyService)
      .issue({ owner: 'o', name: 'n', scopes: [], limits: 'careful' });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await left('{ boom }', { 'x-api-key': key }))[0]);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('a request of unknown weight does not pass for free', async () => {
    app = await startGraphql(driver, { graphql: { complexity: () => Number.NaN } });
    const answer = await app.ask('{ hello }');
    expect(answer.status).toBe(500);
    expect(answer.json.errors?.[0]).toEqual({
      message: 'Internal Server Error',
      extensions: { code: 'INTERNAL_ERROR' },
    });
  });

  it('a field with a limit of its own is charged once for each object that it is asked of', async () => {
    @Resolver(() => Order)
    class Limited {
      @Public() @Query(() => [Order]) many() {
        return ['1', '2', '3'].map((id) => ({ id }));
      }

      @RateLimit('2/minute') @ResolveField(() => String, { nullable: true }) label(@Parent() order: Order) {
        return order.id;
      }
    }
    app = await startGraphql(driver, { resolvers: [Limited] });
    const { json } = await app.ask('{ many { label } }');
    expect(json.data).toEqual({ many: [{ label: '1' }, { label: '2' }, { label: null }] });
    expect(json.errors?.map(({ extensions }) => extensions.code)).toEqual(['RATE_LIMITED']);
  });

  it('R-RL-02 a field that is charged for each object stays one item of the fields of the answer', async () => {
    @Resolver(() => Order)
    class Labelled {
      @Public() @Query(() => [Order]) many() {
        return Array.from({ length: 300 }, (_, index) => ({ id: String(index) }));
      }

      @RateLimit('400/minute') @ResolveField(() => String) label(@Parent() order: Order) {
        return order.id;
      }
    }
    app = await startGraphql(driver, {
      resolvers: [Labelled],
      security: { rateLimit: { headers: 'ietf' } },
    });
    const answer = await app.ask('{ many { label } }');
    expect(answer.status).toBe(200);
    expect(answer.header('ratelimit-policy')).toBe(
      '"address";q=3600;w=60, "read";q=300;w=60, "route";q=400;w=60',
    );
    expect(answer.header('ratelimit')).toBe('"address";r=3599;t=60, "read";r=299;t=60, "route";r=100;t=60');
  });

  it('what cannot be read costs like an operation', async () => {
    app = await startGraphql(driver, { security: { rateLimit: { write: '3/minute' } } });
    expect(await left('{ hello')).toEqual([400, '2']);
    expect(await left({ nothing: true })).toEqual([400, '1']);
    expect(await left('{ hello '.repeat(50))).toEqual([400, '0']);
    expect(await left('{ hello')).toEqual([429, '0']);
  });
});

describe('persisted documents', () => {
  it('R-RL-14 cost what their complexity says, as if they were in the request', async () => {
    const app = await startGraphql(['apollo', 'express'], {
      security: { rateLimit: { read: '100/minute' } },
      graphql: { complexity: ({ fields, args }) => fields * Number(args['first'] ?? 10) },
    });
    try {
      const headers = { 'x-api-key': await app.key(['orders:read']) };
      const query = 'query($n: Int) { orders(first: $n) { id } }';
      const variables = { n: 20 };
      const sha256Hash = createHash('sha256').update(query).digest('hex');
      const extensions = { persistedQuery: { version: 1, sha256Hash } };
      const left = async (body: object) => (await app.ask(body, headers)).header('x-ratelimit-remaining');
      expect(await left({ query, variables, extensions })).toBe('60');
      expect(await left({ variables, extensions })).toBe('20');
    } finally {
      await app.close();
    }
  });

  it('R-RL-14 whose hash stands in the place of the query are charged when they run', async () => {
    const app = await startGraphql(['mercurius', 'fastify'], {
      security: { rateLimit: { read: '2/minute' } },
      driver: { persistedQueries: { abc123: '{ hello }' } },
    });
    try {
      const persisted = { query: 'abc123', persisted: true };
      expect((await app.ask(persisted)).json.data).toEqual({ hello: 'hello' });
      const whole = { query: '{ a: hello b: hello }', persisted: true };
      expect((await app.ask(whole)).status).toBe(429);
      expect((await app.ask(persisted)).header('x-ratelimit-remaining')).toBe('0');
      expect((await app.ask(persisted)).json.data).toBeNull();
    } finally {
      await app.close();
    }
  });

  it('R-RL-14 are charged when they run, and held against the bounds', async () => {
    const app = await startGraphql(['apollo', 'express'], {
      security: { rateLimit: { read: '5/minute' } },
      graphql: { maxAliases: 3 },
    });
    try {
      const extensions = (query: string) => ({
        persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') },
      });
      const query = '{ a: hello b: hello }';
      const unknown = await app.ask({ extensions: extensions(query) });
      expect(unknown.json.errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
      expect((await app.ask({ query, extensions: extensions(query) })).header('x-ratelimit-remaining')).toBe(
        '3',
      );
      expect((await app.ask({ extensions: extensions(query) })).json.data).toEqual({
        a: 'hello',
        b: 'hello',
      });
      const third = await app.ask({ extensions: extensions(query) });
      expect(third.json.errors?.map(({ extensions: { code } }) => code)).toEqual(['RATE_LIMITED']);
      expect(third.header('retry-after')).toMatch(/^\d+$/);
    } finally {
      await app.close();
    }
  });
});
