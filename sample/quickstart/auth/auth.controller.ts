import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  ApiKeyAuth,
  CurrentPrincipal,
  JwtAuth,
  type Principal,
  Public,
  RateLimit,
  SecurityError,
  TokenService,
} from 'nestjs-api-security';

import { LoginDto, PrincipalDto, RefreshDto, TokenPairDto } from './auth.dto.js';
import { loginLimitKey } from './login-limit-key.js';
import { PasswordAccounts } from './password-accounts.service.js';

@ApiTags('auth')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly accounts: PasswordAccounts,
    private readonly tokens: TokenService,
  ) {}

  @Public()
  @Post('token')
  @HttpCode(200)
  @RateLimit({ limit: 5, window: '1m', by: loginLimitKey })
  @ApiOkResponse({ type: TokenPairDto })
  async login(@Body() { email, password }: LoginDto): Promise<TokenPairDto> {
    const user = await this.accounts.authenticate(email, password);
    if (!user) throw new SecurityError('UNAUTHENTICATED', 'The e-mail address or the password is wrong');
    return this.tokens.issue(user.id);
  }

  @Public()
  @Post('refresh')
  @HttpCode(200)
  @ApiOkResponse({ type: TokenPairDto })
  refresh(@Body() { refreshToken }: RefreshDto): Promise<TokenPairDto> {
    return this.tokens.refresh(refreshToken);
  }

  @Post('logout')
  @HttpCode(204)
  @JwtAuth()
  @ApiNoContentResponse()
  async logout(@CurrentPrincipal() principal: Principal): Promise<void> {
    await this.tokens.revoke(principal);
  }

  @Get('me')
  @ApiKeyAuth()
  @JwtAuth()
  @ApiOkResponse({ type: PrincipalDto })
  me(@CurrentPrincipal() { type, id, scopes, roles }: Principal): PrincipalDto {
    return { type, id, scopes, roles };
  }
}
