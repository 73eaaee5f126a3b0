import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsUUID, Max, Min } from 'class-validator';

import { USER_ORDERS, type UserOrder } from './user-directory.service.js';

export class UserIdDto {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  id!: string;
}

export class ListUsersDto {
  @ApiPropertyOptional({ minimum: 1, maximum: 100, default: 100 })
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 100;

  @ApiPropertyOptional({ enum: USER_ORDERS, default: 'createdAt' })
  @IsIn(USER_ORDERS)
  sort: UserOrder = 'createdAt';
}
