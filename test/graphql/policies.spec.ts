import { Query, Resolver } from '@nestjs/graphql';
import { ApiKeyAuth, PolicyRegistry, SecurityEvents, type SecurityEvent } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { send } from '../support/http-client.js';
import { accessToken } from '../support/reference-app.js';
import { startSecured } from '../support/secured-app.js';
import { DRIVERS, type GraphqlAnswer, type GraphqlApp, graphqlModule, startGraphql } from './graphql-app.js';
import { OrdersResolver } from './orders.js';

const codesOf = ({ errors = [] }: GraphqlAnswer) => errors.map(({ extensions }) => extensions.code);

describe.each(DRIVERS)('policies of resolvers under %s on %s', (...driver) => {
  let app: GraphqlApp | undefined;
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  it.each([
    ['hello', 'none', { hello: 'hello' }, []],
    ['me', 'none', { me: null }, ['UNAUTHENTICATED']],
    ['orders { id }', 'none', { orders: null }, ['UNAUTHENTICATED']],
    ['orders { id }', 'key', { orders: [{ id: '1' }, { id: '2' }] }, []],
    ['orders { id }', 'bare key', { orders: null }, ['INSUFFICIENT_SCOPE']],
    ['orders { id }', 'token', { orders: null }, ['UNAUTHENTICATED']],
    ['tokenOnly', 'token', { tokenOnly: 'token' }, []],
    ['tokenOnly', 'key', { tokenOnly: null }, ['UNAUTHENTICATED']],
    ['adminOnly', 'key', { adminOnly: null }, ['FORBIDDEN']],
    ['adminOnly', 'admin', { adminOnly: 'admin' }, []],
    ['userOnly', 'key', { userOnly: null }, ['FORBIDDEN']],
    ['userOnly', 'user', { userOnly: 'user' }, []],
    ['featured { id margin }', 'none', { featured: { id: 'f', margin: null } }, ['UNAUTHENTICATED']],
    ['featured { id margin }', 'key', { featured: { id: 'f', margin: null } }, ['INSUFFICIENT_SCOPE']],
    ['featured { customer { name } }', 'none', { featured: { customer: { name: 'of f' } } }, []],
  ] as const)('R-AZ-06 R-AU-01 { %s } with %s', async (query, who, data, codes) => {
    app = await startGraphql(driver);
    const bearer = async (claims: object) => ({
      authorization: `Bearer ${await accessToken({ ...claims })}`,
    });
    const headers: Record<string, string> = {
      none: {} as Record<string, string>,
      key: { 'x-api-key': await app.key(['orders:read']) },
      'bare key': { 'x-api-key': await app.key() },
      token: await bearer({}),
      admin: await bearer({ roles: ['admin'] }),
      user: await bearer({ client_id: undefined }),
    }[who];
    const answer = await app.ask(`{ ${query} }`, headers);
    expect(answer.status).toBe(200);
    expect(answer.json.data).toEqual(data);
    expect(codesOf(answer.json)).toEqual(codes);
    expect(answer.header('www-authenticate') === undefined).toBe(!codes.some((code) => code !== 'FORBIDDEN'));
  });

  it('R-AU-12 a bad credential ends the whole request, public operations too', async () => {
    app = await startGraphql(driver);
    const answer = await app.ask('{ hello }', { 'x-api-key': 'sk_live_nonsense' });
    expect(answer.status).toBe(401);
    expect(answer.header('www-authenticate')).toContain('Api-Key');
    expect(answer.header('cache-control')).toBe('no-store');
    expect(answer.json).toEqual({
      errors: [{ message: 'The credential is not valid', extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('authenticates once, however many resolvers run, and names each resolver in events', async () => {
    app = await startGraphql(driver);
    const key = await app.key(['orders:read']);
    const seen: SecurityEvent[] = [];
    const subscription = app.get(SecurityEvents).stream.subscribe((event) => seen.push(event));
    const answer = await app.ask('{ a: me b: me orders { margin } adminOnly }', { 'x-api-key': key });
    subscription.unsubscribe();
    expect(codesOf(answer.json)).toHaveLength(3);
    expect(seen.filter(({ type }) => type === 'authentication.succeeded')).toHaveLength(1);
    const denied = seen.filter(({ type }) => type === 'authorization.denied').map(({ route }) => route);
    expect(new Set(denied)).toEqual(new Set(['Query.adminOnly', 'Order.margin']));
  });

  it('compiles resolvers into frozen policies beside routes', async () => {
    app = await startGraphql(driver);
    const { policies } = app.get(PolicyRegistry);
    const ids = policies.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining(['Query.orders', 'Mutation.create', 'Order.margin', 'POST /graphql']),
    );
    const orders = policies.find(({ id }) => id === 'Query.orders')!;
    expect(Object.isFrozen(orders)).toBe(true);
    expect(orders.authentication).toMatchObject({ mode: 'required', schemes: [{ scheme: 'api-key' }] });
  });

  it('R-RL-24 reads no body of a stranger where no operation is public', async () => {
    @Resolver()
    class Closed {
      @ApiKeyAuth() @Query(() => String) secret() {
        return 's';
      }
    }
    app = await startGraphql(driver, { resolvers: [Closed] });
    const answer = await send<GraphqlAnswer>(app.port, 'POST', '/graphql', {
      body: '{ this is not read',
      headers: { 'content-type': 'application/json' },
    });
    expect([answer.status, codesOf(answer.json)]).toEqual([401, ['UNAUTHENTICATED']]);
    const key = await app.key();
    expect((await app.ask('{ secret }', { 'x-api-key': key })).json.data).toEqual({ secret: 's' });
  });

  it('R-SH-04 nothing that was answered to a credential is stored', async () => {
    app = await startGraphql(driver);
    const answer = await app.ask('{ me }', { 'x-api-key': await app.key() });
    expect(answer.rawHeaders.filter(([name]) => name.toLowerCase() === 'cache-control')).toEqual([
      [expect.any(String), 'no-store'],
    ]);
    expect(answer.header('x-content-type-options')).toBe('nosniff');
    if (driver[0] !== 'apollo') return;
    const cached = async (headers: Record<string, string>) =>
      (await app!.ask('{ cached }', headers)).header('cache-control');
    expect(await cached({})).toContain('max-age=60');
    expect(await cached({ 'x-api-key': await app.key() })).toBe('no-store');
  });

  it('R-AZ-06 without the module every resolver is refused', async () => {
    const bare = await startSecured(
      driver[1],
      {},
      { imports: [graphqlModule(driver)], providers: [OrdersResolver] },
    );
    try {
      const answer = await send<GraphqlAnswer>(bare.port, 'GET', '/graphql?query=%7Bhello%7D', {
        headers: { 'apollo-require-preflight': '1' },
      });
      expect(answer.text).not.toContain('"hello":"hello"');
      expect(answer.json.errors?.[0]?.path).toEqual(['hello']);
    } finally {
      await bare.close();
    }
  });

  it('R-TL-01 HTTPS and the limit by address hold before anything is read', async () => {
    app = await startGraphql(driver, { security: { https: 'reject', production: true } });
    expect((await app.ask('{ hello }')).status).toBe(403);
    await app.close();
    app = await startGraphql(driver, { security: { rateLimit: { address: '2/minute' } } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await app.ask('{ hello }')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});
