import { PassThrough } from 'node:stream';

import { Controller, Get, Module, StreamableFile } from '@nestjs/common';
import fc from 'fast-check';
import { Public, SecurityModule } from 'nestjs-api-security';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp, startApp } from '../support/app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { rawConnection } from '../support/raw-http.js';
import { type ReferenceApp, startReferenceApp } from '../support/reference-app.js';

const CANARY = 'CANARY-9f2c';

@Controller()
@Public()
class FaultyController {
  @Get('string') string(): never {
    throw CANARY as unknown as Error;
  }

  @Get('null') null(): never {
    throw null as unknown as Error;
  }

  @Get('object') object(): never {
    throw { message: CANARY, toJSON: () => CANARY, status: 200 } as unknown as Error;
  }

  @Get('aggregate') aggregate(): never {
    throw new AggregateError([new Error(CANARY)], CANARY);
  }

  @Get('getter') getter(): never {
    const error = new Error('x');
    Object.defineProperty(error, 'message', {
      get: () => {
        throw new Error(CANARY);
      },
    });
    throw error;
  }

  @Get('bigint') bigint() {
    return { value: 1n };
  }

  @Get('circular') circular() {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    return value;
  }

  @Get('late') async late(): Promise<never> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new TypeError(CANARY);
  }

  @Get('stream') stream() {
    const stream = new PassThrough();
    stream.write('half');
    setTimeout(() => stream.destroy(new Error(CANARY)), 20);
    return new StreamableFile(stream);
  }

  @Get('fine') fine() {
    return { ok: true };
  }
}

@Module({
  imports: [SecurityModule.forRoot({ logger: false, https: 'off', rateLimit: { read: '100000/minute' } })],
  controllers: [FaultyController],
})
class FaultyModule {}

const unhandled: unknown[] = [];
const remember = (reason: unknown) => unhandled.push(reason);
beforeAll(() => {
  process.on('unhandledRejection', remember).on('uncaughtException', remember);
});
afterAll(() => {
  process.off('unhandledRejection', remember).off('uncaughtException', remember);
});
afterEach(() => expect(unhandled).toEqual([]));

describe.each(ADAPTERS)('faults of the application on %s', (adapter) => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp(adapter, FaultyModule);
  });
  afterAll(() => app.close());

  it.each(['string', 'null', 'object', 'aggregate', 'getter', 'bigint', 'circular', 'late'])(
    'R-ER-02 R-ER-06 whatever is thrown, the client learns nothing of it: %s',
    async (path) => {
      const answer = await send<ErrorEnvelope>(app.port, 'GET', `/${path}`);
      expect(answer.status).toBe(500);
      expect(answer.json).toEqual({ error: { code: 'INTERNAL_ERROR', message: 'Internal Server Error' } });
      expect(answer.header('x-content-type-options')).toBe('nosniff');
      expect(answer.header('cache-control')).toBe('no-store');
    },
  );

  it('R-ER-06 a stream that breaks half-way ends the connection, and nothing else', async () => {
    const request = 'GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const { closedByServer } = await rawConnection(app.port, request, { timeoutMs: 3_000 });
    expect(closedByServer).toBe(true);
    expect((await send(app.port, 'GET', '/fine')).status).toBe(200);
  });
});

describe.each(ADAPTERS)('hostile bytes on %s', (adapter) => {
  let app: ReferenceApp;
  let key: string;
  beforeAll(async () => {
    app = await startReferenceApp(adapter);
    key = await app.key();
  });
  afterAll(() => app.close());

  it('R-HP-16 no body of any form gives a 500 or a hung request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.string({ unit: 'binary' }),
          fc.jsonValue().map((value) => JSON.stringify(value).slice(1)),
        ),
        async (body) => {
          const answer = await send(app.port, 'POST', '/items', {
            body,
            headers: { 'x-api-key': key, 'content-type': 'application/json' },
          });
          expect([201, 400, 413]).toContain(answer.status);
          expect(answer.header('content-security-policy')).toBeDefined();
        },
      ),
      { numRuns: 150 },
    );
  });

  it('R-HP-16 no target, header or credential gives a 500', async () => {
    const line = fc.string({
      unit: fc.constantFrom(...' /%.;?#&=\\:@[]aZ0\t"\'<>é~*'.split('')),
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(line, line, async (target, value) => {
        const text = `GET /${target.replaceAll(' ', '')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${value}\r\n\r\n`;
        const { responses } = await rawConnection(app.port, Buffer.from(text, 'latin1'), { responses: 1 });
        expect(responses[0]?.status ?? 0).toBeGreaterThanOrEqual(200);
        expect(responses[0]?.status ?? 0).toBeLessThan(500);
        expect(responses[0]?.header('x-content-type-options')).toBe('nosniff');
      }),
      { numRuns: 150 },
    );
  });

  it('R-HP-12 R-HP-16 random bytes, and clients that go away, leave the server as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        await rawConnection(app.port, Buffer.from(bytes), { timeoutMs: 300, idleMs: 20, end: true });
      }),
      { numRuns: 40 },
    );
    const head = `POST /items HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a`;
    await rawConnection(app.port, head, { timeoutMs: 100 });
    const started = performance.now();
    expect((await send(app.port, 'GET', '/public')).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
