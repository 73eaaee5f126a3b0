import {
  Allow,
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsISO8601,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';

import { USAGE_DAYS } from '../authentication/api-key/api-key-store.js';
import { ClientSettable } from '../validation/audit/client-settable.decorator.js';
import { Unbounded } from '../validation/audit/unbounded.decorator.js';
import { IsNullable } from '../validation/is-nullable.decorator.js';
import { MAX_OVERLAP_SECONDS } from './api-key-routes.options.js';
import { described, type OpenApiMetadata } from './openapi-metadata.js';

const ID = /^[A-Za-z0-9_-]{1,64}$/;
/** RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;
/** RFC 3339: without an offset the time would depend on where the server stands. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

const timeRule = {
  message: 'expiresAt must be a date and time with its offset, such as 2030-01-31T12:00:00Z',
};

/** Rules that both a new key and a change keep; the service looks at the rest: addresses, plans and what is past. */
class KeyFieldsDto {
  @ClientSettable()
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 128, { each: true })
  roles?: string[];

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @Length(1, 64, { each: true })
  allowedAddresses?: string[];

  // The service bounds it: few, short texts.
  @Unbounded()
  @IsOptional()
  @IsObject()
  metadata?: Record<string, string>;
}

/** What a client says of a new key. */
export class CreateApiKeyDto extends KeyFieldsDto {
  @IsString()
  @Length(1, 100)
  name!: string;

  @ClientSettable()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @Matches(SCOPE, { each: true })
  scopes!: string[];

  @IsOptional()
  @Matches(TIME, timeRule)
  @IsISO8601({ strict: true, strictSeparator: true }, timeRule)
  expiresAt?: string;

  @Unbounded()
  @IsOptional()
  @Allow()
  limits?: unknown;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      ...described.fields(false),
      expiresAt: described.time('When the key ends'),
      limits: described.limits(false),
    };
  }
}

/** What a client changes about a key; what is absent stays. */
export class UpdateApiKeyDto extends KeyFieldsDto {
  @IsOptional()
  @IsString()
  @Length(1, 100)
  name?: string;

  @ClientSettable()
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @Matches(SCOPE, { each: true })
  scopes?: string[];

  @IsOptional()
  @IsNullable()
  @Matches(TIME, timeRule)
  @IsISO8601({ strict: true, strictSeparator: true }, timeRule)
  expiresAt?: string | null;

  @Unbounded()
  @IsOptional()
  @IsNullable()
  @Allow()
  limits?: unknown;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      ...described.fields(true),
      expiresAt: { ...described.time('When the key ends; null: never'), nullable: true },
      limits: described.limits(true),
    };
  }
}

/** How a key is rotated. */
export class RotateApiKeyDto {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  overlap?: number;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      overlap: {
        required: false,
        type: () => Number,
        minimum: 0,
        maximum: MAX_OVERLAP_SECONDS,
        description: 'Seconds for which the old key goes on working',
      },
    };
  }
}

/** Which key. */
export class ApiKeyIdDto {
  @IsString()
  @Matches(ID)
  id!: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return { id: { required: true, type: () => String, maxLength: 64 } };
  }
}

/** Which part of a list. */
export class ApiKeyPageDto {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;

  @IsOptional()
  @IsString()
  @Matches(ID)
  after?: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      limit: { required: false, type: () => Number, minimum: 1, maximum: 100, default: 100 },
      after: {
        required: false,
        type: () => String,
        maxLength: 64,
        description: 'Where the page before ended, as its Link header says',
      },
    };
  }
}

/** For how long back. */
export class UsageQueryDto {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(USAGE_DAYS)
  days?: number;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      days: { required: false, type: () => Number, minimum: 1, maximum: USAGE_DAYS, default: 30 },
    };
  }
}
