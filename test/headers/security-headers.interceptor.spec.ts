import { Body, Controller, Get, Post, UnauthorizedException } from '@nestjs/common';
import { IsString } from 'class-validator';
import { Public, SecurityHeaders } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps } from '../support/bare-app.js';
import { send, type HttpResponse } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class NoteDto {
  @IsString()
  text!: string;
}

@Controller()
@Public()
@SecurityHeaders({
  contentSecurityPolicy: { 'default-src': ["'self'"] },
  frameOptions: false,
  cacheControl: 'public, max-age=60',
})
class PagesController {
  @Get('page')
  page(): string {
    return 'fine';
  }

  @Get('late')
  @SecurityHeaders({ frameOptions: 'SAMEORIGIN' })
  async late(): Promise<string> {
    await Promise.resolve();
    return 'fine';
  }

  @Get('refused')
  refused(): never {
    throw new UnauthorizedException('Not you');
  }

  @Get('broken')
  async broken(): Promise<never> {
    await Promise.resolve();
    throw new Error('a secret');
  }

  @Post('notes')
  add(@Body() note: NoteDto): NoteDto {
    return note;
  }
}

@Controller()
@Public()
class PlainController {
  @Get('plain')
  plain(): object {
    return {};
  }
}

const NAMES = ['content-security-policy', 'x-frame-options', 'cache-control'];
const headersOf = (response: HttpResponse): (string | undefined)[] =>
  NAMES.map((name) => response.header(name));

const OWN = ["default-src 'self'", undefined, 'public, max-age=60'];
const STANDARD = ["default-src 'none'; frame-ancestors 'none'", 'DENY', 'no-store'];

afterEach(closeApps);

describe.each(ADAPTERS)('@SecurityHeaders() on %s', (adapter) => {
  const start = async () => {
    const { port } = await startSecured(adapter, {}, { controllers: [PagesController, PlainController] });
    return (method: string, path: string, json?: unknown) => send(port, method, path, { json });
  };

  it('CONTRACT-4 R-SH-03 changes what it names for its routes, each header once', async () => {
    const ask = await start();
    const response = await ask('GET', '/page');
    expect([response.status, ...headersOf(response)]).toEqual([200, ...OWN]);
    const names = response.rawHeaders.map(([name]) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
  });

  it('CONTRACT-4 the handler’s goes over the controller’s', async () => {
    const ask = await start();
    expect(headersOf(await ask('GET', '/late'))).toEqual([OWN[0], 'SAMEORIGIN', OWN[2]]);
  });

  it.each<[string, string, string, number, unknown?]>([
    ['the handler refuses', 'GET', '/refused', 401],
    ['the handler fails', 'GET', '/broken', 500],
    ['the input is refused', 'POST', '/notes', 400, { text: 5 }],
    ['a field is unexpected', 'POST', '/notes', 400, { text: 'a', evil: 1 }],
  ])('R-SH-02 R-SH-04 errors keep the set: %s', async (_, method, path, status, json) => {
    const ask = await start();
    const response = await ask(method, path, json);
    expect([response.status, ...headersOf(response)]).toEqual([status, ...STANDARD]);
  });

  it('CONTRACT-4 leaves other routes alone', async () => {
    const ask = await start();
    await ask('GET', '/page');
    expect(headersOf(await ask('GET', '/plain'))).toEqual(STANDARD);
  });
});
