import { Body, Controller, Get, type INestApplication, Post } from '@nestjs/common';
import { IsString } from 'class-validator';
import { Public, type SecurityOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, type Adapter } from '../support/bare-app.js';
import { send, type HttpResponse } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

const ORIGIN = 'https://app.example.test';
const OTHER = 'https://other.example.test';

class NoteDto {
  @IsString()
  text!: string;
}

@Controller()
class ItemsController {
  @Get('open')
  @Public()
  open(): object {
    return {};
  }

  @Get('closed')
  closed(): object {
    return {};
  }

  @Post('write')
  @Public()
  write(@Body() note: NoteDto): object {
    return note;
  }
}

const LARGE = { 'content-type': 'application/json', 'content-length': '9999999' };

type Cors = Parameters<INestApplication['enableCors']>[0];

async function start(
  adapter: Adapter,
  options: SecurityOptions,
  cors: Cors = { origin: [ORIGIN], credentials: true },
) {
  const { port } = await startSecured(
    adapter,
    options,
    { controllers: [ItemsController] },
    { configure: (app) => app.enableCors(cors) },
  );
  return (path: string, origin = ORIGIN, method = 'GET', headers = {}): Promise<HttpResponse> =>
    send(port, method, path, { headers: { origin, ...headers } });
}

afterEach(closeApps);

describe.each(ADAPTERS)('CORS of the application on %s', (adapter) => {
  it('R-CO-06 R-RL-04 R-RL-22 is on a refusal below the framework', async () => {
    const ask = await start(adapter, { rateLimit: { address: '1/minute' } });
    const responses = [await ask('/open'), await ask('/open'), await ask('/nowhere')];
    expect(responses.map(({ status }) => status)).toEqual([200, 429, 429]);
    for (const response of responses) {
      expect(response.header('access-control-allow-origin')).toBe(ORIGIN);
      expect(response.header('access-control-allow-credentials')).toBe('true');
      expect(response.header('access-control-expose-headers')).toContain('Retry-After');
      expect(response.header('vary')).toMatch(/\borigin\b/i);
    }
    expect(responses[1]?.json).toMatchObject({ error: { code: 'RATE_LIMITED' } });
  });

  it('R-CO-06 is on every other failure', async () => {
    const ask = await start(adapter, {});
    const responses = [
      await ask('/closed'),
      await ask('/nowhere'),
      await ask('/open?api_key=x'),
      await ask('/write', ORIGIN, 'POST', LARGE),
    ];
    expect(responses.map(({ status }) => status)).toEqual([401, 404, 400, 413]);
    for (const response of responses) expect(response.header('access-control-allow-origin')).toBe(ORIGIN);
  });

  it('R-CO-06 says nothing to other origins', async () => {
    const ask = await start(adapter, { rateLimit: { address: '1/minute' } });
    const responses = [await ask('/open', OTHER), await ask('/open', OTHER)];
    expect(responses.map(({ status }) => status)).toEqual([200, 429]);
    for (const response of responses) expect(response.header('access-control-allow-origin')).not.toBe(OTHER);
  });

  it('R-CO-06 may decide later, and fail', async () => {
    const ask = await start(
      adapter,
      { https: 'reject' },
      {
        origin: (origin: string, done: (error: Error | null, allowed?: string) => void) => {
          setTimeout(() => (origin === ORIGIN ? done(null, origin) : done(new Error('no'))), 5);
        },
      },
    );
    const allowed = await ask('/open');
    expect([allowed.status, allowed.header('access-control-allow-origin')]).toEqual([403, ORIGIN]);
    const failed = await ask('/open', OTHER);
    expect(failed.header('access-control-allow-origin')).toBeUndefined();
    expect(failed.status).toBeGreaterThanOrEqual(400);
  });
});
