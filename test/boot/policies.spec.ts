import {
  type INestApplication,
  Controller,
  Get,
  Module,
  Post,
  RequestMethod,
  VersioningType,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import {
  ApiKeyAuth,
  JwtAuth,
  PolicyRegistry,
  Public,
  RequireScopes,
  SecurityModule,
} from 'nestjs-api-security';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ADAPTERS, type Adapter, startApp, type StartOptions } from '../support/app.js';
import { send } from '../support/http-client.js';

class BaseController {
  @Get('shared') shared() {
    return { ok: true };
  }
}

@Controller('first')
@Public()
class FirstController extends BaseController {}

@Controller('second')
@ApiKeyAuth('second:read')
class SecondController extends BaseController {
  @Post() @RequireScopes('second:write') write() {
    return { ok: true };
  }
}

@Controller({ path: ['many', 'paths'], version: ['1', '2'] })
@JwtAuth()
class VersionedController {
  @Get(['a', 'b']) list() {
    return { ok: true };
  }
}

@Controller({ host: 'admin.example.com', path: 'host' })
@Public()
class HostController {
  @Get() one() {
    return { ok: true };
  }
}

@Controller('health')
@Public()
class HealthController {
  @Get() one() {
    return { ok: true };
  }
}

@Module({ controllers: [SecondController] })
class NestedModule {}

@Module({
  imports: [
    SecurityModule.forRoot({
      apiKeys: {},
      jwt: { issuer: 'https://id.test', audience: 'https://api.test', signingKey: 'generate' },
      https: 'off',
      logger: false,
    }),
    NestedModule,
    RouterModule.register([{ path: 'nested', module: NestedModule }]),
  ],
  controllers: [FirstController, VersionedController, HostController, HealthController],
})
class AppModule {}

async function start(adapter: Adapter, options: StartOptions = {}) {
  const running = await startApp(adapter, AppModule, {
    configure: (app: INestApplication) => {
      app.setGlobalPrefix('api', { exclude: [{ path: 'health', method: RequestMethod.GET }] });
      app.enableVersioning({ type: VersioningType.URI });
    },
    ...options,
  });
  onTestFinished(() => running.close());
  return running;
}

describe.each(ADAPTERS)('policies of every route on %s', (adapter) => {
  it('R-AZ-15 lists each handler once, with prefix, version, module path, host and inherited methods', async () => {
    const { app } = await start(adapter);
    const ids = app.get(PolicyRegistry).policies.map(({ id }) => id);
    expect(ids.toSorted()).toEqual([
      'GET /api/first/shared',
      'GET /api/host @admin.example.com',
      'GET /api/nested/second/shared',
      'GET /api/v1/many/a v1,2',
      'GET /health',
      'POST /api/nested/second',
    ]);
    const versioned = app.get(PolicyRegistry).policies.find(({ id }) => id.includes('many'))!;
    expect(versioned.locations.map(({ path }) => path).toSorted()).toEqual([
      '/api/v1/many/a',
      '/api/v1/many/b',
      '/api/v1/paths/a',
      '/api/v1/paths/b',
      '/api/v2/many/a',
      '/api/v2/many/b',
      '/api/v2/paths/a',
      '/api/v2/paths/b',
    ]);
  });

  it('R-AZ-04 an inherited method has the policy of the controller through which it is reached', async () => {
    const { port } = await start(adapter);
    expect((await send(port, 'GET', '/api/first/shared')).status).toBe(200);
    expect((await send(port, 'GET', '/api/nested/second/shared')).status).toBe(401);
    expect((await send(port, 'GET', '/api/v2/paths/b')).status).toBe(401);
    expect((await send(port, 'GET', '/health')).status).toBe(200);
  });

  it('policies are frozen all the way down', async () => {
    const { app } = await start(adapter);
    for (const policy of app.get(PolicyRegistry).policies) {
      expect(Object.isFrozen(policy)).toBe(true);
      for (const part of [
        policy.authentication,
        policy.authorization,
        policy.rateLimit,
        policy.body,
        policy.locations,
      ]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
    }
  });

  it('R-CF-07 an instrumented handler still meets its policy', async () => {
    const { port } = await start(adapter, {
      instrument: {
        instanceDecorator: (instance: unknown) => {
          if (!(instance instanceof BaseController)) return instance;
          const original = instance.shared.bind(instance);
          const wrapped = { shared: () => original() };
          Object.defineProperty(wrapped.shared, 'name', { value: 'shared' });
          Object.defineProperty(instance, 'shared', { value: wrapped.shared });
          return instance;
        },
      },
    });
    expect((await send(port, 'GET', '/api/first/shared')).status).toBe(200);
    expect((await send(port, 'GET', '/api/nested/second/shared')).status).toBe(401);
  });
});
