import { Controller, Delete, Get, HttpCode, Inject, Param, type Type } from '@nestjs/common';

import { JwtAuth } from '../../authentication/jwt/jwt-auth.decorator.js';
import { UserOnly } from '../../authorization/user-only.decorator.js';
import { SecurityError } from '../../errors/security-error.js';
import { CurrentPrincipal } from '../../principal/current-principal.decorator.js';
import type { Principal } from '../../principal/principal.js';
import { ApplicationsService, type AuthorizedApplication } from './applications.service.js';

/** Makes the controller by which somebody sees and ends the access of applications, with a token of their own. */
export function createApplicationsController(path: string): Type {
  @JwtAuth()
  @UserOnly()
  @Controller(path)
  class ApplicationsController {
    constructor(@Inject(ApplicationsService) private readonly applications: ApplicationsService) {}

    @Get()
    async list(
      @CurrentPrincipal() { id }: Principal,
    ): Promise<{ readonly applications: readonly AuthorizedApplication[] }> {
      return { applications: await this.applications.list(id) };
    }

    @Delete(':id')
    @HttpCode(204)
    async withdraw(@CurrentPrincipal() principal: Principal, @Param('id') id: string): Promise<void> {
      if (!(await this.applications.withdraw(principal.id, id)))
        throw new SecurityError('NOT_FOUND', 'There is no such application');
    }
  }
  return ApplicationsController;
}
