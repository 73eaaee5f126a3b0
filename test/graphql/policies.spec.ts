import { afterEach, describe, expect, it } from 'vitest';

import { accessToken } from '../support/reference-app.js';
import { DRIVERS, type GraphqlApp, startGraphql } from './graphql-app.js';

describe.each(DRIVERS)('policies of resolvers under %s on %s', (...driver) => {
  let app: GraphqlApp;
  afterEach(() => app.close());

  it('hello', async () => {
    app = await startGraphql(driver);
    const a = await app.ask('{ hello me orders { id } }');
    console.log(a.status, a.text, a.rawHeaders);
    const key = await app.key(['orders:read']);
    const b = await app.ask('{ hello me orders { id margin customer { name } } tokenOnly adminOnly boom badResult ownError conflict}', {'x-api-key': key});
    console.log(b.status, b.text, b.rawHeaders);
    console.log((await app.ask('{ hello nope }')).text);
    console.log((await app.ask('{ hello')).text);
    console.log((await app.ask([{ query: '{ hello }'}, {query: '{hello}'}])).text);
    console.log((await app.ask({ query: 'query($a: Int) { orders(first: $a) {id} }', variables: {a: 'secret'}})).text);
    console.log((await app.ask({ query: 'query { orders(first: "secret") {id} }'})).text);
    console.log((await app.ask({ query: '{ at(time: "2020-01-01T00:00:00Z") }'})).text);
    console.log((await app.ask({ query: 'mutation { login(email: "a") } '})).text);
    console.log((await app.ask({ query: 'mutation { create(order: {sku: "a", count: 12}) } '}, {'x-api-key': await app.key(['orders:write'])})).text);
    console.log((await app.ask({ query: 'mutation { create(order: {sku: "a", count: 2}) } '}, {'x-api-key': await app.key(['orders:write'])})).text);
  });
});
