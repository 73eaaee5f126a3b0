import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  IsDateString,
  IsEmail,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  Length,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { ClientSettable } from 'nestjs-api-security';

import { BIO_MAX_LENGTH, sanitizeBio } from './sanitize-bio.js';
import { type Address, type Role, ROLES } from './user.js';

export class AddressDto implements Address {
  @ApiProperty({ minLength: 1, maxLength: 200 })
  @IsString()
  @Length(1, 200)
  street!: string;

  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsString()
  @Length(1, 100)
  city!: string;

  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsString()
  @Length(1, 100)
  country!: string;
}

export class CreateUserDto {
  @ApiProperty({ format: 'email', maxLength: 254 })
  @MaxLength(254)
  @IsEmail()
  email!: string;

  @ApiProperty({ minLength: 1, maxLength: 100 })
  @IsString()
  @Length(1, 100)
  name!: string;

  @ApiProperty({ enum: ROLES })
  @ClientSettable() // only admins may change it, see users.controller.ts
  @IsIn(ROLES)
  role!: Role;

  @ApiPropertyOptional({ format: 'uri', maxLength: 2_000, description: 'An http or https address' })
  @IsOptional()
  @MaxLength(2_000)
  @IsUrl({ protocols: ['https', 'http'], require_protocol: true, disallow_auth: true })
  website?: string;

  @ApiPropertyOptional({ format: 'date', example: '1815-12-10' })
  @IsOptional()
  @Matches(/^\d{4}-\d{2}-\d{2}$/)
  @IsDateString({ strict: true })
  birthDate?: string;

  @ApiPropertyOptional({
    maxLength: BIO_MAX_LENGTH,
    description: 'Harmless HTML is kept, everything else is dropped',
  })
  @IsOptional()
  @Transform(({ value }) => sanitizeBio(value))
  @IsString()
  @MaxLength(BIO_MAX_LENGTH)
  bio?: string;

  @ApiPropertyOptional({ type: AddressDto })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => AddressDto)
  address?: AddressDto;
}
