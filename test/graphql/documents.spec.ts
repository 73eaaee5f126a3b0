import { afterEach, describe, expect, it } from 'vitest';

import { send } from '../support/http-client.js';
import { DRIVERS, type GraphqlAnswer, type GraphqlApp, startGraphql } from './graphql-app.js';

const INTROSPECTION =
  '{ __schema { queryType { name fields { name type { ofType { ofType { ofType { name } } } } } } } }';
const nested = (depth: number) =>
  `{ featured ${'{ customer { order '.repeat(depth)}{ id }${' } }'.repeat(depth)} }`;
/** Spreads each fragment twice in the next: a short text that stands for 2^20 fields. */
const bomb = `{ featured { ...F20 } } fragment F0 on Order { id }${Array.from(
  { length: 20 },
  (_, i) =>
    ` fragment F${i + 1} on Order { a${i}: customer { order { ...F${i} } } b${i}: customer { order { ...F${i} } } }`,
).join('')}`;
const cycle = '{ featured { ...A } } fragment A on Order { ...B } fragment B on Order { ...A }';

describe.each(DRIVERS)('documents under %s on %s', (...driver) => {
  let app: GraphqlApp;
  afterEach(() => app.close());

  const outcome = async (body: unknown) => {
    const { status, json } = await app.ask(body);
    return [status, json.errors?.[0]?.extensions.code];
  };

  it.each([
    ['depth', nested(5), 'PAYLOAD_TOO_COMPLEX'],
    [
      'aliases',
      `{ ${Array.from({ length: 21 }, (_, i) => `a${i}: hello`).join(' ')} }`,
      'PAYLOAD_TOO_COMPLEX',
    ],
    ['tokens', `{ ${'hello '.repeat(2_000)} }`, 'PAYLOAD_TOO_COMPLEX'],
    ['fields', `{ ${'hello '.repeat(501)} }`, 'PAYLOAD_TOO_COMPLEX'],
    ['fragments of fragments', bomb, 'PAYLOAD_TOO_COMPLEX'],
    ['nesting that ends the stack', `{ f(a: ${'['.repeat(40_000)}) }`, 'PAYLOAD_TOO_COMPLEX'],
    ['cycles', cycle, 'MALFORMED_REQUEST'],
    ['no GraphQL', 'SELECT 1', 'MALFORMED_REQUEST'],
    ['a document as JSON', '{"kind":"Document","definitions":[]}', 'MALFORMED_REQUEST'],
  ])('refuses by %s before anything runs', async (_, query, code) => {
    app = await startGraphql(driver);
    const started = performance.now();
    expect(await outcome(query)).toEqual([400, code]);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('lets pass what is within the bounds', async () => {
    app = await startGraphql(driver, { graphql: { maxDepth: 12, maxAliases: 0 } });
    expect(await outcome(nested(5))).toEqual([200, undefined]);
    expect(await outcome('{ hello }')).toEqual([200, undefined]);
    expect(await outcome('{ a: hello }')).toEqual([400, 'PAYLOAD_TOO_COMPLEX']);
  });

  it('answers about the schema outside production only', async () => {
    app = await startGraphql(driver);
    expect(await outcome(INTROSPECTION)).toEqual([200, undefined]);
    await app.close();
    app = await startGraphql(driver, { security: { production: true, https: 'off' } });
    expect(await outcome(INTROSPECTION)).toEqual([403, 'FORBIDDEN']);
    expect(await outcome('{ ...F } fragment F on Query { s: __type(name: "Order") { name } }')).toEqual([
      403,
      'FORBIDDEN',
    ]);
    expect(await outcome('{ hello __typename }')).toEqual([200, undefined]);
    await app.close();
    app = await startGraphql(driver, {
      graphql: { introspection: true },
      security: { production: true, https: 'off' },
    });
    expect(await outcome(INTROSPECTION)).toEqual([200, undefined]);
  });

  it('bounds a batch', async () => {
    app = await startGraphql(driver, { graphql: { maxBatch: 2 } });
    const one = { query: '{ hello }' };
    expect((await app.ask([one, one])).status).toBe(200);
    expect(await outcome([one, one, one])).toEqual([400, 'PAYLOAD_TOO_COMPLEX']);
    expect(await outcome([])).toEqual([400, 'VALIDATION_FAILED']);
  });

  it.each([
    [{ query: '{ hello }', admin: true }, 400, 'UNEXPECTED_FIELDS'],
    [{ query: 7 }, 400, 'VALIDATION_FAILED'],
    [{ query: '{ hello }', variables: [] }, 400, 'VALIDATION_FAILED'],
    [{ query: '{ hello }', variables: null, operationName: null }, 200, undefined],
    ['', 400, undefined],
  ] as const)('R-IV-11 reads a request strictly: %j', async (body, status, code) => {
    app = await startGraphql(driver);
    const answer = await outcome(body);
    expect(answer[0]).toBe(status);
    if (code) expect(answer[1]).toBe(code);
  });

  it('R-IV-05 R-IV-29 bodies are JSON, strictly, within the limits of bodies', async () => {
    app = await startGraphql(driver);
    const post = async (body: string, type = 'application/json') => {
      const { status, json } = await send<GraphqlAnswer>(app.port, 'POST', '/graphql', {
        body,
        headers: { 'content-type': type },
      });
      return [status, json.errors?.[0]?.extensions.code];
    };
    expect(await post('{"query":"{ hello }","query":"{ me }"}')).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await post('{"query":"{ hello }","__proto__":{}}')).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await post('{"query":')).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await post('{ hello }', 'application/graphql')).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(await post('query={hello}', 'application/x-www-form-urlencoded')).toEqual([
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ]);
    expect(await post(`{"query":"{ hello }","variables":{"a":"${'x'.repeat(110_000)}"}}`)).toEqual([
      413,
      'PAYLOAD_TOO_LARGE',
    ]);
    expect(await post('{"query":"{\\n  hello\\n}"}')).toEqual([200, undefined]);
  });

  it('queries by GET are held against the same policies, and nothing is written by GET', async () => {
    app = await startGraphql(driver, { security: { rateLimit: { read: '5/minute' } } });
    const get = (query: string, more = '') =>
      send<GraphqlAnswer>(app.port, 'GET', `/graphql?query=${encodeURIComponent(query)}${more}`, {
        headers: { 'apollo-require-preflight': '1' },
      });
    const two = await get('{ a: hello b: hello }');
    expect([two.status, two.header('x-ratelimit-remaining')]).toEqual([200, '3']);
    expect(two.json.data).toEqual({ a: 'hello', b: 'hello' });
    expect((await get('{ me }')).json.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    const written = await get('mutation { login(email: "a") }');
    expect([written.status, written.header('allow')]).toEqual([405, 'POST']);
    expect((await get('{ hello }', '&variables=%7B')).status).toBe(400);
    expect((await send(app.port, 'PUT', '/graphql', { json: {} })).status).toBeGreaterThanOrEqual(404);
  });
});
