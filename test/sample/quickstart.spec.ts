import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorOf, QuickstartClient, type TokenPair } from './quickstart-client.js';
import { type Quickstart, QuickstartBuild } from './quickstart-process.js';

const ADAPTERS = ['express', 'fastify'] as const;
const PLENTY = { READ_LIMIT: '5000', WRITE_LIMIT: '5000' };

const newUser = () => ({ email: `${randomUUID()}@example.com`, name: 'Grace Hopper', role: 'member' });
const throughProxy = (address: string) => ({
  headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': address },
});

let build: QuickstartBuild;
beforeAll(() => {
  build = new QuickstartBuild();
}, 180_000);
afterAll(() => build?.remove());

describe.each(ADAPTERS)('quickstart on %s', (ADAPTER) => {
  let app: Quickstart;
  let client: QuickstartClient;
  let ada: TokenPair;
  let bob: TokenPair;

  beforeAll(async () => {
    app = await build.start({ ADAPTER, ...PLENTY });
    client = new QuickstartClient(app);
    ada = await client.logIn('ada');
    bob = await client.logIn('bob');
  });
  afterAll(() => app?.stop());

  const idOf = async (email: string) => {
    const { body } = await client.get('/users', { as: app.apiKey });
    return (body as unknown as { id: string; email: string }[]).find((user) => user.email === email)!.id;
  };

  it('CONTRACT-6 prints an API key, a login and curl lines to try', () => {
    const output = app.output();
    expect(output).toContain('ada@example.com');
    expect(output).toContain('correct horse battery staple');
    expect(output.match(/^ +curl .*$/gm)?.length).toBeGreaterThanOrEqual(4);
    expect(output).toContain(`Authorization: Api-Key ${app.apiKey}`);
  });

  describe('GET /health', () => {
    it('CONTRACT-6 answers everybody', async () => {
      const answer = await client.get('/health');
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ status: 'ok' });
    });

    it('CONTRACT-1 refuses a bad credential all the same', async () => {
      expect((await client.get('/health', { as: `${app.apiKey.slice(0, -1)}_` })).status).toBe(401);
    });
  });

  describe('POST /auth/token', () => {
    it('CONTRACT-6 gives a pair of tokens that nobody may store', async () => {
      const answer = await client.post('/auth/token', {
        email: 'ADA@example.com',
        password: 'correct horse battery staple',
      });
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.body).toSorted()).toEqual([
        'accessToken',
        'expiresIn',
        'refreshToken',
        'tokenType',
      ]);
      expect(answer.body['tokenType']).toBe('Bearer');
      expect(answer.body['expiresIn']).toBeGreaterThan(0);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it('CONTRACT-2 says the same of a wrong password and of an unknown account', async () => {
      const wrong = await client.post('/auth/token', { email: `bob@example.com`, password: 'wrong' });
      const unknown = await client.post('/auth/token', {
        email: `${randomUUID()}@example.com`,
        password: 'wrong',
      });
      expect(wrong.status).toBe(401);
      expect(errorOf(wrong)['code']).toBe('UNAUTHENTICATED');
      expect(wrong.headers.get('www-authenticate')).toContain('Bearer');
      expect([unknown.status, unknown.text]).toEqual([wrong.status, wrong.text]);
    });

    it('CONTRACT-6 allows five tries a minute for one address and account', async () => {
      const account = `${randomUUID()}@example.com`;
      const tries = [];
      for (let i = 0; i < 6; i++) {
        // Letter case does not make another account.
        const email = i % 2 === 0 ? account : account.toUpperCase();
        tries.push(await client.post('/auth/token', { email, password: 'guess' }));
      }
      expect(tries.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429]);
      const [first, , , , , last] = tries;
      expect(first!.headers.get('x-ratelimit-limit')).toBe('5');
      expect(errorOf(last!)['retryAfter']).toBe(Number(last!.headers.get('retry-after')));
      const other = await client.post('/auth/token', {
        email: `${randomUUID()}@example.com`,
        password: 'guess',
      });
      expect(other.status).toBe(401);
    });

    it.each([
      ['no JSON object', '[]'],
      ['an e-mail address that is an object', '{"email":{"$gt":""},"password":"x"}'],
      ['a dangerous name', '{"__proto__":{"email":"a@b.example"},"password":"x"}'],
      ['a second address', '{"email":"a@b.example","email":"c@d.example","password":"x"}'],
    ])('CONTRACT-2 refuses %s', async (_, body) => {
      const answer = await fetch(`${app.url}/auth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(400);
    });
  });

  describe('POST /auth/refresh', () => {
    it('CONTRACT-6 R-RT-03 gives a new pair and spends the old token', async () => {
      const first = await client.logIn('ada');
      const second = await client.post('/auth/refresh', { refreshToken: first.refreshToken });
      expect(second.status).toBe(200);
      expect(second.body['refreshToken']).not.toBe(first.refreshToken);
      expect((await client.get('/auth/me', { as: String(second.body['accessToken']) })).status).toBe(200);
    });

    it('CONTRACT-6 R-RT-04 ends the whole family when a spent token comes back', async () => {
      const first = await client.logIn('bob');
      const second = (await client.post('/auth/refresh', { refreshToken: first.refreshToken })).body;
      const replay = await client.post('/auth/refresh', { refreshToken: first.refreshToken });
      expect([400, 401]).toContain(replay.status);
      const heir = await client.post('/auth/refresh', { refreshToken: second['refreshToken'] });
      expect(heir.status).toBe(replay.status);
      expect((await client.get('/auth/me', { as: String(second['accessToken']) })).status).toBe(401);
    });
  });

  describe('POST /auth/logout', () => {
    it('CONTRACT-6 ends the family: neither token works afterwards', async () => {
      const pair = await client.logIn('ada');
      const answer = await client.send('POST', '/auth/logout', { as: pair.accessToken });
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect((await client.get('/auth/me', { as: pair.accessToken })).status).toBe(401);
      expect(
        (await client.post('/auth/refresh', { refreshToken: pair.refreshToken })).status,
      ).toBeGreaterThanOrEqual(400);
      expect((await client.get('/auth/me', { as: ada.accessToken })).status).toBe(200);
    });

    it('CONTRACT-6 takes no API key', async () => {
      expect((await client.send('POST', '/auth/logout', { as: app.apiKey })).status).toBe(401);
    });
  });

  describe('GET /auth/me', () => {
    it('CONTRACT-6 shows the principal of a token', async () => {
      const { body } = await client.get('/auth/me', { as: ada.accessToken });
      expect(body).toEqual({
        type: 'user',
        id: await idOf('ada@example.com'),
        scopes: ['users:read', 'users:write'],
        roles: ['admin'],
      });
      const member = await client.get('/auth/me', { as: bob.accessToken });
      expect(member.body).toMatchObject({ scopes: ['users:read'], roles: ['member'] });
    });

    it('CONTRACT-6 shows the principal of a key', async () => {
      const { body } = await client.get('/auth/me', { headers: { 'x-api-key': app.apiKey } });
      expect(Object.keys(body).toSorted()).toEqual(['id', 'roles', 'scopes', 'type']);
      expect(body).toMatchObject({ type: 'api-key', scopes: ['users:read', 'users:write'] });
    });

    it('CONTRACT-1 challenges for both schemes without a credential', async () => {
      const answer = await client.get('/auth/me');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/Bearer .*Api-Key |Api-Key .*Bearer /);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });
  });

  describe('GET /users', () => {
    it.each(['key', 'token'])('CONTRACT-6 lists the users for a %s', async (kind) => {
      const answer = await client.get('/users', { as: kind === 'key' ? app.apiKey : bob.accessToken });
      expect(answer.status).toBe(200);
      const emails = (answer.body as unknown as { email: string }[]).map(({ email }) => email);
      expect(emails).toEqual(expect.arrayContaining(['ada@example.com', 'bob@example.com']));
      expect(answer.text).not.toMatch(/password|hash|salt/i);
    });

    it('CONTRACT-6 R-IV-20 sorts and cuts the list as asked', async () => {
      await client.post('/users', { ...newUser(), name: 'Aaron' }, { as: app.apiKey });
      const names = async (query: string) =>
        ((await client.get(`/users?${query}`, { as: app.apiKey })).body as unknown as { name: string }[]).map(
          ({ name }) => name,
        );
      expect((await names('sort=name&limit=2'))[0]).toBe('Aaron');
      expect(await names('limit=1')).toHaveLength(1);
      expect((await names('sort=createdAt'))[0]).toBe('Ada Lovelace');
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=1e1',
      'limit=0x10',
      'limit=',
      'limit=1.5',
      'limit=1&limit=2',
      'sort=role',
      'sort=',
    ])('CONTRACT-6 R-IV-20 refuses ?%s', async (query) => {
      const answer = await client.get(`/users?${query}`, { as: app.apiKey });
      expect(answer.status).toBe(400);
    });

    it('CONTRACT-2 names an unknown parameter', async () => {
      const answer = await client.get('/users?limt=5', { as: app.apiKey });
      expect(errorOf(answer)).toMatchObject({
        code: 'UNEXPECTED_FIELDS',
        details: [{ path: 'limt', rule: 'whitelist' }],
      });
    });

    it('CONTRACT-1 refuses a key in the URL', async () => {
      const answer = await client.get(`/users?api_key=${app.apiKey}`);
      expect([answer.status, errorOf(answer)['code']]).toEqual([400, 'INVALID_REQUEST']);
    });
  });

  describe('GET /users/:id', () => {
    it('CONTRACT-6 shows one user', async () => {
      const id = await idOf('bob@example.com');
      const answer = await client.get(`/users/${id}`, { as: app.apiKey });
      expect(answer.body).toMatchObject({ id, email: 'bob@example.com', role: 'member' });
    });

    it('CONTRACT-6 takes UUIDs only, and knows when there is no such user', async () => {
      const odd = await client.get('/users/1', { as: app.apiKey });
      expect([odd.status, errorOf(odd)['code']]).toEqual([400, 'VALIDATION_FAILED']);
      const unknown = await client.get(`/users/${randomUUID()}`, { as: app.apiKey });
      expect([unknown.status, errorOf(unknown)['code']]).toEqual([404, 'NOT_FOUND']);
    });
  });

  describe('POST /users', () => {
    it('CONTRACT-6 creates a user with all fields', async () => {
      const user = {
        ...newUser(),
        website: 'https://example.com/~grace?x=1',
        birthDate: '1906-12-09',
        bio: 'Wrote <b>compilers</b>.',
        address: { street: '1 Navy Way', city: 'Arlington', country: 'US' },
      };
      const answer = await client.post('/users', user, { as: app.apiKey });
      expect(answer.status).toBe(201);
      expect(answer.body).toMatchObject(user);
      expect(answer.body['id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    });

    it('CONTRACT-6 R-IV-23 keeps harmless HTML of the bio only', async () => {
      const bio = `<p onclick="x()">Hi <a href="javascript:alert(1)">there</a><script>alert(1)</script><img src=x onerror=alert(1)></p>`;
      const { body } = await client.post('/users', { ...newUser(), bio }, { as: app.apiKey });
      expect(body['bio']).toBe('<p>Hi <a>there</a></p>');
    });

    it.each<[string, Record<string, unknown>, string]>([
      ['no e-mail address', { email: undefined }, 'email'],
      ['a wrong e-mail address', { email: 'nobody' }, 'email'],
      ['an empty name', { name: '' }, 'name'],
      ['a name that is too long', { name: 'x'.repeat(101) }, 'name'],
      ['a name that is no string', { name: ['Ada'] }, 'name'],
      ['an unknown role', { role: 'root' }, 'role'],
      ['a script as website', { website: 'javascript:alert(1)' }, 'website'],
      ['a website without scheme', { website: 'example.com' }, 'website'],
      ['a day that does not exist', { birthDate: '2023-02-30' }, 'birthDate'],
      ['a time instead of a day', { birthDate: '2023-02-03T00:00:00Z' }, 'birthDate'],
      ['null for an optional field', { bio: null }, 'bio'],
      ['a bio that is too long', { bio: 'x'.repeat(5001) }, 'bio'],
      ['half an address', { address: { street: 'x', city: 'y' } }, 'address.country'],
    ])('CONTRACT-6 refuses %s', async (_, change, path) => {
      const answer = await client.post('/users', { ...newUser(), ...change }, { as: app.apiKey });
      expect(answer.status).toBe(400);
      const { code, details } = errorOf(answer);
      expect(code).toBe('VALIDATION_FAILED');
      expect((details as { path: string }[]).map((detail) => detail.path)).toContain(path);
    });

    it('CONTRACT-2 R-IV-11 names unexpected fields at any depth', async () => {
      const address = { street: 'x', city: 'y', country: 'z', planet: 'Earth' };
      const answer = await client.post(
        '/users',
        { ...newUser(), id: randomUUID(), address },
        { as: app.apiKey },
      );
      expect(answer.status).toBe(400);
      expect(errorOf(answer)).toMatchObject({
        code: 'UNEXPECTED_FIELDS',
        message: 'Unexpected fields in request',
      });
      const paths = (errorOf(answer)['details'] as { path: string }[]).map(({ path }) => path);
      expect(paths.toSorted()).toEqual(['address.planet', 'id']);
    });

    it('CONTRACT-2 refuses a second user of the same address', async () => {
      const answer = await client.post(
        '/users',
        { ...newUser(), email: 'Ada@Example.com' },
        { as: app.apiKey },
      );
      expect([answer.status, errorOf(answer)['code']]).toEqual([409, 'CONFLICT']);
    });

    it('CONTRACT-6 asks for users:write', async () => {
      const answer = await client.post('/users', newUser(), { as: bob.accessToken });
      expect(answer.status).toBe(403);
      expect(errorOf(answer)).toMatchObject({ code: 'INSUFFICIENT_SCOPE', requiredScopes: ['users:write'] });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });
  });

  describe('PATCH and DELETE /users/:id', () => {
    it('CONTRACT-6 lets an admin change and remove a user', async () => {
      const { body: user } = await client.post('/users', newUser(), { as: ada.accessToken });
      const path = `/users/${String(user['id'])}`;
      const changed = await client.send('PATCH', path, {
        as: ada.accessToken,
        json: { name: 'Rear Admiral' },
      });
      expect(changed.status).toBe(200);
      expect(changed.body).toEqual({ ...user, name: 'Rear Admiral' });
      const removed = await client.send('DELETE', path, { as: ada.accessToken });
      expect([removed.status, removed.text]).toEqual([204, '']);
      expect((await client.get(path, { as: app.apiKey })).status).toBe(404);
    });

    it.each(['PATCH', 'DELETE'])('CONTRACT-6 refuses %s to members and to keys', async (method) => {
      const path = `/users/${await idOf('ada@example.com')}`;
      const json = method === 'PATCH' ? { name: 'Eve' } : undefined;
      const member = await client.send(method, path, { as: bob.accessToken, json });
      expect([member.status, errorOf(member)['code']]).toEqual([403, 'FORBIDDEN']);
      expect((await client.send(method, path, { as: app.apiKey, json })).status).toBe(401);
    });

    it('CONTRACT-6 R-IV-13 tells absent from null and refuses fields of the server', async () => {
      const path = `/users/${await idOf('bob@example.com')}`;
      for (const json of [
        { name: null },
        { role: 'root' },
        { createdAt: '2020-01-01T00:00:00Z' },
        { id: randomUUID() },
      ]) {
        expect((await client.send('PATCH', path, { as: ada.accessToken, json })).status).toBe(400);
      }
    });
  });

  describe('/api-keys', () => {
    it('CONTRACT-6 R-AK-05 shows a new key once, and it works', async () => {
      const issued = await client.post(
        '/api-keys',
        {
          name: 'nightly export',
          scopes: ['users:read'],
          expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
        },
        { as: bob.accessToken },
      );
      expect(issued.status).toBe(201);
      expect(issued.headers.get('cache-control')).toBe('no-store');
      const key = String(issued.body['key']);
      expect((await client.get('/users', { as: key })).status).toBe(200);
      const list = await client.get('/api-keys', { as: bob.accessToken });
      expect(list.body).toEqual([expect.objectContaining({ id: issued.body['id'], name: 'nightly export' })]);
      expect(list.text).not.toContain(key);
      expect(list.text).not.toMatch(/digest|secret/i);
    });

    it('CONTRACT-6 R-AK-15 gives a key no scope that its maker lacks', async () => {
      const answer = await client.post(
        '/api-keys',
        { name: 'more', scopes: ['users:write'] },
        { as: bob.accessToken },
      );
      expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'FORBIDDEN']);
    });

    it('CONTRACT-6 rotates with an overlap and revokes at once', async () => {
      const old = (
        await client.post('/api-keys', { name: 'job', scopes: ['users:read'] }, { as: ada.accessToken })
      ).body;
      const rotated = await client.send('POST', `/api-keys/${String(old['id'])}/rotate`, {
        as: ada.accessToken,
      });
      expect([200, 201]).toContain(rotated.status);
      const [before, after] = [String(old['key']), String(rotated.body['key'])];
      expect(after).not.toBe(before);
      expect((await client.get('/users', { as: before })).status).toBe(200);
      expect((await client.get('/users', { as: after })).status).toBe(200);
      const revoked = await client.send('DELETE', `/api-keys/${String(rotated.body['id'])}`, {
        as: ada.accessToken,
      });
      expect([revoked.status, revoked.text]).toEqual([204, '']);
      expect((await client.get('/users', { as: after })).status).toBe(401);
    });

    it("CONTRACT-6 hides other people's keys", async () => {
      const { id } = (
        await client.post('/api-keys', { name: 'mine', scopes: ['users:read'] }, { as: ada.accessToken })
      ).body;
      for (const [method, path] of [
        ['POST', `/api-keys/${String(id)}/rotate`],
        ['DELETE', `/api-keys/${String(id)}`],
      ] as const) {
        expect((await client.send(method, path, { as: bob.accessToken })).status).toBe(404);
      }
      const list = await client.get('/api-keys', { as: bob.accessToken });
      expect(list.text).not.toContain(String(id));
    });

    it.each(['GET', 'POST'])('CONTRACT-6 refuses %s to an API key', async (method) => {
      const json = method === 'POST' ? { name: 'child', scopes: ['users:read'] } : undefined;
      expect((await client.send(method, '/api-keys', { as: app.apiKey, json })).status).toBe(401);
    });
  });

  describe('/docs', () => {
    it('CONTRACT-6 describes schemes, scopes, errors and limits as they are enforced', async () => {
      const { status, body } = await client.get('/docs-json');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        paths: {
          '/users': {
            get: {
              security: [{ 'api-key': ['users:read'] }, { jwt: ['users:read'] }],
              'x-rate-limits': [{ limit: 5000, windowSeconds: 60 }],
            },
            post: { security: [{ 'api-key': ['users:write'] }, { jwt: ['users:write'] }] },
          },
          '/users/{id}': { delete: { security: [{ jwt: [] }], 'x-required-roles': [['admin']] } },
          '/auth/token': {
            post: { security: [], 'x-rate-limits': [{ limit: 5, windowSeconds: 60 }, { limit: 60 }] },
          },
          '/auth/sessions': { get: { security: [{ jwt: [] }] } },
        },
        components: {
          securitySchemes: { 'api-key': { in: 'header' }, jwt: { scheme: 'bearer' } },
          schemas: {
            CreateUserDto: { additionalProperties: false },
            PasswordCredentialsDto: { additionalProperties: false, required: ['email', 'password'] },
            AddressDto: { additionalProperties: false },
          },
        },
      });
    });

    it('CONTRACT-6 CONTRACT-4 serves a page under a policy of its own, and all that it loads', async () => {
      const page = await client.get('/docs');
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain('unsafe');
      expect(page.text).not.toMatch(/<script>|<style|style=| on\w+=/);
      const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
      expect(files.length).toBeGreaterThanOrEqual(4);
      for (const file of files) {
        const asset = await client.get(file);
        expect([file, asset.status]).toEqual([file, 200]);
        expect(asset.headers.get('content-type')).toMatch(/^(text\/javascript|text\/css|image\/png)/);
      }
      expect((await client.get('/docs/assets/package.json')).status).toBe(404);
      expect((await client.get('/health')).headers.get('content-security-policy')).toContain(
        "default-src 'none'",
      );
    });
  });

  it('CONTRACT-4 puts the headers on answers of every kind', async () => {
    const answers = [
      await client.get('/health'),
      await client.get('/nowhere'),
      await client.get('/users'),
      await client.send('POST', '/users', {
        as: app.apiKey,
        headers: { 'content-type': 'text/plain' },
        json: {},
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 401, 415]);
    for (const { headers } of answers) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('strict-transport-security')).toBeNull();
    }
  });

  it('CONTRACT-6 R-AK-10 ends tokens and keys of a user who is removed', async () => {
    const { body: key } = await client.post(
      '/api-keys',
      { name: 'last', scopes: ['users:read'] },
      { as: bob.accessToken },
    );
    const path = `/users/${await idOf('bob@example.com')}`;
    expect((await client.send('DELETE', path, { as: ada.accessToken })).status).toBe(204);
    expect((await client.get('/auth/me', { as: bob.accessToken })).status).toBe(401);
    expect((await client.get('/auth/me', { as: String(key['key']) })).status).toBe(401);
    expect(
      (await client.post('/auth/refresh', { refreshToken: bob.refreshToken })).status,
    ).toBeGreaterThanOrEqual(400);
  });
});

describe.each(ADAPTERS)('quickstart modes on %s', (ADAPTER) => {
  const running: Quickstart[] = [];
  const start = async (environment: Record<string, string>) => {
    const app = await build.start({ ADAPTER, ...environment });
    running.push(app);
    return new QuickstartClient(app);
  };
  afterAll(() => Promise.all(running.map((app) => app.stop())));

  it('CONTRACT-6 allows 100 reads and 20 writes a minute', async () => {
    const client = await start({});
    const as = client.app.apiKey;
    expect((await client.get('/users', { as })).headers.get('x-ratelimit-limit')).toBe('100');
    const statuses = [];
    for (let i = 0; i < 21; i++) {
      const { status } = await client.post(
        '/users',
        { email: `u${i}@example.com`, name: 'U', role: 'member' },
        { as },
      );
      statuses.push(status);
    }
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 201), 429]);
  });

  it('CONTRACT-6 READ_LIMIT and WRITE_LIMIT set the limits', async () => {
    const client = await start({ READ_LIMIT: '2', WRITE_LIMIT: '3' });
    const as = client.app.apiKey;
    const [first, second, third] = [
      await client.get('/users', { as }),
      await client.get(`/users/${randomUUID()}`, { as }),
      await client.get('/users?limit=1', { as }),
    ];
    expect([first.status, second.status, third.status]).toEqual([200, 404, 429]);
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    expect(third.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(errorOf(third)).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfter: Number(third.headers.get('retry-after')),
    });
    const write = await client.post('/users', {}, { as });
    expect([write.status, write.headers.get('x-ratelimit-limit')]).toEqual([400, '3']);
  });

  it('CONTRACT-6 DEMO_PASSWORD sets the password', async () => {
    const client = await start({ DEMO_PASSWORD: 'open sesame' });
    expect((await client.logIn('bob', 'open sesame')).tokenType).toBe('Bearer');
    await expect(client.logIn('bob')).rejects.toThrow('401');
  });

  it('CONTRACT-5 HTTPS=reject refuses plain HTTP before anything else', async () => {
    const client = await start({ HTTPS: 'reject' });
    for (const answer of [
      await client.get('/health'),
      await client.get('/users', { as: client.app.apiKey }),
      await client.post('/auth/token', { email: 'ada@example.com', password: 'x' }),
      await client.get('/health', { headers: { 'x-forwarded-proto': 'https' } }),
    ]) {
      expect([answer.status, errorOf(answer)['code']]).toEqual([403, 'HTTPS_REQUIRED']);
      expect(answer.headers.get('strict-transport-security')).toBeNull();
      expect(answer.headers.get('connection')).toBe('close');
    }
  });

  it('CONTRACT-5 HTTPS=redirect sends harmless reads to PUBLIC_HOST', async () => {
    const client = await start({ HTTPS: 'redirect', PUBLIC_HOST: 'api.example.com' });
    const redirected = await client.get('/users?limit=1', {
      headers: { 'x-forwarded-host': 'evil.example' },
    });
    expect(redirected.status).toBe(308);
    expect(redirected.headers.get('location')).toBe('https://api.example.com/users?limit=1');
    expect((await client.get('/users', { as: client.app.apiKey })).status).toBe(403);
    expect((await client.post('/auth/refresh', { refreshToken: 'x' })).status).toBe(403);
  });

  it('CONTRACT-5 CONTRACT-6 TRUST_PROXY makes the proxy believed: protocol and address', async () => {
    const client = await start({ HTTPS: 'reject', TRUST_PROXY: 'loopback', READ_LIMIT: '2' });
    const first = await client.get('/health', throughProxy('192.0.2.1'));
    expect(first.status).toBe(200);
    expect(first.headers.get('strict-transport-security')).toMatch(/max-age=\d{8}/);
    expect((await client.get('/health', { headers: { 'x-forwarded-proto': 'http' } })).status).toBe(403);
    await client.get('/health', throughProxy('192.0.2.1'));
    expect((await client.get('/health', throughProxy('192.0.2.1'))).status).toBe(429);
    expect((await client.get('/health', throughProxy('192.0.2.2'))).status).toBe(200);
  });

  it('CONTRACT-6 TRUST_PROXY takes a number of hops', async () => {
    const client = await start({ TRUST_PROXY: '1', READ_LIMIT: '1' });
    const get = (address: string) => client.get('/health', { headers: { 'x-forwarded-for': address } });
    expect((await get('198.51.100.9, 192.0.2.1')).status).toBe(200);
    expect((await get('198.51.100.8, 192.0.2.1')).status).toBe(429);
    expect((await get('198.51.100.8, 192.0.2.2')).status).toBe(200);
  });

  it('CONTRACT-3 forwarding headers of strangers change no counter', async () => {
    const client = await start({ READ_LIMIT: '1' });
    const get = (address: string) => client.get('/health', { headers: { 'x-forwarded-for': address } });
    expect([(await get('192.0.2.1')).status, (await get('192.0.2.2')).status]).toEqual([200, 429]);
  });
});

describe('quickstart configuration', () => {
  it.each([
    ['PORT', '70000'],
    ['ADAPTER', 'koa'],
    ['HTTPS', 'maybe'],
    ['READ_LIMIT', '0'],
    ['WRITE_LIMIT', '1e9'],
    ['REDIS_URL', 'http://localhost'],
    ['DATABASE_URL', 'oracle://localhost/x'],
    ['TRUST_PROXY', 'true'],
  ])('CONTRACT-6 does not start with %s=%s, and says why', async (name, value) => {
    const { code, output } = await build.failToStart({ [name]: value });
    expect(code).toBe(1);
    expect(output).toMatch(name === 'TRUST_PROXY' ? /trust/i : new RegExp(name));
    expect(output).not.toContain('listens on');
  });
});
