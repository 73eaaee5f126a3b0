import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiKeyAuth, JwtAuth, RequireRoles } from 'nestjs-api-security';

import { CreateUserDto } from './create-user.dto.js';
import { UpdateUserDto } from './update-user.dto.js';
import { UserDto } from './user.dto.js';
import { UserRemoval } from './user-removal.service.js';
import { UserDirectory } from './user-directory.service.js';
import { ListUsersDto, UserIdDto } from './user-queries.dto.js';

@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly directory: UserDirectory,
    private readonly removal: UserRemoval,
  ) {}

  @Get()
  @ApiKeyAuth('users:read')
  @JwtAuth('users:read')
  @ApiOkResponse({ type: [UserDto] })
  list(@Query() { limit, sort }: ListUsersDto): UserDto[] {
    return this.directory.list(sort, limit);
  }

  @Get(':id')
  @ApiKeyAuth('users:read')
  @JwtAuth('users:read')
  @ApiOkResponse({ type: UserDto })
  get(@Param() { id }: UserIdDto): UserDto {
    return this.directory.get(id);
  }

  @Post()
  @ApiKeyAuth('users:write')
  @JwtAuth('users:write')
  @ApiCreatedResponse({ type: UserDto })
  create(@Body() user: CreateUserDto): UserDto {
    return this.directory.create(user);
  }

  @Patch(':id')
  @JwtAuth()
  @RequireRoles('admin')
  @ApiOkResponse({ type: UserDto })
  update(@Param() { id }: UserIdDto, @Body() changes: UpdateUserDto): UserDto {
    return this.directory.update(id, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  @JwtAuth()
  @RequireRoles('admin')
  @ApiNoContentResponse()
  async remove(@Param() { id }: UserIdDto): Promise<void> {
    await this.removal.remove(id);
  }
}
