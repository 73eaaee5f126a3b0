import { IsEmail, IsOptional, IsString, Length, MaxLength } from 'class-validator';

import type { OpenApiMetadata } from './openapi-metadata.js';

/** What `POST token` takes if the application has no class of its own. */
export class PasswordCredentialsDto {
  @MaxLength(254)
  @IsEmail()
  email!: string;

  @IsString()
  @Length(1, 256)
  password!: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return {
      email: { required: true, type: () => String, format: 'email', maxLength: 254 },
      password: { required: true, type: () => String, format: 'password', minLength: 1, maxLength: 256 },
    };
  }
}

const described = (required: boolean): OpenApiMetadata => ({
  refreshToken: {
    required,
    type: () => String,
    minLength: 1,
    maxLength: 512,
    description: 'Good for one use',
  },
});

/** What `POST refresh` takes. */
export class RefreshDto {
  @IsString()
  @Length(1, 512)
  refreshToken!: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return described(true);
  }
}

/** The same where the token may come in a cookie. */
export class OptionalRefreshDto {
  @IsOptional()
  @IsString()
  @Length(1, 512)
  refreshToken?: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return described(false);
  }
}

/** A session in the path. */
export class SessionIdDto {
  @IsString()
  @Length(1, 64)
  id!: string;

  static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
    return { id: { required: true, type: () => String, minLength: 1, maxLength: 64 } };
  }
}
