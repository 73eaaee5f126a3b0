import { channel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';

import { Body, Controller, Get, type LoggerService, Param, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import {
  ApiKeyAuth,
  IsEmailAddress,
  IsStrictUuid,
  MemoryApiKeyStore,
  MemoryRateLimitStorage,
  PlainText,
  Public,
  SafeUrl,
  Secret,
  SECURITY_EVENTS_CHANNEL,
  SecurityEvents,
} from 'nestjs-api-security';
import { SanitizeHtml } from 'nestjs-api-security/sanitize-html';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { ADAPTERS, closeApps } from '../support/bare-app.js';
import { rawRequest } from '../support/raw-http.js';
import { startSecured } from '../support/secured-app.js';
import { get, JSON_TYPE, message, post } from './hostile-messages.js';

/** In letters and digits, so that it can stand anywhere. */
const CANARY = 'cq7canary4711zx';
const seen: string[] = [];

class Part {
  @IsString() @MaxLength(5) sku!: string;
}

class Thing {
  @IsInt() @Min(0) @Max(9) amount!: number;
  @IsOptional() @IsIn(['low', 'high']) level?: string;
  @IsOptional() @IsEmailAddress() email?: string;
  @IsOptional() @IsStrictUuid({}, { message: 'not $value, but a UUID' }) id?: string;
  @IsOptional() @PlainText({ maxLength: 10 }) text?: string;
  @IsOptional() @SanitizeHtml('inline', { maxLength: 20 }) html?: string;
  @IsOptional() @SafeUrl() hook?: string;
  @IsOptional() @Secret({ minLength: 60 }) password?: string;
  @IsOptional() @Matches(/^\d{1,9}$/, { message: 'digits, and $value is none' }) digits?: string;
  @IsOptional() @IsArray() @ArrayMaxSize(2) @ValidateNested({ each: true }) @Type(() => Part) parts?: Part[];
}

class Search {
  @IsOptional() @IsInt() @Min(1) @Max(9) page?: number;
  @IsOptional() @IsIn(['name']) sort?: string;
}

class ThingId {
  @IsStrictUuid() id!: string;
}

@Controller()
class ThingController {
  @Public() @Post('things') create(@Body() thing: Thing): unknown {
    seen.push(inspect(thing));
    return {};
  }

  @Public() @Get('things') find(@Query() search: Search): unknown {
    seen.push(inspect(search));
    return {};
  }

  @Public() @Get('things/:id') one(@Param() id: ThingId): unknown {
    seen.push(inspect(id));
    return {};
  }

  @ApiKeyAuth() @Get('mine') mine(): unknown {
    return {};
  }
}

const body = (value: object): Buffer => post('/things', JSON.stringify({ amount: 1, ...value }));
const withHeader = (target: string, ...fields: string[]): Buffer => message(`GET ${target}`, fields);
const multipart = (name: string): string =>
  `--x\r\nContent-Disposition: form-data; name="${name}"; filename="${name}"\r\n\r\n${name}\r\n--x--\r\n`;

/** A place in a request where something stands for which it is refused. */
const PLACES: readonly (readonly [place: string, request: Buffer])[] = [
  ['a number', body({ amount: CANARY })],
  ['an enumeration', body({ level: CANARY })],
  ['an e-mail address', body({ email: `${CANARY}@` })],
  ['a rule whose message asks for the value', body({ id: CANARY })],
  ['another such rule', body({ digits: CANARY })],
  ['a text that is too long', body({ text: `${CANARY} ${CANARY}` })],
  ['HTML', body({ html: `<b>${CANARY}</b><script>${CANARY}` })],
  ['a URL', body({ hook: `https://127.0.0.1/${CANARY}` })],
  ['a secret', body({ password: CANARY })],
  ['a nested field', body({ parts: [{ sku: CANARY }] })],
  ['an unknown field', body({ other: CANARY })],
  ['an unknown field of a part', body({ parts: [{ sku: 'a', other: { deep: [CANARY] } }] })],
  ['a list instead of a text', body({ email: [CANARY] })],
  ['an operator', body({ email: { $gt: CANARY } })],
  ['a dangerous name', post('/things', `{"__proto__":{"a":"${CANARY}"}}`)],
  ['broken JSON', post('/things', `{"amount":${CANARY}}`)],
  ['unfinished JSON', post('/things', `{"amount":1,"email":"${CANARY}`)],
  ['JSON with a control character', post('/things', `{"email":"${CANARY}\\u0000"}`)],
  ['JSON with a name twice', post('/things', `{"email":"${CANARY}","email":"${CANARY}"}`)],
  ['JSON in other bytes', post('/things', Buffer.from(`{"email":"${CANARY}\xff"}`, 'latin1'))],
  ['JSON that is too deep', post('/things', `${'['.repeat(30)}"${CANARY}"${']'.repeat(30)}`)],
  ['JSON that is too long', post('/things', `{"email":"${CANARY.repeat(8_000)}"}`)],
  ['what follows JSON', post('/things', `{"amount":1} ${CANARY}`)],
  ['a form', post('/things', `a=${CANARY}`, 'Content-Type: application/x-www-form-urlencoded')],
  ['a form with parts', post('/things', multipart(CANARY), 'Content-Type: multipart/form-data; boundary=x')],
  ['the boundary', post('/things', 'x', `Content-Type: multipart/form-data; boundary=${CANARY}`)],
  ['a media type', post('/things', '{}', `Content-Type: ${CANARY}/${CANARY}`)],
  ['a charset', post('/things', '{}', `Content-Type: application/json; charset=${CANARY}`)],
  ['a coding', post('/things', '{}', JSON_TYPE, `Content-Encoding: ${CANARY}`)],
  ['a transfer coding', message('POST /things', [JSON_TYPE, `Transfer-Encoding: ${CANARY}`], 'x')],
  ['a body on GET', message('GET /things', [JSON_TYPE], `{"a":"${CANARY}"}`)],
  ['a query parameter', get(`/things?page=${CANARY}`)],
  ['an allowed value in a query', get(`/things?sort=${CANARY}`)],
  ['an unknown query parameter', get(`/things?other=${CANARY}`)],
  ['a query parameter twice', get(`/things?sort=${CANARY}&sort=${CANARY}`)],
  ['broken encoding in a query', get(`/things?sort=${CANARY}%zz`)],
  ['a control character in a query', get(`/things?sort=${CANARY}%00`)],
  ['a credential in a query', get(`/things?api_key=${CANARY}`)],
  ['a path parameter', get(`/things/${CANARY}`)],
  ['a path with a slash in it', get(`/things/${CANARY}%2f`)],
  ['a path with a control character', get(`/things/%00${CANARY}`)],
  ['a path of no route', get(`/${CANARY}/${CANARY}`)],
  [
    'a method',
    Buffer.from(`${CANARY.toUpperCase()} /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
  ],
  ['a protocol', Buffer.from(`GET /things ${CANARY}\r\nHost: a\r\n\r\n`)],
  ['the host', Buffer.from(`GET /things HTTP/1.1\r\nHost: ${CANARY} x\r\nConnection: close\r\n\r\n`)],
  ['a second host', withHeader('/things', `Host: ${CANARY}`)],
  ['a header field that is none', withHeader('/things', `${CANARY} x`)],
  ['a length', message('POST /things', [JSON_TYPE, `Content-Length: ${CANARY}`], '{}')],
  ['an expectation', message('POST /things', [JSON_TYPE, `Expect: ${CANARY}`], '{}')],
  ['an API key', withHeader('/mine', `X-API-Key: ${CANARY}`)],
  [
    'the secret of an API key',
    withHeader('/mine', `X-API-Key: sk_live_0123456789abcdef_${CANARY.padEnd(49, 'q')}`),
  ],
  ['a bearer token', withHeader('/mine', `Authorization: Bearer ${CANARY}`)],
  ['a scheme', withHeader('/mine', `Authorization: ${CANARY} ${CANARY}`)],
  ['basic credentials', withHeader('/mine', `Authorization: Basic ${CANARY}`)],
  ['two credentials', withHeader('/mine', `X-API-Key: ${CANARY}`, `X-API-Key: ${CANARY}`)],
  ['a cookie', withHeader('/mine', `Cookie: session=${CANARY}`)],
  [
    'where it comes from',
    withHeader('/mine', `Origin: ${CANARY}`, `Referer: ${CANARY}`, `User-Agent: ${CANARY}`),
  ],
  ['forwarded addresses', withHeader('/mine', `X-Forwarded-For: ${CANARY}`, `Forwarded: for=${CANARY}`)],
  ['a request id', withHeader('/mine', `X-Request-Id: ${CANARY}`, `Traceparent: ${CANARY}`)],
];

/** Everything that is called on a store, with what it is called with and what comes of it. */
function watched<T extends object>(store: T, calls: string[]): T {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...parameters: unknown[]): unknown => {
        calls.push(inspect([name, parameters], { depth: 9 }));
        return Reflect.apply(member, target, parameters);
      };
    },
  });
}

describe.each(ADAPTERS)('a canary on %s', (adapter) => {
  const logs: string[] = [];
  const events: string[] = [];
  const calls: string[] = [];
  const log = (...words: unknown[]): void => void logs.push(inspect(words, { depth: 9 }));
  const logger: LoggerService = { log, error: log, warn: log, debug: log, verbose: log, fatal: log };
  let port: number;

  beforeAll(async () => {
    for (const name of ['log', 'error', 'warn', 'info', 'debug'] as const)
      vi.spyOn(console, name).mockImplementation(log);
    channel(SECURITY_EVENTS_CHANNEL).subscribe(log);
    const { app, port: listening } = await startSecured(
      adapter,
      {
        logger: true,
        apiKeys: { store: watched(new MemoryApiKeyStore(), calls) },
        rateLimit: {
          read: '100000/minute',
          write: '100000/minute',
          address: '100000/minute',
          storage: watched(new MemoryRateLimitStorage(), calls),
        },
      },
      { controllers: [ThingController] },
      { logger },
    );
    app.get(SecurityEvents).stream.subscribe((event) => void events.push(inspect(event, { depth: 9 })));
    port = listening;
  });
  afterAll(async () => {
    await closeApps();
    channel(SECURITY_EVENTS_CHANNEL).unsubscribe(log);
    vi.restoreAllMocks();
  });

  it.each(PLACES)('R-IV-28 R-LG-03 R-ER-04 is refused and found nowhere: %s', async (_, request) => {
    const answer = await rawRequest(port, request);
    // What is no HTTP at all may get no answer.
    expect(answer.status === 0 || answer.status >= 400, String(answer.status)).toBe(true);
    const said = inspect([answer.status, answer.reason, answer.headers, answer.body], { depth: 9 });
    for (const [where, texts] of Object.entries({ answer: [said], logs, events, calls, seen }))
      expect(
        texts.filter((text) => text.toLowerCase().includes(CANARY)),
        where,
      ).toEqual([]);
  });

  it('R-IV-11 the name of an unknown field is told, shortened, and so this test can find what it looks for', async () => {
    const { body: text } = await rawRequest(port, body({ [CANARY]: 1 }));
    expect(JSON.parse(text)).toMatchObject({ error: { details: [{ path: CANARY, rule: 'whitelist' }] } });
    expect(events.at(-1)).toContain(CANARY);
    expect([...calls, ...seen].filter((entry) => entry.includes(CANARY))).toEqual([]);
  });

  it('R-IV-28 there was something to look through', () => {
    expect(logs.length).toBeGreaterThan(5);
    expect(events.length).toBeGreaterThan(30);
    expect(calls.length).toBeGreaterThan(20);
  });
});
