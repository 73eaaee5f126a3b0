import type { ServerResponse } from 'node:http';

import {
  Body,
  type CanActivate,
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  type Type,
  UseGuards,
} from '@nestjs/common';

import { ApiKeyAuth } from '../authentication/api-key/api-key-auth.decorator.js';
import { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import { MANAGE_KEYS_SCOPE } from '../authentication/api-key/key-grant.js';
import { JwtAuth } from '../authentication/jwt/jwt-auth.decorator.js';
import { requestStateOf } from '../http/request-state.js';
import { CurrentPrincipal } from '../principal/current-principal.decorator.js';
import type { Principal } from '../principal/principal.js';
import {
  ApiKeyIdDto,
  ApiKeyPageDto,
  CreateApiKeyDto,
  RotateApiKeyDto,
  UpdateApiKeyDto,
  UsageQueryDto,
} from './api-key-input.dto.js';
import type { ApiKeyRoutesSettings } from './api-key-routes.options.js';
import {
  ApiKeyDto,
  ApiKeyUsageDto,
  IssuedApiKeyDto,
  issuedViewOf,
  usageViewOf,
  viewOf,
} from './api-key-view.dto.js';
import { KeyManagement } from './key-management.js';
import type { OpenApiMetadata } from './openapi-metadata.js';

/** Node's response, which both adapters write through. */
const NodeResponse = createParamDecorator(
  (_: unknown, context: ExecutionContext): ServerResponse | undefined =>
    requestStateOf(context.switchToHttp().getRequest<object>())?.response,
);

/** A rotation need not say anything: no body counts as an empty one. Guards run before the body is validated. */
const emptyBody: CanActivate = {
  canActivate(context) {
    context.switchToHttp().getRequest<{ body?: unknown }>().body ??= {};
    return true;
  },
};

/** The controller of the management routes; a class for each call, because decorators hold the options. */
export function createApiKeysController(settings: ApiKeyRoutesSettings): Type {
  @Controller(settings.path)
  class ApiKeysController {
    readonly #keys: KeyManagement;

    constructor(apiKeys: ApiKeyService) {
      this.#keys = new KeyManagement(apiKeys, settings);
    }

    @Post()
    async issue(
      @CurrentPrincipal() principal: Principal,
      @Body() input: CreateApiKeyDto,
    ): Promise<IssuedApiKeyDto> {
      return issuedViewOf(await this.#keys.issue(principal, input));
    }

    @Get()
    async list(
      @CurrentPrincipal() principal: Principal,
      @Query() { limit, after }: ApiKeyPageDto,
      @NodeResponse() response: ServerResponse | undefined,
    ): Promise<ApiKeyDto[]> {
      const { keys, next } = await this.#keys.list(principal, limit, after);
      if (next !== undefined) response?.setHeader('Link', nextLink(limit, next));
      return keys.map(viewOf);
    }

    @Get(':id')
    async one(@CurrentPrincipal() principal: Principal, @Param() { id }: ApiKeyIdDto): Promise<ApiKeyDto> {
      return viewOf(await this.#keys.get(principal, id));
    }

    @Get(':id/usage')
    async usage(
      @CurrentPrincipal() principal: Principal,
      @Param() { id }: ApiKeyIdDto,
      @Query() { days }: UsageQueryDto,
    ): Promise<ApiKeyUsageDto> {
      return usageViewOf(await this.#keys.usage(principal, id, days));
    }

    @Patch(':id')
    async update(
      @CurrentPrincipal() principal: Principal,
      @Param() { id }: ApiKeyIdDto,
      @Body() input: UpdateApiKeyDto,
    ): Promise<ApiKeyDto> {
      return viewOf(await this.#keys.update(principal, id, input));
    }

    @Post(':id/rotate')
    @UseGuards(emptyBody)
    async rotate(
      @CurrentPrincipal() principal: Principal,
      @Param() { id }: ApiKeyIdDto,
      @Body() { overlap }: RotateApiKeyDto,
    ): Promise<IssuedApiKeyDto> {
      return issuedViewOf(await this.#keys.rotate(principal, id, overlap));
    }

    @Delete(':id')
    @HttpCode(204)
    async revoke(@CurrentPrincipal() principal: Principal, @Param() { id }: ApiKeyIdDto): Promise<void> {
      await this.#keys.revoke(principal, id);
    }

    static _OPENAPI_METADATA_FACTORY(): OpenApiMetadata {
      return {
        issue: { status: 201, type: IssuedApiKeyDto, summary: 'Make an API key; it is shown this once' },
        list: { status: 200, type: [ApiKeyDto], summary: 'Your API keys, newest first' },
        one: { status: 200, type: ApiKeyDto, summary: 'One of your API keys' },
        usage: { status: 200, type: ApiKeyUsageDto, summary: 'How often a key was used, by day' },
        update: { status: 200, type: ApiKeyDto, summary: 'Change a key; null takes expiry or limits away' },
        rotate: { status: 201, type: IssuedApiKeyDto, summary: 'Replace a key; both work for the overlap' },
        revoke: { status: 204, description: 'Revoked', summary: 'Revoke a key at once' },
      };
    }
  }
  if (settings.schemes.includes('api-key')) ApiKeyAuth(MANAGE_KEYS_SCOPE)(ApiKeysController);
  if (settings.schemes.includes('jwt')) JwtAuth()(ApiKeysController);
  for (const decorate of settings.decorators) decorate(ApiKeysController);
  return ApiKeysController;
}

/** Relative to the address that was asked for, whatever proxies made of it (RFC 8288 §3.1). */
function nextLink(limit: number | undefined, after: string): string {
  const query = new URLSearchParams({ ...(limit !== undefined && { limit: String(limit) }), after });
  return `<?${query.toString()}>; rel="next"`;
}
