import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IsString, MaxLength } from 'class-validator';
import { Public, SecurityModule } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { send } from '../support/http-client.js';

class NoteDto {
  @IsString() @MaxLength(100) text!: string;
}

@Controller()
@Public()
class NotesController {
  @Get('open') open() {
    return { ok: true };
  }

  @Post('notes') add(@Body() note: NoteDto) {
    return note;
  }
}

@Module({
  imports: [SecurityModule.forRoot({ logger: false, https: 'reject' })],
  controllers: [NotesController],
})
class AppModule {}

let folder: string;
let httpsOptions: { key: Buffer; cert: Buffer };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nestjs-api-security-tls-'));
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem';
  execFileSync('openssl', args.split(' '), { cwd: folder, stdio: 'pipe' });
  httpsOptions = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function listen(http: ExpressAdapter | FastifyAdapter, options: object = {}): Promise<number> {
  const app = await NestFactory.create(AppModule, http, { logger: false, abortOnError: false, ...options });
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  return ((app.getHttpServer() as Server).address() as AddressInfo).port;
}

describe('over TLS', () => {
  it.each(['express', 'fastify'] as const)(
    'CONTRACT-5 R-TL-03 R-TL-04 a TLS socket is secure, and gets HSTS: %s',
    async (adapter) => {
      const port =
        adapter === 'express'
          ? await listen(new ExpressAdapter(), { httpsOptions })
          : await listen(new FastifyAdapter({ https: httpsOptions }));
      const answer = await send(port, 'GET', '/open', { tls: true });
      expect(answer.status).toBe(200);
      expect(answer.header('strict-transport-security')).toBe('max-age=63072000; includeSubDomains');
      const posted = await send(port, 'POST', '/notes', { tls: true, json: { text: 'a' } });
      expect([posted.status, posted.json]).toEqual([201, { text: 'a' }]);
    },
  );

  it('R-SH-02 R-HP-14 HTTP/2 has the same headers and the same answers', async () => {
    const port = await listen(new FastifyAdapter({ http2: true, https: httpsOptions } as never));
    const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    onTestFinished(() => session.close());
    const call = (headers: Record<string, string>, body?: string) =>
      new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
        const stream = session.request({ ':path': '/', ...headers });
        let head: Record<string, unknown> = {};
        let text = '';
        stream.on('response', (answer) => (head = answer));
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
        stream.on('end', () => resolve({ status: Number(head[':status']), headers: head, text }));
        stream.on('error', reject);
        stream.end(body);
      });
    const open = await call({ ':path': '/open' });
    expect(open.status).toBe(200);
    const missing = await call({ ':path': '/nope' });
    expect(missing.status).toBe(404);
    const json = { ':method': 'POST', ':path': '/notes', 'content-type': 'application/json' };
    const posted = await call(json, '{"text":"a"}');
    expect([posted.status, posted.text]).toEqual([201, '{"text":"a"}']);
    const refused = await call(json, '{"text":"a","evil":1}');
    expect(refused.status).toBe(400);
    for (const { headers } of [open, missing, posted, refused]) {
      expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers['strict-transport-security']).toBeDefined();
      expect(headers['x-ratelimit-limit']).toBeDefined();
    }
  });
});
