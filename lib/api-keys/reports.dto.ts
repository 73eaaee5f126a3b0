import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';

import { ClientSettable } from '../validation/audit/client-settable.decorator.js';
import type { OpenApiMetadata } from './openapi-metadata.js';

/** Reports in one request. */
export const MAX_REPORTS = 100;

/** A key that was found: the key, or its id and its SHA-256. */
export class KeyReportDto {
  @IsOptional()
  @IsString()
  @MaxLength(200)
  key?: string;

  @ClientSettable()
  @IsOptional()
  @IsString()
  @MaxLength(64)
  id?: string;

  @IsOptional()
  @Matches(/^[0-9a-fA-F]{64}$/)
  sha256?: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  source?: string;

  @IsOptional()
  @IsString()
  @MaxLength(2_048)
  url?: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    const text = (maxLength: number, description: string) => ({
      required: false,
      type: () => String,
      maxLength,
      description,
    });
    return {
      key: text(200, 'The key that was found'),
      id: text(64, 'In place of the key: the part before its last _'),
      sha256: {
        required: false,
        type: () => String,
        pattern: '^[0-9a-fA-F]{64}$',
        description: 'With the id: the SHA-256 of the whole key in hexadecimal',
      },
      source: text(200, 'Where it was found'),
      url: text(2_048, 'The address of that place'),
    };
  }
}

/** What a partner found. */
export class KeyReportsDto {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_REPORTS)
  @ValidateNested({ each: true })
  @Type(() => KeyReportDto)
  reports!: KeyReportDto[];

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      reports: { required: true, type: () => [KeyReportDto], minItems: 1, maxItems: MAX_REPORTS },
    };
  }
}

/** How many reports were taken: the same for keys that are genuine and for those that are not. */
export class ReceivedReportsDto {
  received!: number;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return { received: { required: true, type: () => Number } };
  }
}
