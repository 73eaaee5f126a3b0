import { Readable } from 'node:stream';

import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Header,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { IsString, MaxLength } from 'class-validator';
import { Public, type SecurityOptions } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type Adapter, type RunningApp } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type HttpResponse, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

const MARKUP = '</script><b>a & b</b>\u2028\u2029 é 😀';
const ESCAPED = '\\u003c/script\\u003e\\u003cb\\u003ea \\u0026 b\\u003c/b\\u003e\\u2028\\u2029 é 😀';
const ANY_MARKUP = /[<>&\u2028\u2029]/;

class Note {
  @IsString()
  @MaxLength(100)
  text!: string;
}

/** What a handler finds in the response of either framework. */
interface Reply {
  send(body: unknown): unknown;
  type(type: string): unknown;
}

@Controller()
@Public()
class EchoController {
  @Post('echo')
  echo(@Body() { text }: Note): unknown {
    return { text, [MARKUP]: [text] };
  }

  @Get('object')
  object(): unknown {
    return { text: MARKUP };
  }

  @Get('list')
  list(): unknown {
    return [MARKUP];
  }

  @Get('callback')
  callback(@Query('callback') callback?: string): unknown {
    return { callback, text: MARKUP };
  }

  @Get('text-json')
  @Header('Content-Type', 'application/json')
  textJson(): string {
    return JSON.stringify({ text: MARKUP });
  }

  @Get('problem')
  @Header('Content-Type', 'application/problem+json')
  problem(): unknown {
    return { text: MARKUP };
  }

  @Get('by-hand')
  byHand(@Res() reply: Reply): void {
    reply.send({ text: MARKUP });
  }

  @Get('plain')
  plain(): string {
    return MARKUP;
  }

  @Get('html')
  @Header('Content-Type', 'text/html; charset=utf-8')
  html(): string {
    return MARKUP;
  }

  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from([Buffer.from(JSON.stringify({ text: MARKUP }))]), {
      type: 'application/json',
    });
  }

  @Get('bytes')
  bytes(@Res() reply: Reply): void {
    reply.type('application/json');
    reply.send(Buffer.from(JSON.stringify({ text: MARKUP })));
  }

  @Get('wrong')
  wrong(): never {
    throw new BadRequestException(MARKUP);
  }
}

const LIMITLESS = { rateLimit: { address: false, read: false, write: false } } as const;

const start = (adapter: Adapter, options: SecurityOptions = {}): Promise<RunningApp> =>
  startSecured(adapter, { ...LIMITLESS, ...options }, { controllers: [EchoController] });

const ports = {} as Record<Adapter, number>;
const plainPorts = {} as Record<Adapter, number>;
let etagOf: (body: string) => string;
beforeAll(async () => {
  for (const adapter of ADAPTERS) {
    const { app, port } = await start(adapter);
    ports[adapter] = port;
    plainPorts[adapter] = (await start(adapter, { answers: { escapeJson: false } })).port;
    const instance: unknown = app.getHttpAdapter().getInstance();
    if (adapter === 'express') etagOf = (instance as { get(name: string): typeof etagOf }).get('etag fn');
  }
});
afterAll(closeApps);

function expectSafe({ text, headers }: HttpResponse): void {
  expect(text).not.toMatch(ANY_MARKUP);
  expect(headers['content-type']).toMatch(/json; charset=utf-8$/);
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
}

describe.each(ADAPTERS)('a JSON answer on %s', (adapter) => {
  it('R-IV-24 R-IV-22 comes with escapes, and means what was sent', async () => {
    const answer = await send<{ text: string }>(ports[adapter], 'POST', '/echo', { json: { text: MARKUP } });
    expect(answer.status).toBe(201);
    expectSafe(answer);
    expect(answer.text).toBe(`{"text":"${ESCAPED}","${ESCAPED}":["${ESCAPED}"]}`);
    expect(answer.json.text).toBe(MARKUP);
  });

  it.each(['/object', '/list', '/text-json', '/problem', '/by-hand'])(
    'R-IV-24 is escaped wherever it is made: %s',
    async (path) => {
      const answer = await send(ports[adapter], 'GET', path);
      expect(answer.status).toBe(200);
      expectSafe(answer);
      expect(answer.text).toContain(ESCAPED);
    },
  );

  it('R-IV-24 keeps a type of its own, with a charset', async () => {
    const { headers } = await send(ports[adapter], 'GET', '/problem');
    expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });

  it.each([{}, { accept: 'application/problem+json' }])(
    'R-IV-24 is escaped for failures too, with %j',
    async (headers) => {
      const own = await send(ports[adapter], 'GET', '/wrong', { headers });
      expect(own.status).toBe(400);
      expectSafe(own);
      expect(own.text).toContain(ESCAPED);
      const unknown = await send(ports[adapter], 'POST', '/echo', {
        headers,
        json: { text: 'a', '<img>&': 1 },
      });
      expect(unknown.status).toBe(400);
      expectSafe(unknown);
    },
  );

  it.each(['/plain', '/html', '/stream', '/bytes'])(
    'R-IV-24 other answers are not touched: %s',
    async (path) => {
      const { status, text } = await send(ports[adapter], 'GET', path);
      expect(status).toBe(200);
      expect(text).toContain(
        path === '/plain' || path === '/html' ? MARKUP : JSON.stringify({ text: MARKUP }),
      );
    },
  );

  it('R-IV-24 is never wrapped in a callback', async () => {
    const undeclared = await send(ports[adapter], 'GET', '/object?callback=alert');
    expect([undeclared.status, undeclared.json]).toMatchObject([
      400,
      { error: { code: 'UNEXPECTED_FIELDS' } },
    ]);
    const declared = await send(ports[adapter], 'GET', '/callback?callback=alert');
    expect(declared.header('content-type')).toBe('application/json; charset=utf-8');
    expect(declared.text).toBe(`{"callback":"alert","text":"${ESCAPED}"}`);
  });

  it('R-IV-24 has the length of what is sent on HEAD', async () => {
    const { text } = await send(ports[adapter], 'GET', '/object');
    const head = await send(ports[adapter], 'HEAD', '/object');
    expect(head.header('content-length')).toBe(String(Buffer.byteLength(text)));
  });

  it('R-IV-24 stays as it is where that is switched off', async () => {
    const { text } = await send(plainPorts[adapter], 'GET', '/object');
    expect(text).toBe(JSON.stringify({ text: MARKUP }));
    const wrong = await send<{ error: { message: string } }>(plainPorts[adapter], 'GET', '/wrong');
    expect(wrong.text).toContain('</script>');
  });
});

describe('a tag on express', () => {
  it('R-IV-24 is that of what is sent', async () => {
    const { headers, text } = await send(ports.express, 'GET', '/object');
    const tag = headers['etag']!;
    expect(tag).toBe(etagOf(text));
    const again = await send(ports.express, 'GET', '/object', { headers: { 'if-none-match': tag } });
    expect(again.status).toBe(304);
  });
});
