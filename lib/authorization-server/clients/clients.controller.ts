import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  type Type,
} from '@nestjs/common';

import { JwtAuth } from '../../authentication/jwt/jwt-auth.decorator.js';
import { RequireRoles } from '../../authorization/require-roles.decorator.js';
import { UserOnly } from '../../authorization/user-only.decorator.js';
import { SecurityError } from '../../errors/security-error.js';
import { ClientChangesDto, ClientRegistrationDto } from './client-registration.dto.js';
import type { ClientChanges, ClientInfo, ClientRegistration } from './client-registration.js';
import { ClientService, type IssuedClient } from './client.service.js';

/** Makes the controller by which administrators register applications; dynamic registration there is none (R-AS-20). */
export function createClientsController(path: string, role: string): Type {
  @JwtAuth()
  @UserOnly()
  @RequireRoles(role)
  @Controller(path)
  class ClientsController {
    constructor(@Inject(ClientService) private readonly clients: ClientService) {}

    @Post()
    register(@Body() input: ClientRegistrationDto): Promise<IssuedClient> {
      return this.clients.register(givenOf(input) as ClientRegistration);
    }

    @Get()
    async list(): Promise<{ readonly clients: readonly ClientInfo[] }> {
      return { clients: await this.clients.list() };
    }

    @Get(':id')
    async one(@Param('id') id: string): Promise<ClientInfo> {
      return found(await this.clients.get(id));
    }

    @Patch(':id')
    async update(@Param('id') id: string, @Body() changes: ClientChangesDto): Promise<ClientInfo> {
      return found(await this.clients.update(id, givenOf(changes) as ClientChanges));
    }

    @Post(':id/rotate-secret')
    async rotate(@Param('id') id: string): Promise<IssuedClient> {
      return found(await this.clients.rotateSecret(id));
    }

    @Delete(':id')
    @HttpCode(204)
    async remove(@Param('id') id: string): Promise<void> {
      found((await this.clients.remove(id)) || undefined);
    }
  }
  return ClientsController;
}

const givenOf = (input: object): object =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new SecurityError('NOT_FOUND', 'There is no such client');
  return value;
}
