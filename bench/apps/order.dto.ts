import { Type } from 'class-transformer';
import {
  IsDefined,
  IsEmail,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

export class AddressDto {
  @IsString()
  @Length(1, 100)
  street!: string;

  @IsString()
  @Length(1, 60)
  city!: string;

  @IsString()
  @Length(2, 2)
  country!: string;
}

/** Nine fields, as in many an API: lengths, an e-mail address, an enumeration, a date, a range and a nested object. */
export class CreateOrderDto {
  @IsUUID()
  reference!: string;

  @IsEmail()
  email!: string;

  @IsString()
  @Length(1, 80)
  name!: string;

  @IsIn(['standard', 'express', 'pickup'])
  delivery!: string;

  @IsISO8601()
  wantedOn!: string;

  @IsInt()
  @Min(1)
  @Max(1000)
  quantity!: number;

  @IsString()
  @MaxLength(40)
  sku!: string;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  note?: string;

  @IsDefined()
  @ValidateNested()
  @Type(() => AddressDto)
  address!: AddressDto;
}
