import type { INestApplicationContext } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';

import { applySecurityToDocument } from '../../lib/openapi/index.js';
import { toOpenApiPath } from '../../lib/openapi/operations.js';
import { createMeter } from '../../lib/policy/limit-meter.js';
import type { AuthorizationPolicy, RateLimitRule, RoutePolicy } from '../../lib/policy/route-policy.js';

const RULE: RateLimitRule = {
  name: 'read',
  meter: createMeter({ bucket: 'read', limit: 100, windowMs: 60_000 }),
  cost: 1,
  by: 'principal',
  countOnly: undefined,
};

interface RouteInit {
  readonly mode?: 'public' | 'required';
  readonly schemes?: RoutePolicy['authentication']['schemes'];
  readonly authorization?: Partial<AuthorizationPolicy>;
  readonly limits?: readonly RateLimitRule[];
  readonly takesBody?: boolean;
  readonly handler?: string;
  readonly version?: string;
}

function route(method: string, path: string, init: RouteInit = {}): RoutePolicy {
  const rules = { early: init.limits ?? [], late: [] };
  return {
    id: `${method} ${path}`,
    handler: init.handler ?? 'Controller.method',
    locations: [{ method, path, version: init.version, host: undefined }],
    authentication: {
      mode: init.mode ?? 'required',
      schemes: init.schemes ?? [],
      challenges: [],
      dpopRequired: false,
    },
    authorization: { scopes: [], roles: [], userOnly: false, ...init.authorization },
    rateLimit: { read: rules, write: rules },
    body: { declared: init.takesBody ?? false, maxBytes: 1, mediaTypes: [] },
    query: undefined,
    headers: new Map(),
  };
}

function appWith(...policies: RoutePolicy[]): INestApplicationContext {
  return { get: () => ({ policies }) } as unknown as INestApplicationContext;
}

function documentOf(paths: OpenAPIObject['paths'], more: Partial<OpenAPIObject> = {}): OpenAPIObject {
  return { openapi: '3.1.0', info: { title: 't', version: '1' }, paths, ...more };
}

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const object = (properties: Record<string, object>) => ({ type: 'object', properties });

const KEY = { scheme: 'api-key', scopes: ['items:read'] } as const;
const JWT = { scheme: 'jwt', scopes: [] } as const;

describe('applySecurityToDocument', () => {
  it('CONTRACT-6 names each scheme that a route takes, with the scopes of the scheme and of the route', () => {
    const document = documentOf({ '/items/{id}': { get: { responses: {} } } });
    const app = appWith(
      route('GET', '/items/:id', { schemes: [KEY, JWT], authorization: { scopes: ['items:list'] } }),
    );
    const secured = applySecurityToDocument(app, document);
    expect(secured.paths['/items/{id}']!.get!.security).toEqual([
      { 'api-key': ['items:list', 'items:read'] },
      { jwt: ['items:list'] },
    ]);
    expect(secured.components!.securitySchemes).toMatchObject({
      'api-key': { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      jwt: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
    });
  });

  it('CONTRACT-6 leaves scopes out of `security` where OpenAPI 3.0 forbids them, and says them elsewhere', () => {
    const document = documentOf({ '/items': { get: { responses: {} } } }, { openapi: '3.0.0' });
    const { get } = applySecurityToDocument(appWith(route('GET', '/items', { schemes: [KEY] })), document)
      .paths['/items']!;
    expect(get).toMatchObject({ security: [{ 'api-key': [] }], 'x-required-scopes': ['items:read'] });
    expect(get!.responses['403']).toMatchObject({ description: 'Needs the scopes items:read' });
  });

  it('CONTRACT-6 says that a public route needs nothing', () => {
    const document = documentOf({ '/health': { get: { responses: {} } } });
    const app = appWith(route('GET', '/health', { mode: 'public', schemes: [KEY, JWT] }));
    const { get } = applySecurityToDocument(app, document).paths['/health']!;
    expect(get!.security).toEqual([]);
    expect(Object.keys(get!.responses)).toEqual(['400', '401']);
  });

  it('CONTRACT-2 adds the failures that the policy can lead to, in the envelope', () => {
    const document = documentOf({ '/items': { post: { responses: { '201': { description: 'made' } } } } });
    const app = appWith(
      route('POST', '/items', {
        schemes: [JWT],
        authorization: { roles: [['admin', 'support'], []] },
        limits: [RULE],
        takesBody: true,
      }),
    );
    const secured = applySecurityToDocument(app, document);
    const { post } = secured.paths['/items']!;
    expect(Object.keys(post!.responses)).toEqual(['201', '400', '401', '403', '413', '415', '429', '503']);
    expect(post!.responses['403']).toMatchObject({
      description: 'Needs a role of: admin, support; a role that nobody has',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/SecurityError' } } },
    });
    expect(post).toMatchObject({ 'x-required-roles': [['admin', 'support'], []] });
    const referred = Object.values(post!.responses).flatMap((response) => {
      const name = response && '$ref' in response ? response.$ref.split('/').at(-1) : undefined;
      return name === undefined ? [] : [name];
    });
    expect(Object.keys(secured.components!.responses!)).toEqual(expect.arrayContaining(referred));
  });

  it('CONTRACT-3 describes limits and the headers that carry them', () => {
    const document = documentOf({
      '/items': { get: { responses: { '200': { description: 'ok' }, '404': { description: 'none' } } } },
    });
    const app = appWith(route('GET', '/items', { schemes: [KEY], limits: [RULE] }));
    const { get } = applySecurityToDocument(app, document).paths['/items']!;
    expect(get).toMatchObject({
      'x-rate-limits': [{ name: 'read', limit: 100, windowSeconds: 60, cost: 1 }],
    });
    for (const status of ['200', '404']) {
      expect(Object.keys((get!.responses[status] as { headers: object }).headers)).toEqual([
        'X-RateLimit-Limit',
        'X-RateLimit-Remaining',
        'X-RateLimit-Reset',
      ]);
    }
    expect(get!.responses['429']).toEqual({ $ref: '#/components/responses/RateLimited' });
  });

  it('keeps what the document says already, and the document itself', () => {
    const own = { description: 'my own words' };
    const document = documentOf({ '/items': { get: { responses: { '401': own } } } });
    const before = structuredClone(document);
    const secured = applySecurityToDocument(appWith(route('GET', '/items', { schemes: [KEY] })), document);
    expect(secured.paths['/items']!.get!.responses['401']).toEqual(own);
    expect(document).toEqual(before);
  });

  it('leaves routes alone that the module does not know', () => {
    const document = documentOf({ '/raw': { get: { responses: {} } } });
    expect(applySecurityToDocument(appWith(), document).paths).toEqual(document.paths);
  });

  it('R-IV-11 closes the schemas of bodies, nested ones too, and no others', () => {
    const content = { 'application/json': { schema: reference('Create') } };
    const document = documentOf(
      { '/items': { post: { requestBody: { content }, responses: {} } } },
      {
        components: {
          schemas: {
            Create: object({
              parts: { type: 'array', items: reference('Part') },
              either: { oneOf: [reference('Mixed')] },
            }),
            Part: object({ parent: reference('Create'), one: { allOf: [reference('Single')] } }),
            Single: object({ a: {} }),
            Mixed: { allOf: [reference('Single'), reference('Answer')] },
            Empty: { type: 'object', properties: {} },
            Answer: object({ b: {} }),
          },
        },
      },
    );
    const app = appWith(route('POST', '/items', { schemes: [JWT], takesBody: true }));
    const { schemas } = applySecurityToDocument(app, document).components!;
    const closed = Object.entries(schemas!).filter(
      ([, schema]) => (schema as { additionalProperties?: unknown }).additionalProperties === false,
    );
    expect(closed.map(([name]) => name).toSorted()).toEqual(['Create', 'Part', 'Single']);
  });

  it('R-AK-14 offers no key where only users may call', () => {
    const document = documentOf({ '/me': { get: { responses: {} } } });
    const app = appWith(route('GET', '/me', { schemes: [KEY, JWT], authorization: { userOnly: true } }));
    expect(applySecurityToDocument(app, document).paths['/me']!.get!.security).toEqual([{ jwt: [] }]);
  });

  it('describes OAuth by its flow where the endpoints are known, as a bearer token otherwise', () => {
    const document = documentOf({ '/a': { get: { responses: {} } } }, { openapi: '3.0.0' });
    const app = appWith(route('GET', '/a', { schemes: [{ scheme: 'oauth2', scopes: ['a:read'] }] }));
    expect(applySecurityToDocument(app, document).components!.securitySchemes).toMatchObject({
      oauth2: { type: 'http', scheme: 'bearer' },
    });
    const oauth2 = { authorizationUrl: 'https://id.example/authorize', tokenUrl: 'https://id.example/token' };
    const secured = applySecurityToDocument(app, document, { oauth2 });
    expect(secured.components!.securitySchemes).toMatchObject({
      oauth2: { type: 'oauth2', flows: { authorizationCode: { ...oauth2, scopes: { 'a:read': 'a:read' } } } },
    });
    expect(secured.paths['/a']!.get!.security).toEqual([{ oauth2: ['a:read'] }]);
  });

  it('tells versions of one address apart by the handler', () => {
    const document = documentOf({ '/a': { get: { operationId: 'NewController_get_v2', responses: {} } } });
    const app = appWith(
      route('GET', '/a', { mode: 'public', handler: 'OldController.get', version: '1' }),
      route('ALL', '/a', { schemes: [JWT], handler: 'NewController.get', version: '2' }),
    );
    expect(applySecurityToDocument(app, document).paths['/a']!.get!.security).toEqual([{ jwt: [] }]);
  });
});

describe('toOpenApiPath', () => {
  it.each([
    ['/users/:id', '/users/{id}'],
    ['users/:userId/items/:itemId/', '/users/{userId}/items/{itemId}'],
    ['/files/*path', '/files/{path}'],
    ['//a//b', '/a/b'],
    ['/', '/'],
  ])('writes %s as %s', (path, expected) => {
    expect(toOpenApiPath(path)).toBe(expected);
  });
});
