import type { OpenAPIObject } from '@nestjs/swagger';

type Components = NonNullable<OpenAPIObject['components']>;
type Response = NonNullable<Components['responses']>[string];

const INTEGER = { type: 'integer' };

/** Name of the schema of the error envelope in the document. */
export const ERROR_SCHEMA = 'SecurityError';

/** The envelope that every failure comes in, as docs/http-contract.md describes it. */
export const ERROR_SCHEMAS: NonNullable<Components['schemas']> = {
  [ERROR_SCHEMA]: {
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string', description: 'Stable, for programs', example: 'RATE_LIMITED' },
          message: { type: 'string', description: 'For people' },
          retryAfter: { ...INTEGER, description: 'Whole seconds to wait, as in the header Retry-After' },
          requiredScopes: { type: 'array', items: { type: 'string' } },
          details: {
            type: 'array',
            items: {
              type: 'object',
              required: ['path', 'rule', 'message'],
              properties: {
                path: { type: 'string', description: 'Where in the input', example: 'items[2].sku' },
                rule: { type: 'string', description: 'The rule that it breaks', example: 'isEmail' },
                message: { type: 'string' },
              },
            },
          },
        },
      },
    },
  },
};

/** Headers on every response of a limited route, whatever its status. */
export const RATE_LIMIT_HEADERS: NonNullable<Components['headers']> = {
  'X-RateLimit-Limit': { description: 'Units that the limit closest to running out allows', schema: INTEGER },
  'X-RateLimit-Remaining': { description: 'Units left in it', schema: INTEGER },
  'X-RateLimit-Reset': { description: 'When units come back, in epoch seconds', schema: INTEGER },
};

const RETRY_AFTER = { 'Retry-After': { description: 'Whole seconds to wait', schema: INTEGER } };

/** References to the rate-limit headers, for a response of a limited route. */
export function rateLimitHeaderReferences(): Record<string, { $ref: string }> {
  return Object.fromEntries(
    Object.keys(RATE_LIMIT_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

/** An answer that holds the envelope. */
export function errorResponse(description: string, headers?: NonNullable<Components['headers']>): Response {
  return {
    description,
    ...(headers && { headers }),
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${ERROR_SCHEMA}` } } },
  };
}

/** The failures that read alike on every operation. */
export const ERROR_RESPONSES: NonNullable<Components['responses']> = {
  BadRequest: errorResponse('The request is malformed, or its input breaks a rule'),
  Unauthenticated: errorResponse('No credential, or a bad one', {
    'WWW-Authenticate': { description: 'One challenge for each accepted scheme', schema: { type: 'string' } },
  }),
  PayloadTooLarge: errorResponse('The body is over the byte limit'),
  UnsupportedMediaType: errorResponse('The body is of a media type or charset that is not accepted'),
  RateLimited: errorResponse('Over a limit', { ...rateLimitHeaderReferences(), ...RETRY_AFTER }),
  Unavailable: errorResponse('Something that the decision depends on is down', RETRY_AFTER),
};
