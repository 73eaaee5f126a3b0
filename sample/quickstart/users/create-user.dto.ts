import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsObject, IsOptional, IsString, Length, ValidateNested } from 'class-validator';
import { ClientSettable, IsEmailAddress, IsFullDate, IsStrictUrl } from 'nestjs-api-security';
import { SanitizeHtml } from 'nestjs-api-security/sanitize-html';

import { type Address, type Role, ROLES } from './user.js';

const BIO_MAX_LENGTH = 5_000;

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
  @IsEmailAddress()
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
  @IsStrictUrl({ schemes: ['https', 'http'], maxLength: 2_000 })
  website?: string;

  @ApiPropertyOptional({ format: 'date', example: '1815-12-10' })
  @IsOptional()
  @IsFullDate()
  birthDate?: string;

  @ApiPropertyOptional({
    maxLength: BIO_MAX_LENGTH,
    description: 'Harmless HTML is kept, everything else is dropped',
  })
  @IsOptional()
  @SanitizeHtml('article', { maxLength: BIO_MAX_LENGTH })
  bio?: string;

  @ApiPropertyOptional({ type: AddressDto })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => AddressDto)
  address?: AddressDto;
}
