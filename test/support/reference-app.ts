import 'reflect-metadata';

import { generateKeyPairSync, type KeyObject } from 'node:crypto';

import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpException,
  Module,
  NotFoundException,
  Param,
  Patch,
  Post,
  Query,
  Req,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsEmail,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { SignJWT } from 'jose';
import {
  ApiKeyAuth,
  ApiKeyService,
  BodyLimit,
  CurrentPrincipal,
  JwtAuth,
  type JwtOptions,
  type Principal,
  Public,
  RateLimit,
  RequireRoles,
  RequireScopes,
  SecurityHeaders,
  SecurityModule,
  type SecurityOptions,
  SkipRateLimit,
} from 'nestjs-api-security';

import { type Adapter, type RunningApp, startApp, type StartOptions } from './app.js';

export const ISSUER = 'https://id.example.test';
export const AUDIENCE = 'https://api.example.test';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Takes the tokens of {@link accessToken}. */
export const TRUSTED: JwtOptions = {
  issuer: ISSUER,
  audience: AUDIENCE,
  publicKey: pair.publicKey,
  algorithms: ['ES256'],
};

/** Handlers that ran, so that a test can show that a refused request reached none. */
export const handled: string[] = [];

export class ItemLine {
  @IsString() @Length(1, 40) sku!: string;
  @IsInt() @Min(1) @Max(100) count!: number;
}

export class CreateItem {
  @IsString() @Length(1, 80) name!: string;
  @IsEmail() @MaxLength(254) contact!: string;
  @IsOptional() @IsIn(['low', 'high']) priority?: string;
  @IsArray() @ArrayMaxSize(10) @ValidateNested({ each: true }) @Type(() => ItemLine) lines!: ItemLine[];
}

export class ItemQuery {
  @IsOptional() @IsInt() @Min(1) @Max(100) limit?: number;
  @IsOptional() @IsIn(['name', 'contact']) sort?: string;
}

export class ItemId {
  @IsUUID() id!: string;
}

@Controller()
export class ReferenceController {
  @Public() @Get('public') open() {
    handled.push('public');
    return { ok: true };
  }

  @Public() @Post('public') publicPost(@Body() body: ItemLine) {
    handled.push('public-post');
    return body;
  }

  @Public() @Get('who') who(@CurrentPrincipal() principal?: Principal) {
    return { id: principal?.id ?? null };
  }

  @Get('me') me(@CurrentPrincipal() { type, id, scopes, roles }: Principal) {
    return { type, id, scopes, roles };
  }

  @Get('user') user(@Req() request: { user?: Principal }) {
    return { id: request.user?.id, frozen: Object.isFrozen(request.user) };
  }

  @Header('Cache-Control', 'public, max-age=60') @Public() @Get('cached') cached() {
    return { ok: true };
  }

  @Public() @Get('text') text() {
    return 'Hello <b>you</b>';
  }

  @Public() @SkipRateLimit() @Get('unlimited') unlimited() {
    return { ok: true };
  }

  @Public()
  @RateLimit([
    { limit: 3, window: '1m' },
    { limit: 100, window: '1h' },
  ])
  @Get('limited')
  limited() {
    return { ok: true };
  }

  @Public() @RateLimit('20/minute', { cost: 10 }) @Post('bulk') bulk() {
    return { ok: true };
  }

  @Public() @SecurityHeaders({ contentSecurityPolicy: { 'default-src': ["'self'"] } }) @Get('page') page() {
    return { ok: true };
  }

  @Public() @Get('boom') boom(): never {
    throw new Error('CANARY-9f2c select * from users');
  }

  @Public() @Get('teapot') teapot(): never {
    throw new HttpException('short and stout', 418);
  }

  @Public() @Get('own-code') ownCode(): never {
    throw new BadRequestException({ code: 'OUT_OF_STOCK', message: 'Nothing left', secret: 'CANARY-9f2c' });
  }

  @Public() @Get('own-404') own404(): never {
    throw new NotFoundException('No such item');
  }
}

@Controller('items')
@ApiKeyAuth('items:read')
@JwtAuth('items:read')
export class ItemsController {
  @Get() list(@Query() query: ItemQuery) {
    handled.push('list');
    return { limit: query.limit ?? 20, kind: typeof query.limit };
  }

  @Get(':id') one(@Param() { id }: ItemId) {
    return { id };
  }

  @Post() @RequireScopes('items:write') create(@Body() item: CreateItem) {
    handled.push('create');
    return item;
  }

  @Post('small') @RequireScopes('items:write') @BodyLimit('1kb') small(@Body() item: CreateItem) {
    handled.push('small');
    return item;
  }

  @Patch(':id') @JwtAuth() @RequireRoles('admin') change(@Param() { id }: ItemId, @Body() line: ItemLine) {
    handled.push('change');
    return { id, line };
  }

  @Delete(':id') @ApiKeyAuth() remove(@Param() { id }: ItemId) {
    handled.push('remove');
    return { id };
  }
}

export interface ReferenceApp extends RunningApp {
  /** A fresh API key with these scopes. */
  key(
    scopes?: readonly string[],
    extra?: { allowedAddresses?: string[]; expiresAt?: number },
  ): Promise<string>;
  keys: ApiKeyService;
}

/** A small API that uses every decorator, on the adapter named. */
export async function startReferenceApp(
  adapter: Adapter,
  options: SecurityOptions = {},
  start: StartOptions = {},
): Promise<ReferenceApp> {
  @Module({
    imports: [
      SecurityModule.forRoot({
        apiKeys: {},
        jwt: TRUSTED,
        https: 'off',
        logger: false,
        rateLimit: { read: '100000/minute', write: '100000/minute', failedAuthentication: '100000/minute' },
        ...options,
      }),
    ],
    controllers: [ReferenceController, ItemsController],
  })
  class ReferenceModule {}

  const running = await startApp(adapter, ReferenceModule, start);
  const keys = running.app.get(ApiKeyService);
  return {
    ...running,
    keys,
    async key(scopes = ['items:read', 'items:write'], extra = {}) {
      const issued = await keys.issue({ owner: 'owner-1', name: 'test', scopes: [...scopes], ...extra });
      return issued.key;
    },
  };
}

/** A good access token of the configured issuer; claims and header can be changed for attacks. */
export async function accessToken(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: KeyObject = pair.privateKey,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user-1',
    iat: now,
    exp: now + 600,
    jti: `t${Math.random()}`,
    client_id: 'app',
    scope: 'items:read items:write',
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...header })
    .sign(key);
}
