import { Body, Controller, type INestApplication, Post, ValidationPipe } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsBoolean,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Length,
  ValidateNested,
} from 'class-validator';
import { IsNullable, Public, type SecurityConfigurationError } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { closeApps, startBare } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';
import { bodyOf, json, nested, queryOf, strict, verdictOf } from './verdict.js';

// Each row of PITFALLS 4.5: what Nest's own pipe does in its strictest mode, and what this one does.

const stock = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });

class Item {
  @IsString()
  @Length(1, 20)
  sku!: string;
}

class Order {
  @IsString()
  name!: string;

  @IsOptional()
  @ArrayMaxSize(2)
  @ValidateNested({ each: true })
  @Type(() => Item)
  items?: Item[];
}

class Switches {
  @IsOptional()
  @IsBoolean()
  @Type(() => Boolean)
  on?: boolean;

  @IsOptional()
  @IsNumber()
  @Type(() => Number)
  level?: number;
}

class Nickname {
  @IsOptional()
  @IsString()
  name?: string | null;

  @IsOptional()
  @IsNullable()
  @IsString()
  other?: string | null;
}

class WithBag {
  @IsOptional()
  @IsObject()
  item?: Item;
}

afterEach(closeApps);

async function bootProblems(controller: new () => unknown): Promise<readonly string[]> {
  const error: unknown = await startSecured('express', {}, { controllers: [controller] }).catch(
    (e: unknown) => e,
  );
  return (error as Partial<SecurityConfigurationError>).problems?.map(({ code }) => code) ?? [];
}

async function boots(controller: new () => unknown): Promise<boolean> {
  return startBare('express', { controllers: [controller] }).then(() => true);
}

describe('PITFALL-V1 fields with names of the prototype', () => {
  const names = [
    'constructor',
    '__proto__',
    'prototype',
    'hasOwnProperty',
    'isPrototypeOf',
    'propertyIsEnumerable',
    'toString',
    'valueOf',
    'toLocaleString',
    '__defineGetter__',
    '__defineSetter__',
    '__lookupGetter__',
    '__lookupSetter__',
  ];

  it.each(names)(
    'PITFALL-V1 R-IV-06 R-IV-11 the stock pipe drops %s silently, this one refuses it at every depth',
    async (name) => {
      const top = `{"name":"n",${JSON.stringify(name)}:1}`;
      expect((await verdictOf(stock, json(top), bodyOf(Order))).status).toBe(200);

      expect(await verdictOf(strict, json(top), bodyOf(Order))).toMatchObject({
        status: 400,
        code: 'UNEXPECTED_FIELDS',
        broken: [`${name} whitelist`],
      });
      const deep = `{"name":"n","items":[{"sku":"a"},{"sku":"b",${JSON.stringify(name)}:{}}]}`;
      expect(await verdictOf(strict, json(deep), bodyOf(Order))).toMatchObject({
        code: 'UNEXPECTED_FIELDS',
        broken: [`items[1].${name} whitelist`],
      });
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );
});

describe('PITFALL-V2 and V13 types that are gone at run time', () => {
  interface Anything {
    readonly name: string;
  }

  it('PITFALL-V2 R-IV-10 the stock pipe lets anything through; the boot names the parameter', async () => {
    @Controller()
    class Erased {
      @Post('a')
      list(@Body() body: Order[]): unknown {
        return body;
      }

      @Post('b')
      one(@Body() body: Anything): unknown {
        return body;
      }

      @Post('c')
      either(@Body() body: Order | Item): unknown {
        return body;
      }
    }
    for (const type of [Array, Object]) {
      expect((await verdictOf(stock, { evil: 1 }, bodyOf(type))).value).toEqual({ evil: 1 });
    }
    expect(await boots(Erased)).toBe(true);
    expect(await bootProblems(Erased)).toEqual(Array(3).fill('validation.undeclared'));
  });

  it('PITFALL-V13 the stock pipe refuses every body of a type that was only imported as a type; the boot says why', async () => {
    @Controller()
    class Undecorated {
      @Post('a')
      create(@Body() body: Item): unknown {
        return body;
      }
    }
    // What `import type { Item }` leaves behind, by compiler.
    for (const type of [Function, Object]) {
      Reflect.defineMetadata('design:paramtypes', [type], Undecorated.prototype, 'create');
      expect(await bootProblems(Undecorated)).toEqual(['validation.undeclared']);
    }
    expect((await verdictOf(stock, { sku: 'a' }, bodyOf(Function))).status).toBe(400);
  });
});

describe('PITFALL-V3 single fields', () => {
  it.each([
    ['string', String, ['text'], [1, true, { $gt: '' }, ['a'], null]],
    ['number', Number, [1, -2.5], ['1', true, {}, [], null]],
    ['boolean', Boolean, [true, false], ['true', 1, {}, null]],
  ])('PITFALL-V3 R-IV-12 @Body(name) of type %s takes that type only', async (_, type, good, bad) => {
    for (const value of bad) expect((await verdictOf(stock, value, bodyOf(type, 'name'))).status).toBe(200);
    for (const value of good)
      expect(await verdictOf(strict, value, bodyOf(type, 'name'))).toMatchObject({ status: 200, value });
    for (const value of bad) {
      const verdict = await verdictOf(strict, value, bodyOf(type, 'name'));
      expect(verdict, JSON.stringify(value)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
      expect(verdict.details[0]?.path).toBe('name');
    }
  });
});

describe('PITFALL-V4 classes whose rules are never asked', () => {
  it('PITFALL-V4 R-IV-10 anything passes inside by the stock pipe; the boot names the property', async () => {
    @Controller()
    class Bags {
      @Post()
      create(@Body() body: WithBag): unknown {
        return body;
      }
    }
    expect((await verdictOf(stock, { item: { evil: 1 } }, bodyOf(WithBag))).status).toBe(200);
    expect(await bootProblems(Bags)).toEqual(['validation.nested.unvalidated']);
  });
});

describe('PITFALL-V5 deep nesting', () => {
  it.each([1_313, 20_000])('PITFALL-V5 R-IV-04 %i arrays in an unknown field are a 400', async (depth) => {
    const value = { name: 'n', evil: nested(depth) };
    if (depth > 5_000) expect((await verdictOf(stock, value, bodyOf(Order))).status).toBe(500);
    expect(await verdictOf(strict, value, bodyOf(Order))).toMatchObject({
      status: 400,
      code: 'UNEXPECTED_FIELDS',
    });
  });
});

describe('PITFALL-V6 coercion', () => {
  it.each([
    [{ on: 'false' }, { on: true }],
    [{ on: 0 }, { on: false }],
    [{ level: '' }, { level: 0 }],
    [{ level: '7' }, { level: 7 }],
    [{ level: true }, { level: 1 }],
    [{ level: [] }, undefined],
  ])('PITFALL-V6 R-IV-12 %j is not bent into the declared type', async (body, bent) => {
    if (bent) expect((await verdictOf(stock, { ...body }, bodyOf(Switches))).value).toEqual(bent);
    expect(await verdictOf(strict, body, bodyOf(Switches))).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
    });
  });
});

describe('PITFALL-V7 null', () => {
  it('PITFALL-V7 R-IV-12 optional is not nullable: one lets a field be absent, the other be null', async () => {
    expect((await verdictOf(stock, { name: null }, bodyOf(Nickname))).status).toBe(200);

    expect(await verdictOf(strict, { name: null }, bodyOf(Nickname))).toMatchObject({
      status: 400,
      broken: ['name isNotNull'],
    });
    expect(await verdictOf(strict, { other: null }, bodyOf(Nickname))).toMatchObject({
      status: 200,
      value: { other: null },
    });
    expect(await verdictOf(strict, {}, bodyOf(Nickname))).toMatchObject({ status: 200 });
    expect(await verdictOf(strict, { other: 1 }, bodyOf(Nickname))).toMatchObject({ status: 400 });
  });
});

describe('PITFALL-V11 sizes first', () => {
  it('PITFALL-V11 the stock pipe looks at all of 4 000 items, this one at their number', async () => {
    const body = { name: 'n', items: Array.from({ length: 4_000 }, () => ({ sku: 5 })) };
    const verdict = await verdictOf(strict, body, bodyOf(Order));
    expect(verdict).toMatchObject({ status: 400, code: 'VALIDATION_FAILED', broken: ['items arrayMaxSize'] });
  });
});

describe('PITFALL-V12 values given twice', () => {
  it('PITFALL-V12 R-IV-18 the stock pipe joins them into one text, this one refuses', async () => {
    expect((await verdictOf(stock, ['a', 'b'], queryOf(String, 'q'))).value).toBe('a,b');
    expect(await verdictOf(strict, ['a', 'b'], queryOf(String, 'q'))).toMatchObject({
      status: 400,
      code: 'VALIDATION_FAILED',
      broken: ['q isSingle'],
    });
  });
});

describe('PITFALL-V8 to V10 what JSON parsers and media types let through', () => {
  @Public()
  @Controller('named')
  class NamedController {
    @Post()
    create(@Body() nickname: Nickname): unknown {
      return { name: nickname?.name ?? null };
    }
  }
  const jsonType = { 'content-type': 'application/json' };

  it.each([
    ['PITFALL-V8 R-IV-01 text on a JSON route', '{"name":"a"}', { 'content-type': 'text/plain' }, 415],
    ['PITFALL-V9 R-IV-05 a name given twice', '{"name":"a","name":"b"}', jsonType, 400],
    ['PITFALL-V10 R-IV-08 a NUL character', String.raw`{"name":"a\u0000"}`, jsonType, 400],
    ['PITFALL-V10 R-IV-08 a lone surrogate', String.raw`{"name":"\ud800"}`, jsonType, 400],
  ])('%s reaches the handler without this module, and not with it', async (_, body, headers, status) => {
    const configure = (app: INestApplication): void => void app.useGlobalPipes(stock);
    const bare = await startBare('express', { controllers: [NamedController] }, { configure });
    expect((await send(bare.port, 'POST', '/named', { body, headers })).status).toBe(201);
    const secured = await startSecured('express', {}, { controllers: [NamedController] });
    expect((await send(secured.port, 'POST', '/named', { body, headers })).status).toBe(status);
  });
});
