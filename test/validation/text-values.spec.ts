import { Type } from 'class-transformer';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsDate,
  IsEnum,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Max,
  Min,
} from 'class-validator';
import { describe, expect, it } from 'vitest';

import { bodyOf, paramOf, queryOf, strict, verdictOf } from './verdict.js';

enum Level {
  Low,
  High,
}

class Listing {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number = 20;

  @IsOptional()
  @IsIn(['name', 'createdAt'])
  sort: string = 'name';

  @IsOptional()
  @IsNumber()
  price?: number;

  @IsOptional()
  @IsBoolean()
  open?: boolean;

  @IsOptional()
  @IsDate()
  @Type(() => Date)
  since?: Date;

  @IsOptional()
  @IsString({ each: true })
  @ArrayMaxSize(3)
  tags?: string[];

  @IsOptional()
  @IsArray()
  @IsInt({ each: true })
  @Type(() => Number)
  ids?: number[];

  @IsOptional()
  @IsEnum(Level)
  @Type(() => Number)
  level?: Level;

  @IsOptional()
  @IsString({ each: true })
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  fields?: string[];
}

class UserId {
  @IsInt()
  id!: number;
}

describe('query and path objects', () => {
  it.each([
    ['price', '0', 0],
    ['price', '-0', 0],
    ['price', '1.50', 1.5],
    ['price', '-12', -12],
    ['price', '9007199254740991', 9_007_199_254_740_991],
    ['limit', '100', 100],
    ['open', 'true', true],
    ['open', 'false', false],
    ['since', '2026-02-28', new Date('2026-02-28')],
    ['since', '2024-02-29T23:59:59.5+02:00', new Date('2024-02-29T23:59:59.5+02:00')],
    ['tags', 'a', ['a']],
    ['tags', ['a', 'b'], ['a', 'b']],
    ['ids', '7', [7]],
    ['ids', ['7', '8'], [7, 8]],
    ['level', '1', Level.High],
    ['fields', 'a,b', ['a', 'b']],
    ['sort', 'createdAt', 'createdAt'],
  ])('R-IV-12 ?%s=%j becomes %j', async (name, text, value) => {
    const verdict = await verdictOf(strict, { [name]: text }, queryOf(Listing));
    expect(verdict.broken).toEqual([]);
    const got = (verdict.value as Record<string, unknown>)[name];
    expect(got).toEqual(value);
    expect(Object.is(got, -0)).toBe(false);
  });

  it.each([
    ...[
      '1e3',
      '0x10',
      ' 1',
      '1 ',
      '１',
      '',
      '+1',
      '01',
      '1.',
      '.5',
      '1,5',
      'NaN',
      'Infinity',
      '--1',
      '1_000',
      '9007199254740993',
      '9'.repeat(400),
      `0.${'0'.repeat(400)}1`,
    ].map((text) => ['price', text, 'isNumber']),
    ...['1.0', '1e1', '5.5', 'ten', '99999999999999999999'].map((text) => ['limit', text, 'isInt']),
    ...['1', '0', 'TRUE', 'yes', 'on', ''].map((text) => ['open', text, 'isBoolean']),
    ...[
      '2026-02-29',
      '2026-13-01',
      '2026-00-10',
      '2026-01-32',
      '2026-1-1',
      'yesterday',
      '0',
      '2026-01-01T10:00:00',
      '2026-01-01T24:00:00Z',
      '2026-01-01 10:00:00Z',
      '2026-01-01T10:60:00Z',
      '2026-01-01T10:00:60Z',
      '+002026-01-01',
      '',
    ].map((text) => ['since', text, 'isDate']),
  ] as [string, string, string][])('R-IV-12 ?%s=%j is refused', async (name, text, rule) => {
    expect(await verdictOf(strict, { [name]: text }, queryOf(Listing))).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      broken: [`${name} ${rule}`],
    });
  });

  it.each(['limit', 'sort', 'price', 'open', 'since', 'level'])(
    'R-IV-18 ?%s given twice is refused, whatever the values',
    async (name) => {
      expect(await verdictOf(strict, { [name]: ['1', '1'] }, queryOf(Listing))).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
        broken: [`${name} isSingle`],
      });
    },
  );

  it.each(['tags[]', 'limit[gt]', 'limit.gt', '__proto__', 'constructor', 'toString', 'x'])(
    'R-IV-11 R-IV-18 ?%s= is no declared name',
    async (name) => {
      const values = Object.create(null) as Record<string, unknown>;
      Object.defineProperty(values, name, { value: '1', enumerable: true });
      expect(await verdictOf(strict, values, queryOf(Listing))).toMatchObject({
        status: 400,
        code: 'UNEXPECTED_FIELDS',
      });
    },
  );

  it('R-IV-18 an object, as an extended query parser makes it, is no value', async () => {
    for (const name of ['limit', 'sort', 'tags', 'fields']) {
      const verdict = await verdictOf(strict, { [name]: { gt: '1' } }, queryOf(Listing));
      expect(verdict, name).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    }
  });

  it.each([
    [{ limit: '1000000000' }, 'limit max'],
    [{ limit: '0' }, 'limit min'],
    [{ limit: '-5' }, 'limit min'],
    [{ sort: 'name;drop table users' }, 'sort isIn'],
    [{ sort: 'password' }, 'sort isIn'],
  ])('R-IV-20 %j is beyond what the DTO allows', async (query, broken) => {
    expect(await verdictOf(strict, query, queryOf(Listing))).toMatchObject({ status: 400, broken: [broken] });
  });

  it('R-IV-20 absent values get the defaults of the DTO', async () => {
    expect((await verdictOf(strict, {}, queryOf(Listing))).value).toMatchObject({ limit: 20, sort: 'name' });
    expect((await verdictOf(strict, undefined, queryOf(Listing))).value).toMatchObject({ limit: 20 });
  });

  it.each(['Low', 'High', 'constructor', 'toString', '2', '-1', '0.0'])(
    'R-IV-14 ?level=%s is no member of the enum',
    async (level) => {
      expect((await verdictOf(strict, { level }, queryOf(Listing))).status).toBe(400);
    },
  );

  it('R-IV-12 a list is refused by its number of items before they are converted', async () => {
    const tags = Array.from({ length: 500 }, () => 'x');
    expect((await verdictOf(strict, { tags }, queryOf(Listing))).broken).toEqual(['tags arrayMaxSize']);
  });

  it('R-IV-12 path objects are converted the same way; the route, not the client, names their parameters', async () => {
    expect((await verdictOf(strict, { id: '7' }, paramOf(UserId))).value).toEqual({ id: 7 });
    expect((await verdictOf(strict, { id: '7', tenant: 'a' }, paramOf(UserId))).value).toEqual({ id: 7 });
    for (const id of ['7.5', '0x7', 'seven', '', '7 ']) {
      expect((await verdictOf(strict, { id }, paramOf(UserId))).broken, id).toEqual(['id isInt']);
    }
  });
});

describe('single query and path parameters', () => {
  it.each([
    [Number, '12', 12],
    [Number, '-0.5', -0.5],
    [Boolean, 'false', false],
    [String, '', ''],
    [String, '12', '12'],
    [Number, undefined, undefined],
    [String, undefined, undefined],
  ])('R-IV-12 as %o, %j is %j', async (type, text, value) => {
    for (const metadata of [queryOf(type, 'page'), paramOf(type, 'page')]) {
      expect(await verdictOf(strict, text, metadata)).toMatchObject({ status: 200, value });
    }
  });

  it.each([
    [Number, '1e3'],
    [Number, '0x10'],
    [Number, ' 1'],
    [Number, '１'],
    [Number, ''],
    [Boolean, '1'],
    [Boolean, ''],
    [Boolean, 'True'],
    [Number, ['1', '2']],
    [String, { $gt: '' }],
  ])('R-IV-12 as %o, %j is refused', async (type, text) => {
    for (const metadata of [queryOf(type, 'page'), paramOf(type, 'page')]) {
      expect(await verdictOf(strict, text, metadata)).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
      });
    }
  });

  it('R-IV-18 several texts are none in a query', async () => {
    expect((await verdictOf(strict, ['1', '2'], queryOf(String, 'page'))).broken).toEqual(['page isSingle']);
  });

  it('R-IV-12 a class without rules is left to the pipe of the parameter, text as it is', async () => {
    class ObjectId {}
    expect(await verdictOf(strict, '64b', paramOf(ObjectId, 'id'))).toMatchObject({
      status: 200,
      value: '64b',
    });
    expect((await verdictOf(strict, ['64b', '64c'], queryOf(ObjectId, 'id'))).status).toBe(400);
    expect((await verdictOf(strict, { $ne: 1 }, bodyOf(ObjectId, 'id'))).status).toBe(400);
  });

  it('R-IV-18 where the type is gone at run time, one text is all there may be', async () => {
    for (const type of [Object, undefined]) {
      expect(await verdictOf(strict, 'a', queryOf(type, 'q'))).toMatchObject({ status: 200, value: 'a' });
      expect((await verdictOf(strict, ['a', 'b'], queryOf(type, 'q'))).status).toBe(400);
    }
  });
});
