import { Body, Controller, Get, Module, Post, Query, type Type } from '@nestjs/common';
import { IsString } from 'class-validator';
import {
  ApiKeyAuth,
  BodyLimit,
  JwtAuth,
  Public,
  RateLimit,
  RequireScopes,
  SecurityConfigurationError,
  SecurityHeaders,
  SecurityModule,
  type SecurityOptions,
  SkipRateLimit,
} from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { startApp } from '../support/app.js';

async function problemsOf(options: SecurityOptions, ...controllers: Type[]): Promise<string[]> {
  @Module({ imports: [SecurityModule.forRoot({ logger: false, https: 'off', ...options })], controllers })
  class AppModule {}
  try {
    const { close } = await startApp('express', AppModule);
    await close();
    return [];
  } catch (error) {
    if (!(error instanceof SecurityConfigurationError)) throw error;
    for (const { problem, fix } of error.problems) {
      expect(problem).not.toBe('');
      expect(fix).not.toBe('');
      expect(error.message).toContain(fix);
    }
    return error.problems.map(({ code }) => code).toSorted();
  }
}

class NameDto {
  @IsString() name!: string;
}

describe('boot refuses what contradicts itself', () => {
  it('R-RL-21 a list without a limit is no exemption', async () => {
    @Controller()
    class Unlimited {
      @Public() @RateLimit([]) @Get('one') one() {}
    }
    expect(await problemsOf({ rateLimit: { write: [] } }, Unlimited)).toEqual([
      'rate-limit.spec',
      'rate-limit.spec',
    ]);
  });

  it('R-RL-02 two limits of one route have two names', async () => {
    @Controller()
    @Public()
    class Twice {
      @RateLimit([
        { limit: 10, window: '1m', name: 'a' },
        { limit: 100, window: '1h', name: 'a' },
      ])
      @Get('one')
      one() {}
    }
    expect(await problemsOf({}, Twice)).toEqual(['policy.rate-limit.duplicate-name']);
  });

  it('R-CF-01 tells all problems of options and routes in one error', async () => {
    @Controller()
    class Routes {
      @Public() @RequireScopes('a') @Get('one') one() {}
      @RateLimit('5/minute', { cost: 6 }) @Public() @Get('two') two() {}
    }
    const codes = await problemsOf(
      { https: 'redirect', rateLimit: { read: 'lots/minute' as '1/minute' }, realm: 'ä' },
      Routes,
    );
    expect(codes).toEqual([
      'https.redirect.host',
      'policy.public.with-demands',
      'policy.rate-limit.cost',
      'rate-limit.limit',
      'realm',
    ]);
  });

  it('R-AU-01 @Public() with demands or beside a scheme', async () => {
    @Controller()
    class Routes {
      @Public() @RequireScopes('a') @Get('one') one() {}
      @Public() @ApiKeyAuth() @Get('two') two() {}
    }
    expect(await problemsOf({ apiKeys: {} }, Routes)).toEqual([
      'policy.public.with-demands',
      'policy.public.with-scheme',
    ]);
  });

  it('R-CF-01 a scheme that is not configured', async () => {
    @Controller()
    class Routes {
      @JwtAuth() @Get() one() {}
    }
    expect(await problemsOf({ apiKeys: {} }, Routes)).toEqual(['policy.scheme.unconfigured']);
  });

  it('R-AU-01 a route that nobody could reach, and by option any without a decorator', async () => {
    @Controller()
    class Routes {
      @Get() one() {}
    }
    expect(await problemsOf({}, Routes)).toEqual(['policy.unreachable']);
    expect(await problemsOf({ apiKeys: {}, undecorated: 'refuse' }, Routes)).toEqual(['policy.undecorated']);
    expect(await problemsOf({ apiKeys: {} }, Routes)).toEqual([]);
  });

  it('R-RL-14 a cost above its limit, and a limit beside its lifting', async () => {
    @Controller()
    @Public()
    class Routes {
      @RateLimit('5/minute', { cost: 6 }) @Get('one') one() {}
      @RateLimit('5/minute') @SkipRateLimit() @Get('two') two() {}
    }
    expect(await problemsOf({}, Routes)).toEqual([
      'policy.rate-limit.cost',
      'policy.rate-limit.skip-and-limit',
    ]);
  });

  it('R-SH-08 headers that say something else than meant', async () => {
    @Controller()
    @Public()
    class Routes {
      @SecurityHeaders({ contentSecurityPolicy: { 'script-src': ["'self'; object-src *"] } })
      @Get('one')
      one() {}
    }
    expect(new Set(await problemsOf({ headers: { frameOptions: 'SOMETIMES' as 'DENY' } }, Routes))).toEqual(
      new Set(['headers.contentSecurityPolicy', 'headers.frameOptions']),
    );
  });

  it('R-IV-10 PITFALL-V2 input that nothing could validate', async () => {
    @Controller()
    @Public()
    class Routes {
      @Post('any') any(@Body() _body: unknown) {}
      @Post('union') union(@Body() _body: NameDto | string) {}
      @Post('list') list(@Body() _body: NameDto[]) {}
      @Get('query') query(@Query() _query: Record<string, string>) {}
      @Post('fine') fine(@Body() _body: NameDto) {}
    }
    expect(await problemsOf({}, Routes)).toHaveLength(4);
    expect(await problemsOf({ validation: { undeclared: 'warn' } }, Routes)).toEqual([]);
  });

  it('R-IV-03 a body limit that is none', async () => {
    @Controller()
    @Public()
    class Routes {
      @BodyLimit('1gb' as '1mb') @Post('one') one() {}
      @BodyLimit('1kb', { types: ['JSON'] }) @Post('two') two() {}
    }
    expect(await problemsOf({}, Routes)).toEqual(['policy.body-limit.size', 'policy.body-limit.types']);
  });

  it('R-CF-01 an option that does not exist', async () => {
    expect(await problemsOf({ rateLimits: {} } as SecurityOptions)).toEqual(['options.unknown']);
  });

  it('R-TL-06 R-CF-01 no message holds a secret', async () => {
    const secret = 'CANARY-9f2c';
    const error = await (async () => {
      @Module({
        imports: [
          SecurityModule.forRoot({
            logger: false,
            apiKeys: { pepper: secret },
            jwt: { issuer: 'https://id.test', audience: 'a', secret },
          }),
        ],
      })
      class AppModule {}
      return startApp('express', AppModule).catch((caught: unknown) => caught as Error);
    })();
    expect(error).toBeInstanceOf(SecurityConfigurationError);
    expect((error as Error).message).not.toContain(secret);
  });
});
