import { Body, ConflictException, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ApiKeyService, CurrentPrincipal, JwtAuth, type Principal, SecurityError } from 'nestjs-api-security';

import {
  ApiKeyDto,
  ApiKeyIdDto,
  CreateApiKeyDto,
  describeIssuedKey,
  describeKey,
  IssuedApiKeyDto,
} from './api-keys.dto.js';

const MAX_KEYS = 50;
/** How long a rotated key goes on working, so that its users can change over. */
const OVERLAP_MS = 3_600_000;

/** People manage their own keys here. A key cannot manage keys. */
@ApiTags('api-keys')
@Controller('api-keys')
@JwtAuth()
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeyService) {}

  @Post()
  @ApiCreatedResponse({ type: IssuedApiKeyDto })
  async issue(
    @CurrentPrincipal() principal: Principal,
    @Body() { name, scopes, expiresAt }: CreateApiKeyDto,
  ): Promise<IssuedApiKeyDto> {
    this.apiKeys.assertWithinGrant(principal, scopes);
    const { keys } = await this.apiKeys.list(principal.id);
    if (keys.filter(({ revokedAt }) => revokedAt === undefined).length >= MAX_KEYS) {
      throw new ConflictException(`You have ${MAX_KEYS} keys already`);
    }
    const issued = await this.apiKeys.issue({
      name,
      scopes,
      owner: principal.id,
      ...(expiresAt !== undefined && { expiresAt: Date.parse(expiresAt) }),
    });
    return describeIssuedKey(issued);
  }

  @Get()
  @ApiOkResponse({ type: [ApiKeyDto] })
  async list(@CurrentPrincipal() principal: Principal): Promise<ApiKeyDto[]> {
    const { keys } = await this.apiKeys.list(principal.id);
    return keys.map(describeKey);
  }

  @Post(':id/rotate')
  @ApiCreatedResponse({ type: IssuedApiKeyDto })
  async rotate(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: ApiKeyIdDto,
  ): Promise<IssuedApiKeyDto> {
    await this.#assertOwn(principal, id);
    return describeIssuedKey(await this.apiKeys.rotate(id, { overlapMs: OVERLAP_MS }));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiNoContentResponse()
  async revoke(@CurrentPrincipal() principal: Principal, @Param() { id }: ApiKeyIdDto): Promise<void> {
    await this.#assertOwn(principal, id);
    await this.apiKeys.revoke(id);
  }

  // Somebody else's key and no key at all look the same.
  async #assertOwn(principal: Principal, id: string): Promise<void> {
    const key = await this.apiKeys.get(id);
    if (key?.owner !== principal.id) throw new SecurityError('NOT_FOUND', 'No such key');
  }
}
