import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsDateString,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
} from 'class-validator';
import type { ApiKeyInfo, IssuedApiKey } from 'nestjs-api-security';

export class CreateApiKeyDto {
  @ApiProperty({ minLength: 1, maxLength: 100, description: 'What the key is for' })
  @IsString()
  @Length(1, 100)
  name!: string;

  @ApiProperty({
    type: [String],
    minItems: 1,
    maxItems: 20,
    description: 'At most the scopes that you have yourself',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 64, { each: true })
  scopes!: string[];

  @ApiPropertyOptional({ format: 'date-time' })
  @IsOptional()
  @MaxLength(64)
  @IsDateString({ strict: true, strictSeparator: true })
  expiresAt?: string;
}

export class ApiKeyIdDto {
  @ApiProperty({ maxLength: 64 })
  @IsString()
  @MaxLength(64)
  @Matches(/^[A-Za-z0-9_-]+$/)
  id!: string;
}

/** A key as lists show it: without anything that opens a door. */
export class ApiKeyDto {
  @ApiProperty()
  id!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty({ description: 'How the key begins and ends' })
  hint!: string;

  @ApiProperty({ type: [String] })
  scopes!: readonly string[];

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiPropertyOptional({ format: 'date-time' })
  expiresAt?: string | undefined;

  @ApiPropertyOptional({ format: 'date-time' })
  revokedAt?: string | undefined;

  @ApiPropertyOptional({ format: 'date-time', description: 'When the key was seen in clear; rotate it' })
  exposedAt?: string | undefined;
}

export class IssuedApiKeyDto extends ApiKeyDto {
  @ApiProperty({ description: 'The key itself. It is shown this once.' })
  key!: string;
}

/** What may be shown of a key. */
export function describeKey(key: ApiKeyInfo): ApiKeyDto {
  return {
    id: key.id,
    name: key.name,
    hint: `${key.prefix}_${key.environment}_${key.id}…${key.last4}`,
    scopes: key.scopes,
    createdAt: new Date(key.createdAt).toISOString(),
    expiresAt: timeText(key.expiresAt),
    revokedAt: timeText(key.revokedAt),
    exposedAt: timeText(key.exposedAt),
  };
}

/** The same with the key itself, for the one answer that shows it. */
export function describeIssuedKey(issued: IssuedApiKey): IssuedApiKeyDto {
  return Object.assign(describeKey(issued), { key: issued.key });
}

function timeText(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}
