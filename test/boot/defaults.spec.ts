import type { Server } from 'node:http';

import { Body, Controller, Get, Logger, Module, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IsString, MaxLength } from 'class-validator';
import {
  CurrentPrincipal,
  Public,
  RateLimit,
  SecurityModule,
  type SecurityOptions,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { ADAPTERS, startApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';

class NoteDto {
  @IsString() @MaxLength(100) text!: string;
}

@Controller()
class NotesController {
  @Public() @Get('open') open() {
    return { ok: true };
  }

  @Public() @Post('notes') add(@Body() note: NoteDto) {
    return note;
  }

  @Public() @RateLimit('5/minute') @Get('who') who(@CurrentPrincipal() principal: unknown) {
    return { principal: principal ?? null };
  }
}

@Module({ imports: [SecurityModule.forRoot()], controllers: [NotesController] })
class BareModule {}

afterEach(() => vi.restoreAllMocks());

describe.each(ADAPTERS)('SecurityModule.forRoot() without options on %s', (adapter) => {
  it('R-CF-02 puts headers, limits, strict validation and the envelope in place', async () => {
    const { port, close } = await startApp(adapter, BareModule);
    onTestFinished(close);
    const open = await send(port, 'GET', '/open');
    expect(open.status).toBe(200);
    expect(open.header('x-content-type-options')).toBe('nosniff');
    expect(open.header('x-ratelimit-limit')).toBe('300');
    const extra = await send<ErrorEnvelope>(port, 'POST', '/notes', { json: { text: 'a', evil: 1 } });
    expect(extra.json.error.code).toBe('UNEXPECTED_FIELDS');
    expect(extra.header('x-ratelimit-limit')).toBe('60');
    expect((await send<ErrorEnvelope>(port, 'GET', '/nope')).json.error.code).toBe('NOT_FOUND');
  });

  it('R-CF-02 tells at boot what is on, what is not, and which routes are open', async () => {
    const log = vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    const { close } = await startApp(adapter, BareModule);
    await close();
    const report = log.mock.calls
      .map(([message]) => String(message))
      .find((text) => text.includes('routes'))!;
    expect(report).toMatch(/api keys\s+not configured/);
    expect(report).toMatch(/https\s+off/);
    expect(report).toMatch(/public routes\s+GET \/open, POST \/notes, GET \/who/);
    expect(report.split('\n').length).toBeLessThan(25);
  });
});

describe('SecurityModule in other set-ups', () => {
  it('takes its options from a factory with dependencies', async () => {
    const LIMIT = Symbol('limit');
    @Module({ providers: [{ provide: LIMIT, useValue: '7/minute' }], exports: [LIMIT] })
    class ConfigModule {}
    @Module({
      imports: [
        SecurityModule.forRootAsync({
          imports: [ConfigModule],
          inject: [LIMIT],
          useFactory: async (read: '7/minute'): Promise<SecurityOptions> => {
            await Promise.resolve();
            return { logger: false, rateLimit: { read } };
          },
        }),
      ],
      controllers: [NotesController],
    })
    class AsyncModule {}
    const { port, close } = await startApp('express', AsyncModule);
    onTestFinished(close);
    expect((await send(port, 'GET', '/open')).header('x-ratelimit-limit')).toBe('7');
  });

  it.each(ADAPTERS)('PITFALL-NC4 protects an application of a testing module too, on %s', async (adapter) => {
    const testing = await Test.createTestingModule({
      imports: [SecurityModule.forRoot({ logger: false, https: 'reject' })],
      controllers: [NotesController],
    }).compile();
    const app =
      adapter === 'express'
        ? testing.createNestApplication()
        : testing.createNestApplication(new FastifyAdapter());
    await app.listen(0, '127.0.0.1');
    onTestFinished(() => app.close());
    const { port } = (app.getHttpServer() as Server).address() as { port: number };
    expect((await send<ErrorEnvelope>(port, 'GET', '/open')).json.error.code).toBe('HTTPS_REQUIRED');
  });

  it('R-CF-06 keeps the raw body where Nest is asked for it', async () => {
    @Controller()
    class HookController {
      @Public() @Post('hook') hook(@Body() note: NoteDto) {
        return note;
      }
    }
    @Module({ imports: [SecurityModule.forRoot({ logger: false })], controllers: [HookController] })
    class HookModule {}
    for (const adapter of ADAPTERS) {
      let seen: unknown;
      const { port, close } = await startApp(adapter, HookModule, {
        rawBody: true,
        configure: (app) => {
          app.useGlobalInterceptors({
            intercept: (context, next) => {
              seen = context.switchToHttp().getRequest<{ rawBody?: Buffer }>().rawBody;
              return next.handle();
            },
          });
        },
      });
      const body = '{ "text": "a" }';
      expect(
        (await send(port, 'POST', '/hook', { body, headers: { 'content-type': 'application/json' } })).status,
      ).toBe(201);
      expect(String(seen)).toBe(body);
      await close();
    }
  });
});
