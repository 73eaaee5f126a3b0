import type { SessionInfo, TokenPair } from '../authentication/jwt/token.service.js';
import type { OpenApiMetadata } from './openapi-metadata.js';

const required = (type: unknown, more: object = {}) => ({ required: true, type: () => type, ...more });
const optional = (type: unknown, more: object = {}) => ({ required: false, type: () => type, ...more });

/** A new pair of tokens; the refresh token is not in it if it travels in a cookie. */
export class TokenPairDto {
  accessToken!: string;
  refreshToken?: string;
  tokenType!: 'Bearer';
  expiresIn!: number;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      accessToken: required(String, { description: 'For `Authorization: Bearer …`' }),
      refreshToken: optional(String, { description: 'Good for one use' }),
      tokenType: required(String, { enum: ['Bearer'] }),
      expiresIn: required(Number, { description: 'Seconds until the access token expires' }),
    };
  }
}

/** A session as its owner sees it. Times are texts in UTC. */
export class SessionDto {
  id!: string;
  /** Whether it is the one that asks. */
  current!: boolean;
  device?: string | undefined;
  address?: string | undefined;
  lastAddress?: string | undefined;
  createdAt!: string;
  lastUsedAt!: string;
  expiresAt!: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    const time = (description: string) => required(String, { format: 'date-time', description });
    return {
      id: required(String),
      current: required(Boolean, { description: 'Whether it is the one that asks' }),
      device: optional(String),
      address: optional(String, { description: 'Where it was begun' }),
      lastAddress: optional(String, { description: 'Where it was last refreshed' }),
      createdAt: time('When it was begun'),
      lastUsedAt: time('When it was last refreshed'),
      expiresAt: time('When it ends at the latest'),
    };
  }
}

/** The pair as a body has it. */
export function bodyOf(pair: TokenPair, withRefreshToken: boolean): TokenPairDto {
  const { refreshToken, ...rest } = pair;
  return withRefreshToken ? { ...rest, refreshToken } : rest;
}

/** A session as it is shown. */
export function viewOf(session: SessionInfo, currentId: string | undefined): SessionDto {
  const { id, device, address, lastAddress, createdAt, lastUsedAt, expiresAt } = session;
  return {
    id,
    current: id === currentId,
    device,
    address,
    lastAddress,
    createdAt: new Date(createdAt).toISOString(),
    lastUsedAt: new Date(lastUsedAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  };
}
