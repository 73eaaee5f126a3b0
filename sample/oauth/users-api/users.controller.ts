import { Body, Controller, Get, Post } from '@nestjs/common';
import { CurrentPrincipal, OAuth2Auth, type Principal } from 'nestjs-api-security';

import { CreateUserDto } from '../../quickstart/users/create-user.dto.js';
import type { User } from '../../quickstart/users/user.js';
import { UserDirectory } from '../../quickstart/users/user-directory.service.js';

/** The users of the quickstart, for applications that act for one of them. */
@Controller('users')
export class UsersController {
  constructor(private readonly directory: UserDirectory) {}

  @OAuth2Auth('users:read')
  @Get()
  list(@CurrentPrincipal() { id, clientId }: Principal): {
    onBehalfOf: string;
    through: string;
    users: User[];
  } {
    return {
      onBehalfOf: this.directory.get(id).name,
      through: clientId ?? '',
      users: this.directory.list('name', 100),
    };
  }

  @OAuth2Auth('users:write')
  @Post()
  create(@Body() user: CreateUserDto): User {
    return this.directory.create(user);
  }
}
