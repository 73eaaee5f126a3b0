import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, IsString, Length, MaxLength } from 'class-validator';

export class LoginDto {
  @ApiProperty({ format: 'email', maxLength: 254, example: 'ada@example.com' })
  @MaxLength(254)
  @IsEmail()
  email!: string;

  @ApiProperty({ format: 'password', minLength: 1, maxLength: 256 })
  @IsString()
  @Length(1, 256)
  password!: string;
}

export class RefreshDto {
  @ApiProperty({ minLength: 1, maxLength: 512 })
  @IsString()
  @Length(1, 512)
  refreshToken!: string;
}

/** What `POST /auth/token` and `POST /auth/refresh` answer. */
export class TokenPairDto {
  @ApiProperty({ description: 'For `Authorization: Bearer …`' })
  accessToken!: string;

  @ApiProperty({ description: 'Good for one use' })
  refreshToken!: string;

  @ApiProperty({ enum: ['Bearer'] })
  tokenType!: 'Bearer';

  @ApiProperty({ description: 'Seconds until the access token expires' })
  expiresIn!: number;
}

/** What `GET /auth/me` answers. */
export class PrincipalDto {
  @ApiProperty({ enum: ['user', 'client', 'api-key'] })
  type!: 'user' | 'client' | 'api-key';

  @ApiProperty()
  id!: string;

  @ApiProperty({ type: [String] })
  scopes!: readonly string[];

  @ApiProperty({ type: [String] })
  roles!: readonly string[];
}
