import {
  Controller,
  Get,
  HttpException,
  Injectable,
  Post,
  Body,
  Query,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR, HttpAdapterHost } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { IsString } from 'class-validator';
import { Public, SecurityModule } from 'nestjs-api-security';
import type { Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare, type Adapter } from '../support/bare-app.js';
import { send, type HttpResponse } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

// What Nest 12 does by itself, and what this module does in the same place.

class Echo {
  @IsString()
  text!: string;
}

@Controller()
class GreetingController {
  @Get('hello')
  hello(@Query('name') name: string): string {
    return `Hello ${name}`;
  }

  @Post('echo')
  echo(@Body() body: Echo): Echo {
    return body;
  }
}

@Injectable()
class RefusingGuard implements CanActivate {
  canActivate(): boolean {
    throw new UnauthorizedException();
  }
}

@Controller()
@UseGuards(RefusingGuard)
class RefusedController {
  @Get('refused')
  refused(): object {
    return {};
  }
}

@Controller()
@Public()
class PublicGreetings extends GreetingController {}

const PUBLIC: ModuleMetadata = { controllers: [PublicGreetings, RefusedController] };

const SCRIPT = '<script>alert(1)</script>';

/** One of each kind of response that never gets as far as an interceptor. */
async function earlyFailures(port: number): Promise<Record<string, HttpResponse>> {
  const type = { 'content-type': 'application/json' };
  return {
    refused: await send(port, 'GET', '/refused'),
    unknown: await send(port, 'GET', '/nowhere'),
    malformed: await send(port, 'POST', '/echo', { headers: type, body: '{"a":' }),
  };
}

/** An application's HTTPS check, and somebody else's hook after it. */
const installTwo = (app: INestApplication): void => {
  const http = app.getHttpAdapter();
  http.registerSecurityHook?.(() => new HttpException('HTTPS only', 403));
  http.registerSecurityHook?.(() => undefined);
};

afterEach(closeApps);

describe.each(ADAPTERS)('Nest on %s', (adapter: Adapter) => {
  describe('PITFALL-NC1 strings as responses', () => {
    it(`bare: ${adapter === 'express' ? 'they are sent as HTML' : 'they are sent as text'}`, async () => {
      const { port } = await startBare(adapter, { controllers: [GreetingController] });
      const response = await send(port, 'GET', `/hello?name=${encodeURIComponent(SCRIPT)}`);
      expect(response.text).toBe(`Hello ${SCRIPT}`);
      expect(response.header('content-type')).toMatch(adapter === 'express' ? /^text\/html/ : /^text\/plain/);
    });

    it('ours: never as HTML', async () => {
      const { port } = await startSecured(adapter, {}, PUBLIC);
      const response = await send(port, 'GET', `/hello?name=${encodeURIComponent(SCRIPT)}`);
      expect(response.status).toBe(200);
      expect(response.header('content-type')).toMatch(/^(text\/plain|application\/json); ?charset=utf-8$/i);
    });
  });

  describe('PITFALL-NC2 headers from an interceptor', () => {
    @Injectable()
    class HeaderInterceptor implements NestInterceptor {
      intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
        const reply = context.switchToHttp().getResponse<{ header(name: string, value: string): void }>();
        reply.header('X-Protected', 'yes');
        return next.handle();
      }
    }

    it('bare: they are missing on every early failure', async () => {
      const { port } = await startBare(adapter, {
        controllers: [GreetingController, RefusedController],
        providers: [{ provide: APP_INTERCEPTOR, useClass: HeaderInterceptor }],
      });
      expect((await send(port, 'GET', '/hello?name=Ada')).header('x-protected')).toBe('yes');
      const { refused, unknown, malformed } = await earlyFailures(port);
      expect([refused?.status, unknown?.status, malformed?.status]).toEqual([401, 404, 400]);
      for (const response of [refused, unknown, malformed])
        expect(response?.header('x-protected')).toBeUndefined();
    });

    it('ours: they are on every response', async () => {
      const { port } = await startSecured(adapter, {}, PUBLIC);
      const responses = Object.values(await earlyFailures(port));
      expect(responses.map(({ status }) => status)).toEqual([401, 404, 400]);
      for (const response of responses) {
        expect(response.header('x-content-type-options')).toBe('nosniff');
        expect(response.header('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      }
    });
  });

  describe('PITFALL-NC3 two security hooks', () => {
    it(`bare: ${adapter === 'express' ? 'both run' : 'the second silently replaces the first'}`, async () => {
      const { port } = await startBare(
        adapter,
        { controllers: [GreetingController] },
        { configure: installTwo },
      );
      const { status } = await send(port, 'GET', '/hello?name=Ada');
      expect(status).toBe(adapter === 'express' ? 403 : 200);
    });

    it('ours: a hook of the application takes nothing away', async () => {
      const { port } = await startSecured(adapter, { https: 'reject' }, PUBLIC, {
        configure: (app) => void app.useSecurityHeaders(),
      });
      const response = await send(port, 'GET', '/hello?name=Ada');
      expect([response.status, response.json]).toMatchObject([403, { error: { code: 'HTTPS_REQUIRED' } }]);
    });
  });

  describe('PITFALL-NC5 the headers of Nest itself', () => {
    it('bare: HSTS over plain HTTP, a policy for web pages, nothing against caches', async () => {
      const { port } = await startBare(
        adapter,
        { controllers: [RefusedController] },
        { configure: (app) => void app.useSecurityHeaders() },
      );
      const response = await send(port, 'GET', '/refused', {
        headers: { authorization: 'Bearer x' },
      });
      expect(response.status).toBe(401);
      expect(response.header('strict-transport-security')).toBeDefined();
      expect(response.header('content-security-policy')).toContain("script-src 'self'");
      expect(response.header('cache-control')).toBeUndefined();
    });

    it('ours: HSTS over HTTPS only, a policy for APIs, no caching of what a credential opened', async () => {
      const { port } = await startSecured(adapter, {}, PUBLIC);
      const response = await send(port, 'GET', '/refused', { headers: { 'x-api-key': 'nonsense' } });
      expect(response.status).toBe(401);
      expect(response.header('strict-transport-security')).toBeUndefined();
      expect(response.header('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(response.header('cache-control')).toBe('no-store');
    });
  });
});

describe('PITFALL-NC4 applications of the testing package', () => {
  it('bare: no adapter exists when providers are made', async () => {
    @Injectable()
    class EarlyBird {
      readonly sawAdapter: boolean;

      constructor(host: HttpAdapterHost) {
        this.sawAdapter = Boolean(host.httpAdapter);
      }
    }
    const testing = await Test.createTestingModule({ providers: [EarlyBird] }).compile();
    const app = testing.createNestApplication();
    expect(app.get(EarlyBird).sawAdapter).toBe(false);
    await app.close();
  });

  it.each(ADAPTERS)('ours: on %s the hook is there all the same', async (adapter) => {
    const security = SecurityModule.forRoot({ https: 'off', logger: false, apiKeys: {} });
    const testing = await Test.createTestingModule({ imports: [security], ...PUBLIC }).compile();
    const app = testing.createNestApplication(
      adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
      { logger: false },
    );
    await app.listen(0, '127.0.0.1');
    const response = await send(Number(new URL(await app.getUrl()).port), 'GET', '/nowhere');
    expect(response.status).toBe(404);
    expect(response.header('x-content-type-options')).toBe('nosniff');
    await app.close();
  });
});
