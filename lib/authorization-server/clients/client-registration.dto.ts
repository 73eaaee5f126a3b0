import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Length,
  MaxLength,
} from 'class-validator';

import { ClientSettable } from '../../validation/audit/client-settable.decorator.js';
import { Unbounded } from '../../validation/audit/unbounded.decorator.js';
import { GRANT_TYPES, type GrantType } from './client-registration.js';

const MAX_LIST = 50;

/** What both bodies hold; what the members mean together the service checks. */
class ClientMembersDto {
  @Unbounded() @IsOptional() @IsObject() jwks?: { keys: object[] };
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_LIST)
  @IsString({ each: true })
  @MaxLength(2_000, { each: true })
  redirectUris?: string[];
  @ClientSettable()
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_LIST)
  @IsString({ each: true })
  @MaxLength(256, { each: true })
  scopes?: string[];
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_LIST)
  @IsString({ each: true })
  @MaxLength(2_000, { each: true })
  resources?: string[];
  @IsOptional() @IsArray() @ArrayMaxSize(3) @IsIn(GRANT_TYPES, { each: true }) grantTypes?: GrantType[];
  @ClientSettable() @IsOptional() @IsBoolean() verified?: boolean;
  @IsOptional() @IsBoolean() dpopBound?: boolean;
  @IsOptional() @IsBoolean() pushedRequests?: boolean;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_LIST)
  @IsString({ each: true })
  @MaxLength(2_000, { each: true })
  allowedOrigins?: string[];
  @IsOptional() @IsString() @MaxLength(2_000) resourceServer?: string;
}

/** The body of `POST` of a client. */
export class ClientRegistrationDto extends ClientMembersDto {
  @IsOptional() @IsString() @MaxLength(71) clientId?: string;
  @IsString() @Length(1, 80) name!: string;
  @IsOptional() @IsIn(['secret', 'private-key', 'none']) authentication?: 'secret' | 'private-key' | 'none';
}

/** The body of `PATCH` of a client. */
export class ClientChangesDto extends ClientMembersDto {
  @IsOptional() @IsString() @Length(1, 80) name?: string;
}
