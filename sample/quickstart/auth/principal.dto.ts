import { ApiProperty } from '@nestjs/swagger';

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
