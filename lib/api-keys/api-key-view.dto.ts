import type { ApiKeyInfo, ApiKeyUsage, IssuedApiKey } from '../authentication/api-key/api-key.service.js';
import { maskKey } from '../authentication/api-key/key-format.js';
import { described, type OpenApiMetadata } from './openapi-metadata.js';

// Swagger knows a lazy type by the name of the function, which is that of the property.
const required = (type: unknown, more: object = {}) => ({ required: true, type: () => type, ...more });
const optional = (type: unknown, more: object = {}) => ({ required: false, type: () => type, ...more });

/** A key as it is shown: nothing of it opens a door. Times are texts in UTC. */
export class ApiKeyDto {
  id!: string;
  name!: string;
  /** How the key begins and ends. */
  hint!: string;
  prefix!: string;
  environment!: string;
  last4!: string;
  scopes!: readonly string[];
  roles!: readonly string[];
  allowedAddresses!: readonly string[];
  metadata!: Readonly<Record<string, string>>;
  limits?: unknown;
  createdAt!: string;
  expiresAt?: string | undefined;
  overlapEndsAt?: string | undefined;
  revokedAt?: string | undefined;
  exposedAt?: string | undefined;
  exposure?: string | undefined;
  lastUsedAt?: string | undefined;
  lastUsedFrom?: string | undefined;
  predecessor?: string | undefined;
  successor?: string | undefined;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      id: required(String),
      name: required(String),
      hint: required(String, { description: 'How the key begins and ends' }),
      prefix: required(String),
      environment: required(String, { enum: ['live', 'test'] }),
      last4: required(String),
      scopes: required([String]),
      roles: required([String]),
      allowedAddresses: required([String]),
      metadata: { required: true, type: 'object', additionalProperties: { type: 'string' } },
      limits: {
        required: false,
        type: () => Object,
        oneOf: [
          { type: 'string', description: 'A plan' },
          {
            type: 'array',
            items: {
              type: 'object',
              properties: { limit: { type: 'integer' }, window: { type: 'integer', description: 'ms' } },
            },
          },
        ],
      },
      createdAt: { ...described.time('When the key was made'), required: true },
      expiresAt: described.time('When the key ends'),
      overlapEndsAt: described.time('When the key ends for its successor'),
      revokedAt: described.time('When the key was revoked'),
      exposedAt: described.time('When the key was seen in clear; rotate it'),
      exposure: optional(String, { enum: ['plaintext', 'url', 'reported'] }),
      lastUsedAt: described.time('When the key was last used'),
      lastUsedFrom: optional(String, { description: 'The client’s address then' }),
      predecessor: optional(String, { description: 'Id of the key that this one replaces' }),
      successor: optional(String, { description: 'Id of the key that replaces this one' }),
    };
  }
}

/** The same with the key itself, for the one answer that shows it (R-AK-05). */
export class IssuedApiKeyDto extends ApiKeyDto {
  key!: string;

  static override _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return { key: required(String, { description: 'The key itself. It is shown this once.' }) };
  }
}

/** Uses of a key on one day. */
export class ApiKeyDayDto {
  /** In UTC, as in `2026-11-24`. */
  day!: string;
  uses!: number;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return { day: required(String, { format: 'date' }), uses: required(Number) };
  }
}

/** How a key was used. */
export class ApiKeyUsageDto {
  uses!: number;
  lastUsedAt?: string | undefined;
  lastUsedFrom?: string | undefined;
  /** Oldest first; days without uses are left out. */
  days!: readonly ApiKeyDayDto[];

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      uses: required(Number, { description: 'Uses on all of the days' }),
      lastUsedAt: described.time('When the key was last used'),
      lastUsedFrom: optional(String, { description: 'The client’s address then' }),
      days: required([ApiKeyDayDto], { description: 'Oldest first; days without uses are left out' }),
    };
  }
}

/** What may be shown of a key. */
export function viewOf(key: ApiKeyInfo): ApiKeyDto {
  return {
    id: key.id,
    name: key.name,
    hint: maskKey(key),
    prefix: key.prefix,
    environment: key.environment,
    last4: key.last4,
    scopes: key.scopes,
    roles: key.roles,
    allowedAddresses: key.allowedAddresses,
    metadata: key.metadata,
    limits: key.limits ?? undefined,
    createdAt: new Date(key.createdAt).toISOString(),
    expiresAt: textOf(key.expiresAt),
    overlapEndsAt: textOf(key.overlapEndsAt),
    revokedAt: textOf(key.revokedAt),
    exposedAt: textOf(key.exposedAt),
    exposure: key.exposure ?? undefined,
    lastUsedAt: textOf(key.lastUsedAt),
    lastUsedFrom: key.lastUsedFrom ?? undefined,
    predecessor: key.predecessor ?? undefined,
    successor: key.successor ?? undefined,
  };
}

/** The view of a new key, with the key. */
export function issuedViewOf(issued: IssuedApiKey): IssuedApiKeyDto {
  return Object.assign(viewOf(issued), { key: issued.key });
}

/** How a key was used, with times as texts. */
export function usageViewOf({ uses, lastUsedAt, lastUsedFrom, days }: ApiKeyUsage): ApiKeyUsageDto {
  return { uses, lastUsedAt: textOf(lastUsedAt), lastUsedFrom: lastUsedFrom ?? undefined, days };
}

function textOf(epochMs: number | null | undefined): string | undefined {
  return typeof epochMs === 'number' ? new Date(epochMs).toISOString() : undefined;
}
