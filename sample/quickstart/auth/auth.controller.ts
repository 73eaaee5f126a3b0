import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiKeyAuth, CurrentPrincipal, JwtAuth, type Principal } from 'nestjs-api-security';

import { PrincipalDto } from './principal.dto.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  @Get('me')
  @ApiKeyAuth()
  @JwtAuth()
  @ApiOkResponse({ type: PrincipalDto })
  me(@CurrentPrincipal() { type, id, scopes, roles }: Principal): PrincipalDto {
    return { type, id, scopes, roles };
  }
}
