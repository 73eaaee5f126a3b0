import { ApiProperty } from '@nestjs/swagger';

import { CreateUserDto } from './create-user.dto.js';

/** What the API says about a user. */
export class UserDto extends CreateUserDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}
