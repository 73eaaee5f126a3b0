import { Controller, Get, type INestApplication, Param, Post } from '@nestjs/common';
import { Public } from 'nestjs-api-security';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter, type RunningApp } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

@Controller()
@Public()
class RootController {
  @Get()
  root(): string {
    return 'root';
  }

  @Get('files/*')
  file(): string {
    return 'file';
  }
}

@Controller('users')
@Public()
class UsersController {
  @Get()
  list(): string {
    return 'list';
  }

  @Post('new/')
  create(): string {
    return 'created';
  }

  @Get(':id')
  one(@Param('id') id: string): unknown {
    return { id };
  }
}

type Express = INestApplication & { disable(setting: string): unknown; enable(setting: string): unknown };

const start = (adapter: Adapter, configure?: (app: INestApplication) => void): Promise<RunningApp> =>
  startSecured(
    adapter,
    { rateLimit: { read: false, write: false, address: false } },
    { controllers: [RootController, UsersController] },
    configure ? { configure } : {},
  );

afterEach(closeApps);

describe.each(ADAPTERS)('a slash at the end of a path, on %s', (adapter) => {
  let port: number;
  beforeEach(async () => ({ port } = await start(adapter)));

  it.each([
    ['GET', '/', 200],
    ['GET', '/users', 200],
    ['GET', '/users?', 200],
    ['GET', '/users/', 404],
    ['HEAD', '/users/', 404],
    ['GET', '/users/7', 200],
    ['GET', '/users/7/', 404],
    ['POST', '/users/new', 201],
    ['POST', '/users/new/', 404],
    ['GET', '/files/a', 200],
    ['GET', '/files/a/', 200],
    ['GET', '/nothing/', 404],
    ['GET', '/users//', 400],
  ])('R-IV-29 R-AZ-04 %s %s is %i', async (method, path, status) => {
    expect((await send(port, method, path)).status).toBe(status);
  });

  it('R-IV-29 keeps to that below a prefix', async () => {
    const prefixed = await start(adapter, (app) => app.setGlobalPrefix('api'));
    expect((await send(prefixed.port, 'GET', '/api/users')).status).toBe(200);
    expect((await send(prefixed.port, 'GET', '/api/users/')).status).toBe(404);
  });
});

describe('a slash at the end of a path, as the application has it', () => {
  const instanceOf = (app: INestApplication): Express => app.getHttpAdapter().getInstance() as Express;

  it('R-IV-29 is nothing on express without strict routing', async () => {
    const { port } = await start('express', (app) => instanceOf(app).disable('strict routing'));
    expect((await send(port, 'GET', '/users/')).status).toBe(200);
    expect((await send(port, 'GET', '/users/7/')).status).toBe(200);
  });

  it('R-IV-29 is one on express with it', async () => {
    const { port } = await start('express', (app) => instanceOf(app).enable('strict routing'));
    expect((await send(port, 'GET', '/users/')).status).toBe(404);
  });
});
