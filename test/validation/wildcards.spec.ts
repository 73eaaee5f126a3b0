import { Controller, Get, Param } from '@nestjs/common';
import { IsOptional, IsString, MaxLength } from 'class-validator';
import { Public } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ADAPTERS } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

/** Nest's name for what `*` stands for: `path` on Express, which hands over segments, `*` on Fastify. */
class Place {
  @IsOptional()
  @IsString()
  @MaxLength(8)
  path?: string;

  @IsOptional()
  @IsString()
  @MaxLength(8)
  '*'?: string;
}

@Controller()
@Public()
class Files {
  @Get('files/*')
  file(@Param('path') path?: string, @Param('*') rest?: string): unknown {
    return [path ?? rest];
  }

  @Get('places/*')
  place(@Param() place: Place): unknown {
    return [place.path ?? place['*']];
  }
}

afterAll(closeApps);

describe.each(ADAPTERS)('R-IV-19 what a wildcard stands for on %s', (adapter) => {
  let port: number;
  beforeAll(async () => {
    ({ port } = await startSecured(adapter, {}, { controllers: [Files] }));
  });

  it.each([
    ['/files/a', 'a'],
    ['/files/a/b/c', 'a/b/c'],
    ['/files/a%20b/c', 'a b/c'],
    ['/files/e%CC%81/e%CC%81', '\u00e9/\u00e9'],
    ['/places/a/b', 'a/b'],
    ['/places/e%CC%81', '\u00e9'],
  ])('%s is one text, in composed form', async (path, text) => {
    expect(await send(port, 'GET', path)).toMatchObject({ status: 200, json: [text] });
  });

  it.each(['/files/a%2fb', '/files/a/../b', '/files/a/%00', '/files//a', `/files/a/e${'%CC%81'.repeat(31)}`])(
    '%s is malformed',
    async (path) => {
      const { status, json } = await send<ErrorEnvelope>(port, 'GET', path);
      expect([status, json.error.code]).toEqual([400, 'MALFORMED_REQUEST']);
    },
  );

  it('is held against its rules as a whole', async () => {
    expect((await send(port, 'GET', '/places/abcd/efgh')).status).toBe(400);
  });
});
