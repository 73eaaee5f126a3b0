import { readFileSync } from 'node:fs';

import { Body, Controller, Get, Logger, Param, Patch, Post } from '@nestjs/common';
import { ApiProperty, PartialType } from '@nestjs/swagger';
import { Exclude, Type } from 'class-transformer';
import * as cv from 'class-validator';
import {
  arrayOf,
  ClientSettable,
  CsvList,
  oneOf,
  PageQuery,
  partialOf,
  Public,
  type SecurityConfigurationError,
  ToBigInt,
  Unbounded,
  type ValidationOptions,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { isBoundedPattern } from '../../lib/validation/audit/bounded-pattern.js';
import { DtoAudit } from '../../lib/validation/audit/dto-audit.js';
import type { InputSource } from '../../lib/validation/route-arguments.js';
import type { DtoClass } from '../../lib/validation/transformer-storage.js';
import { closeApps } from '../support/bare-app.js';
import { startSecured } from '../support/secured-app.js';

const FILE = 'test/validation/audit.spec.ts';
const SOURCE = readFileSync(FILE, 'utf8').split('\n');
const placeOf = (name: string): string => `${FILE}:${SOURCE.indexOf(`class ${name} {`) + 1}`;

const audit = (dto: DtoClass, source: InputSource = 'body'): string[] => {
  const all = new DtoAudit();
  all.add(dto, source);
  return all.findings.map(({ where, problem }) => `${where} ${problem}`);
};

class Line {
  @cv.IsString()
  sku!: string;

  @cv.IsInt()
  @cv.Min(1)
  amount!: number;
}

class Loose {
  @cv.IsString()
  name!: string;

  @cv.IsNotEmpty()
  title!: string;

  @cv.MinLength(3)
  word!: string;

  @cv.Matches(/^[a-z]+$/)
  pattern!: string;

  @cv.IsEmail({}, { each: true })
  mails!: string[];

  @cv.IsString({ each: true })
  @cv.ArrayMaxSize(3)
  tags!: string[];

  @cv.ValidateNested({ each: true })
  @Type(() => Line)
  lines!: Line[];

  @cv.IsNumber()
  price!: number;

  @cv.IsPositive()
  weight!: number;

  @cv.Allow()
  anything!: unknown;

  @cv.IsObject()
  bag!: Record<string, unknown>;

  @cv.IsOptional()
  maybe?: unknown;

  forgotten?: string;

  @ApiProperty()
  declare documented: string;

  @cv.IsUUID()
  ownerId!: string;

  @cv.IsBoolean()
  is_admin!: boolean;

  @cv.IsDateString()
  @cv.MaxLength(40)
  createdAt!: string;
}

class Tight {
  @cv.IsString()
  @cv.MaxLength(5)
  name!: string;

  @cv.Length(1, 5)
  short!: string;

  @cv.Matches(/^[a-z]{1,8}$/)
  pattern!: string;

  @cv.IsEmail()
  mail!: string;

  @cv.IsUrl()
  url!: string;

  @cv.IsIn(['a'])
  letter!: string;

  @cv.IsUUID()
  uuid4!: string;

  @cv.IsBoolean()
  flag!: boolean;

  @cv.IsDate()
  when!: Date;

  @cv.IsInt()
  @cv.Min(0)
  @cv.Max(9)
  count!: number;

  @cv.IsPositive()
  @cv.Max(9)
  weight!: number;

  @cv.IsLatitude()
  latitude!: number;

  @cv.IsString({ each: true })
  @cv.MaxLength(5, { each: true })
  @cv.ArrayMaxSize(3)
  tags!: string[];

  @ToBigInt()
  big!: bigint;

  @CsvList(Number)
  list!: number[];

  @Unbounded()
  @cv.IsObject()
  bag!: object;

  @Exclude()
  secret?: string;

  @ClientSettable()
  @cv.IsIn(['a'])
  role!: string;

  get label(): string {
    return this.name;
  }
}

afterEach(async () => {
  vi.restoreAllMocks();
  await closeApps();
});

describe('the audit of input classes', () => {
  it('R-IV-10 R-IV-13 lists what takes more than it should, by class and property', () => {
    expect(audit(Loose)).toEqual([
      'Loose.name is text without a maximum length',
      'Loose.title is text without a maximum length',
      'Loose.word is text without a maximum length',
      'Loose.pattern is text without a maximum length',
      'Loose.mails is a list without a maximum size',
      'Loose.tags is text without a maximum length',
      'Loose.lines is a list without a maximum size',
      'Loose.price is a number without bounds',
      'Loose.weight is a number without bounds',
      'Loose.anything takes any value',
      'Loose.bag takes any value',
      'Loose.maybe takes any value',
      'Loose.ownerId is a name that is usually the server’s to set',
      'Loose.is_admin is a name that is usually the server’s to set',
      'Loose.createdAt is a name that is usually the server’s to set',
      'Loose.forgotten has no decorator, so that nobody can set it',
      'Loose.documented has no decorator, so that nobody can set it',
      'Line.sku is text without a maximum length',
      'Line.amount is a number without bounds',
    ]);
  });

  it('R-IV-10 has nothing to say of a class that bounds everything, or says that it does not', () => {
    expect(audit(Tight)).toEqual([]);
  });

  it('R-IV-13 names are the server’s in bodies only, and markers go with a class', () => {
    expect(audit(Loose, 'query').join()).not.toContain('server');
    expect(audit(partialOf(Loose)).join()).toContain('PartialLoose.ownerId is a name');
    expect(audit(partialOf(Tight))).toEqual([]);
    expect(audit(PartialType(Tight))).toEqual([]);
  });

  it.each([
    [/^[a-z]{1,8}$/, true],
    [/^\d{4}-\d{2}$/, true],
    [/^(?:a|b)$/, true],
    [/^[*+{1,}]$/, true],
    [/^\+\d{1,15}$/, true],
    [/^a?$/, true],
    [/^a+$/, false],
    [/^a*$/, false],
    [/^a{2,}$/, false],
    [/a/, false],
    [/^a/, false],
    [/^a|b$/, false],
    [/^a$/m, false],
    [/^a\$/, false],
  ])('R-IV-15 the length of %s is bounded: %j', (pattern, bounded) => {
    expect(isBoundedPattern(pattern)).toBe(bounded);
  });
});

@Controller()
@Public()
class LooseController {
  @Post('a')
  a(@Body() body: Loose): unknown {
    return body;
  }

  @Patch('b')
  b(@Body(arrayOf(Line)) lines: Line[]): unknown {
    return lines;
  }
}

class Id {
  @cv.IsUUID()
  id!: string;
}
class A {
  @cv.Equals('a')
  kind!: 'a';
}
class B {
  @cv.Equals('b')
  kind!: 'b';
}

@Controller()
@Public()
class TightController {
  @Post('a/:id')
  a(@Body() body: Tight, @Param() { id }: Id): unknown {
    return [body, id];
  }

  @Post('b')
  b(@Body(oneOf([A, B], 'kind')) body: A | B): unknown {
    return body;
  }

  @Get('c')
  c(@PageQuery({ sort: ['name'] }) page: unknown): unknown {
    return page;
  }

  @Get('d')
  d(@PageQuery({ by: 'cursor' }) page: unknown): unknown {
    return page;
  }
}

describe('validation.unbounded', () => {
  async function boot(controller: new () => unknown, validation?: ValidationOptions, logger = true) {
    vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const error: unknown = await startSecured(
      'express',
      { logger, ...(validation && { validation }) },
      { controllers: [controller] },
    ).then(
      () => undefined,
      (e: unknown) => e,
    );
    return { warnings: warn.mock.calls.map(([message]) => String(message)), error };
  }

  it('R-CF-01 warns once by default, with each class once and the fix', async () => {
    const { warnings, error } = await boot(LooseController);
    expect(error).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('19 properties take more than is wise');
    expect(warnings[0]!.split('\n')).toHaveLength(20);
    expect(warnings[0]).toContain(
      `  Line.sku (${placeOf('Line')}) is text without a maximum length: add @MaxLength()`,
    );
  });

  it('R-CF-01 says nothing where there is nothing to say, or nobody who wants to hear it', async () => {
    expect(await boot(TightController)).toEqual({ warnings: [], error: undefined });
    expect(await boot(TightController, { unbounded: 'refuse' })).toEqual({ warnings: [], error: undefined });
    expect(await boot(LooseController, { unbounded: 'allow' })).toEqual({ warnings: [], error: undefined });
    expect(await boot(LooseController, {}, false)).toEqual({ warnings: [], error: undefined });
  });

  it('R-CF-01 stops the boot if it is told to, with every problem', async () => {
    const { error, warnings } = await boot(LooseController, { unbounded: 'refuse' });
    const { problems } = error as SecurityConfigurationError;
    expect(problems).toHaveLength(19);
    expect(problems[0]).toEqual({
      code: 'validation.unbounded',
      where: `Loose.name (${placeOf('Loose')})`,
      problem: 'is text without a maximum length',
      fix: 'add @MaxLength()',
    });
    expect(warnings).toEqual([]);
  });

  it('R-CF-01 takes no other word', async () => {
    const { error } = await boot(TightController, { unbounded: 'yes', translate: 'no' } as never);
    expect((error as SecurityConfigurationError).problems.map(({ code }) => code)).toEqual([
      'validation.unbounded-option',
      'validation.translate',
    ]);
  });
});
