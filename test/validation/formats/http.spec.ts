import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import {
  Identifier,
  IsBigIntString,
  IsEmailAddress,
  IsFullDate,
  IsHostname,
  IsIpAddress,
  IsRfc3339,
  IsStrictUrl,
  IsStrictUuid,
  Public,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps } from '../../support/bare-app.js';
import { type ErrorEnvelope, send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';

class ThingDto {
  @IsOptional()
  @IsStrictUrl()
  site?: string;

  @IsOptional()
  @IsStrictUrl({ schemes: ['https', 'http'] }, { each: true })
  links?: string[];

  @IsOptional()
  @IsEmailAddress()
  email?: string;

  @IsOptional()
  @IsRfc3339()
  at?: string;

  @IsOptional()
  @IsFullDate()
  day?: string;

  @IsOptional()
  @IsHostname({ minLabels: 2 })
  host?: string;

  @IsOptional()
  @IsIpAddress({ version: 4 })
  ip?: string;

  @IsOptional()
  @IsStrictUuid({ versions: [4] }, { message: 'id must be one of ours, not $value' })
  id?: string;

  @IsOptional()
  @IsBigIntString()
  count?: string;

  @IsOptional()
  @Identifier({ maxLength: 20 })
  name?: string;
}

@Controller('things')
@Public()
class ThingsController {
  @Post()
  create(@Body() thing: ThingDto): ThingDto {
    return thing;
  }

  @Get()
  find(@Query() thing: ThingDto): ThingDto {
    return thing;
  }
}

const GOOD = {
  site: 'https://example.org/a',
  links: ['http://example.org', 'https://example.org'],
  email: 'ada@example.org',
  at: '2026-02-28T10:00:00Z',
  day: '2026-02-28',
  host: 'example.org',
  ip: '192.0.2.1',
  id: '919108f7-52d1-4320-9bac-f847db4148a8',
  count: '9007199254740993',
  name: 'ada-99',
};

const BAD: readonly [keyof ThingDto, unknown, rule: string, message: string][] = [
  ['site', 'http://example.org', 'isStrictUrl', 'site must be a URL that begins with https://'],
  ['site', { $gt: '' }, 'isStrictUrl', 'site must be a URL that begins with https://'],
  ['email', '"<script>"@example.org', 'isEmailAddress', 'email must be an e-mail address'],
  ['at', '2026-02-30T10:00:00Z', 'isRfc3339', 'at must be an RFC 3339 date and time'],
  ['day', '2026-02-29', 'isFullDate', 'day must be a date as 2026-12-31'],
  ['host', 'localhost', 'isHostname', 'host must be a host name'],
  ['ip', '0177.0.0.1', 'isIpAddress', 'ip must be an IPv4 address'],
  ['id', 'canary', 'isStrictUuid', 'id must be one of ours, not the value'],
  ['count', '-1', 'isBigIntString', 'count must be a whole number from 0 to 9223372036854775807'],
  ['name', 'аdmin', 'identifier', 'name must be a name of letters and digits of one script'],
];

describe.each(ADAPTERS)('formats on %s', (adapter) => {
  afterEach(closeApps);

  it('R-IV-15 R-IV-09 are rules like any other, in bodies and queries', async () => {
    const { port } = await startSecured(adapter, {}, { controllers: [ThingsController] });
    expect(await send(port, 'POST', '/things', { json: GOOD })).toMatchObject({ status: 201, json: GOOD });
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(GOOD))
      for (const one of [value].flat()) query.append(name, one);
    expect(await send(port, 'GET', `/things?${query.toString()}`)).toMatchObject({ status: 200, json: GOOD });

    for (const [path, value, rule, message] of BAD) {
      const { status, json } = await send<ErrorEnvelope>(port, 'POST', '/things', {
        json: { [path]: value },
      });
      expect(status).toBe(400);
      expect(json.error).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ path }] });
      if (typeof value === 'string') expect(json.error.details).toEqual([{ path, rule, message }]);
    }
    for (const links of ['https://example.org', ['https://example.org', 'ftp://example.org'], [{ $ne: 1 }]]) {
      const { status, json } = await send<ErrorEnvelope>(port, 'POST', '/things', { json: { links } });
      expect([status, json.error.code]).toEqual([400, 'VALIDATION_FAILED']);
    }
    const { status } = await send(port, 'GET', '/things?ip=127.1');
    expect(status).toBe(400);
  });
});
