import type { INestApplicationContext } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';

import type { ScopeDescriptions } from '../authorization/scope-descriptions.js';
import { PolicyRegistry } from '../policy/policy-registry.js';
import type { CredentialScheme, RateLimitRule, RoutePolicy } from '../policy/route-policy.js';
import { knownShapes } from '../validation/dto-shape.js';
import { markFormats } from './declared-formats.js';
import {
  ERROR_RESPONSES,
  ERROR_SCHEMAS,
  errorResponse,
  RATE_LIMIT_HEADERS,
  rateLimitHeaderReferences,
} from './error-components.js';
import { matchOperations, type Operation, type SecuredOperation } from './operations.js';
import { closeBodySchemas } from './strict-schemas.js';

/** What the document cannot learn from the routes. */
export interface SecurityDocumentOptions {
  /** The header in which tools should send an API key; `X-API-Key` by default. */
  readonly apiKeyHeader?: 'X-API-Key' | 'Authorization';
  /** Endpoints of the authorization server; without them OAuth tokens are described as bearer tokens. */
  readonly oauth2?: {
    readonly authorizationUrl: string;
    readonly tokenUrl: string;
    /** What each scope allows, in words. */
    readonly scopes?: ScopeDescriptions;
  };
}

type SecurityScheme = NonNullable<NonNullable<OpenAPIObject['components']>['securitySchemes']>[string];
type Extended = Operation & { [extension: `x-${string}`]: unknown };

const SAFE_METHODS: readonly string[] = ['get', 'head', 'options'];

/**
 * Writes into an OpenAPI document what the routes' policies enforce: security schemes, the credential and scopes of each
 * operation, the failures it can answer with, the rate-limit headers, that bodies take no unknown fields, and which fields are secret or of a format.
 * What the document already says about a response stays.
 *
 * OpenAPI 3.0 allows scopes in `security` for OAuth only; there they are found in `x-required-scopes`. From 3.1 on they are in both.
 *
 * @param app an initialised application: policies are compiled by `app.init()`
 * @param document as `SwaggerModule.createDocument()` made it; it is left unchanged
 * @returns a new document
 * @example
 * await app.init();
 * const document = applySecurityToDocument(app, SwaggerModule.createDocument(app, config));
 */
export function applySecurityToDocument(
  app: INestApplicationContext,
  document: OpenAPIObject,
  options: SecurityDocumentOptions = {},
): OpenAPIObject {
  const secured = JSON.parse(JSON.stringify(document)) as OpenAPIObject;
  const components = (secured.components ??= {});
  components.schemas = { ...components.schemas, ...ERROR_SCHEMAS };
  components.responses = { ...components.responses, ...ERROR_RESPONSES };
  components.headers = { ...components.headers, ...RATE_LIMIT_HEADERS };

  const operations = matchOperations(secured, app.get(PolicyRegistry, { strict: false }).policies);
  const scopesOf = new Map<CredentialScheme, Set<string>>();
  const scopesInSecurity = !secured.openapi.startsWith('3.0');
  for (const entry of operations) describe(entry, scopesOf, scopesInSecurity, options.oauth2 !== undefined);

  components.securitySchemes = {
    ...Object.fromEntries(
      [...scopesOf].map(([scheme, scopes]) => [scheme, schemeObject(scheme, scopes, options)]),
    ),
    ...components.securitySchemes,
  };
  closeBodySchemas(
    operations.map(({ operation }) => operation),
    components.schemas,
  );
  markFormats(components.schemas, knownShapes());
  return secured;
}

function describe(
  { method, operation, policy }: SecuredOperation,
  scopesOf: Map<CredentialScheme, Set<string>>,
  scopesInSecurity: boolean,
  withOAuthFlows: boolean,
): void {
  const { authentication, authorization, body } = policy;
  const isPublic = authentication.mode === 'public';
  const rules = SAFE_METHODS.includes(method) ? policy.rateLimit.read : policy.rateLimit.write;
  const limits = [...rules.early, ...rules.late];
  const limited = limits.length > 0 || rules.computed !== undefined;
  const extended = operation as Extended;

  const alternatives = isPublic ? [] : acceptedSchemes(policy);
  extended.security = alternatives.map(({ scheme, scopes }) => {
    const known = scopesOf.get(scheme) ?? new Set();
    scopesOf.set(scheme, new Set([...known, ...scopes]));
    return { [scheme]: scopesInSecurity || (scheme === 'oauth2' && withOAuthFlows) ? scopes : [] };
  });
  const scopes = [...new Set(alternatives.flatMap((alternative) => alternative.scopes))].toSorted();
  if (scopes.length > 0) extended['x-required-scopes'] = scopes;
  if (authorization.roles.length > 0) extended['x-required-roles'] = authorization.roles;
  if (limits.length > 0) extended['x-rate-limits'] = limits.map(describeLimit);

  const responses = extended.responses;
  if (limited) addRateLimitHeaders(responses);
  const refer = (status: number, name: string): void => {
    responses[status] ??= { $ref: `#/components/responses/${name}` };
  };
  refer(400, 'BadRequest');
  refer(401, 'Unauthenticated');
  const demands = describeDemands(policy, scopes);
  if (!isPublic && demands.length > 0) responses['403'] ??= errorResponse(`Needs ${demands.join('; ')}`);
  if (body.declared) {
    refer(413, 'PayloadTooLarge');
    refer(415, 'UnsupportedMediaType');
  }
  if (limited) refer(429, 'RateLimited');
  if (!isPublic || limited) refer(503, 'Unavailable');
}

function acceptedSchemes({
  authentication,
  authorization,
}: RoutePolicy): { scheme: CredentialScheme; scopes: string[] }[] {
  return authentication.schemes
    .filter(({ scheme }) => !((authorization.userOnly || authorization.stepUp) && scheme === 'api-key'))
    .map(({ scheme, scopes }) => ({
      scheme,
      scopes: [...new Set([...scopes, ...authorization.scopes])].toSorted(),
    }));
}

function describeDemands({ authorization }: RoutePolicy, scopes: readonly string[]): string[] {
  return [
    ...(scopes.length > 0 ? [`the scopes ${scopes.join(', ')}`] : []),
    ...authorization.roles.map((anyOf) =>
      anyOf.length > 0 ? `a role of: ${anyOf.join(', ')}` : 'a role that nobody has',
    ),
    ...(authorization.userOnly ? ['a user, not a program'] : []),
  ];
}

function describeLimit({ name, meter, cost }: RateLimitRule): Record<string, unknown> {
  const { algorithm, limit, windowMs, burst } = meter;
  return {
    name,
    limit,
    ...(algorithm === 'concurrency' ? {} : { windowSeconds: windowMs / 1_000 }),
    ...(algorithm === 'sliding-window' ? {} : { algorithm }),
    ...(algorithm === 'token-bucket' ? { burst } : {}),
    cost: typeof cost === 'number' ? cost : 'computed from the request',
  };
}

function addRateLimitHeaders(responses: Operation['responses']): void {
  for (const response of Object.values(responses)) {
    if (response && !('$ref' in response)) {
      response.headers = { ...rateLimitHeaderReferences(), ...response.headers };
    }
  }
}

function schemeObject(
  scheme: CredentialScheme,
  scopes: ReadonlySet<string>,
  { apiKeyHeader = 'X-API-Key', oauth2 }: SecurityDocumentOptions,
): SecurityScheme {
  switch (scheme) {
    case 'api-key':
      return {
        type: 'apiKey',
        in: 'header',
        name: apiKeyHeader,
        description: 'The key as `Authorization: Api-Key <key>` or `X-API-Key: <key>`; never in the URL.',
      };
    case 'jwt':
      return {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'An access token of this application.',
      };
    case 'oauth2': {
      const description = 'An access token by which a third party acts for a user.';
      if (!oauth2) return { type: 'http', scheme: 'bearer', description };
      const { scopes: words = {}, ...urls } = oauth2;
      const named = Object.fromEntries([...scopes].toSorted().map((scope) => [scope, words[scope] ?? scope]));
      return { type: 'oauth2', description, flows: { authorizationCode: { ...urls, scopes: named } } };
    }
    default:
      return scheme satisfies never;
  }
}
