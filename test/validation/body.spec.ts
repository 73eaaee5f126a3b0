import { Expose, Exclude, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMinSize,
  IsArray,
  IsDate,
  IsEnum,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
  registerDecorator,
} from 'class-validator';
import { PartialType, PickType } from '@nestjs/swagger';
import { IsNullable, StrictValidationPipe } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { bodyOf, json, nested, strict, verdictOf } from './verdict.js';

enum Role {
  Member,
  Admin,
}

abstract class Shape {
  @IsIn(['circle', 'square'])
  kind!: string;
}

class Circle extends Shape {
  @IsNumber()
  radius!: number;
}

class Square extends Shape {
  @IsNumber()
  side!: number;
}

class Point {
  @IsInt()
  x!: number;
}

class Node {
  @IsString()
  name!: string;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Node)
  children?: Node[];
}

class Everything {
  @IsOptional()
  @IsString()
  text?: string;

  @IsOptional()
  @IsString({ each: true })
  words?: string[];

  @IsOptional()
  @IsNumber({}, { each: true })
  @Type(() => Number)
  numbers?: number[];

  @IsOptional()
  @IsDate()
  @Type(() => Date)
  at?: Date;

  @IsOptional()
  @IsDate()
  @Transform(({ value }: { value: unknown }) => new Date(String(value)))
  madeAt?: Date;

  @IsOptional()
  @Transform(({ value }: { value: string }) => value.trim())
  @IsString()
  trimmed?: string;

  @IsOptional()
  @Transform(({ value }: { value: string }) => BigInt(value))
  @Allow()
  big?: bigint;

  @IsOptional()
  @IsEnum(Role)
  role?: Role;

  @IsOptional()
  @IsEnum(Role, { each: true })
  roles?: Role[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Point)
  point?: Point;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Point)
  points?: Point[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Shape, {
    keepDiscriminatorProperty: true,
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'circle', value: Circle },
        { name: 'square', value: Square },
      ],
    },
  })
  shape?: Circle | Square;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Shape, {
    keepDiscriminatorProperty: true,
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'circle', value: Circle },
        { name: 'square', value: Square },
      ],
    },
  })
  shapes?: (Circle | Square)[];

  @IsOptional()
  @ValidateNested()
  @Type((options) => ((options?.object as Everything | undefined)?.text === 'node' ? Node : Point))
  dynamic?: object;

  @IsOptional()
  @IsObject()
  bag?: Record<string, unknown>;

  @IsOptional()
  @Allow()
  free?: unknown;

  @IsOptional()
  @Expose({ name: 'wire_name' })
  @IsString()
  ownName?: string;

  @IsOptional()
  @Exclude({ toClassOnly: true })
  @IsString()
  internal?: string;

  @IsOptional()
  @IsString()
  get derived(): string | undefined {
    return undefined;
  }
}

const body = bodyOf(Everything);

describe('kinds', () => {
  it.each([
    ['text', ['a'], [1, true, {}, ['a'], { length: 5 }, null]],
    ['words', [[], ['a', 'b']], ['a', [1], ['a', null], [['a']], {}, null]],
    ['numbers', [[1, 2.5]], [['1'], 1, [null], [true], [[1]]]],
    ['at', ['2026-01-01', '2026-01-01T00:00:00Z'], [0, 1e12, '2026-02-30', 'tomorrow', {}, true]],
    ['madeAt', ['2026-01-01'], ['soon', null]],
    ['trimmed', [' a '], [1, {}, ['a'], null]],
    ['role', [0, 1], ['0', '1', 'Admin', 'Member', 'constructor', 2, null, [0], {}]],
    ['roles', [[0, 1]], [['Admin'], ['0'], [2], 0]],
    ['point', [{ x: 1 }], [{ x: '1' }, [], [{ x: 1 }], 'x', 1, {}, null]],
    ['points', [[], [{ x: 1 }]], [{ x: 1 }, [null], [[{ x: 1 }]], [1], ['x'], [{}]]],
    [
      'shape',
      [
        { kind: 'circle', radius: 1 },
        { kind: 'square', side: 1 },
      ],
      [
        { radius: 1 },
        { kind: 'circle' },
        { kind: 'constructor' },
        { kind: 'star' },
        { kind: ['circle'], radius: 1 },
        [],
        1,
      ],
    ],
    [
      'shapes',
      [
        [
          { kind: 'circle', radius: 1 },
          { kind: 'square', side: 1 },
        ],
      ],
      [[null], [1], [{}], [[]], [{ kind: 'star' }]],
    ],
    ['dynamic', [{ x: 1 }], [{ x: 'a' }, 1, []]],
    ['bag', [{}, { a: [1, { b: null }] }], [1, 'a', [], null]],
    ['big', ['12'], ['twelve', {}, null]],
  ])('R-IV-12 R-IV-14 %s takes %j and refuses %j', async (name, good, bad) => {
    for (const value of good) {
      const verdict = await verdictOf(strict, { [name]: structuredClone(value) }, body);
      expect(verdict.status, JSON.stringify([name, value, verdict.details])).toBe(200);
    }
    for (const value of bad) {
      const verdict = await verdictOf(strict, { [name]: structuredClone(value) }, body);
      expect(verdict, JSON.stringify([name, value])).toMatchObject({
        status: 400,
        code: 'VALIDATION_FAILED',
      });
    }
  });

  it('R-IV-12 numbers that JSON text overflowed are none', async () => {
    expect((await verdictOf(strict, json('{"numbers":[1e400]}'), body)).status).toBe(400);
  });

  it('R-IV-12 keeps values of the wrong kind away from conversions', async () => {
    expect((await verdictOf(strict, { trimmed: 5 }, body)).broken).toEqual(['trimmed isString']);
    expect((await verdictOf(strict, { big: 'twelve' }, body)).broken).toEqual([' transform']);
  });

  it('R-IV-12 delivers instances, dates included', async () => {
    const { value } = await verdictOf(
      strict,
      { point: { x: 1 }, points: [{ x: 2 }], at: '2026-01-01', shape: { kind: 'square', side: 2 } },
      body,
    );
    expect(value).toBeInstanceOf(Everything);
    const { point, points, at, shape } = value as Everything;
    expect([point, points?.[0]]).toEqual([expect.any(Point), expect.any(Point)]);
    expect(at).toEqual(new Date('2026-01-01'));
    expect(shape).toBeInstanceOf(Square);
  });
});

describe('unknown fields', () => {
  it.each([
    [{ evil: 1 }, 'evil'],
    [{ point: { x: 1, evil: 1 } }, 'point.evil'],
    [{ points: [{ x: 1 }, { x: 1, evil: 1 }] }, 'points[1].evil'],
    [{ shape: { kind: 'circle', radius: 1, side: 1 } }, 'shape.side'],
    [{ shapes: [{ kind: 'square', side: 1, radius: 1 }] }, 'shapes[0].radius'],
    [{ text: 'node', dynamic: { name: 'a', x: 1 } }, 'dynamic.x'],
    [{ dynamic: { x: 1, name: 'a' } }, 'dynamic.name'],
    [{ ownName: 'a' }, 'ownName'],
    [{ internal: 'a' }, 'internal'],
    [{ derived: 'a' }, 'derived'],
  ])('R-IV-11 R-IV-13 %j', async (input, path) => {
    expect(await verdictOf(strict, input, body)).toMatchObject({
      status: 400,
      code: 'UNEXPECTED_FIELDS',
      broken: [`${path} whitelist`],
    });
  });

  it('R-IV-11 a field comes in under its name on the wire only', async () => {
    const { value } = await verdictOf(strict, { wire_name: 'a' }, body);
    expect((value as Everything).ownName).toBe('a');
    expect((await verdictOf(strict, { wire_name: 5 }, body)).details[0]?.path).toBe('wire_name');
  });

  it.each(['__proto__', 'constructor', 'prototype'])(
    'R-IV-06 %s is refused even where any object may come',
    async (name) => {
      for (const property of ['bag', 'free']) {
        for (const text of [
          `{"${property}":{"${name}":"x"}}`,
          `{"${property}":{"a":[{"${name}":{"b":1}}]}}`,
        ]) {
          expect(await verdictOf(strict, json(text), body), text).toMatchObject({
            status: 400,
            code: 'UNEXPECTED_FIELDS',
          });
        }
      }
      expect(({} as Record<string, unknown>)['b']).toBeUndefined();
    },
  );

  it('R-IV-04 PITFALL-V5 nothing that is nested deeply overflows the stack, wherever it stands', async () => {
    let tree: unknown = { name: 'leaf' };
    for (let i = 0; i < 5_000; i++) tree = { name: 'n', children: [tree] };
    const objects = json(`{"bag":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_001)}`);
    const inputs = [
      [{ free: nested(20_000) }, body],
      [{ bag: { a: nested(5_000) } }, body],
      [{ text: nested(20_000) }, body],
      [{ words: nested(20_000) }, body],
      [{ points: nested(20_000) }, body],
      [{ big: nested(20_000) }, body],
      [{ fields: nested(9_000) }, body],
      [objects, body],
      [tree, bodyOf(Node)],
    ] as const;
    for (const [input, metadata] of inputs) {
      expect((await verdictOf(strict, input, metadata)).status, Object.keys(input as object).join()).toBe(
        400,
      );
    }
  });

  it('R-IV-04 what is nested within reason passes', async () => {
    expect((await verdictOf(strict, { free: nested(20), bag: { a: nested(18) } }, body)).status).toBe(200);
  });
});

describe('the body as a whole', () => {
  it.each([undefined, null])('R-IV-05 %j is no body', async (value) => {
    expect(await verdictOf(strict, value, body)).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
  });

  it.each([[[]], [[{ text: 'a' }]], ['text'], [5], [true], [Buffer.from('{}')]])(
    'R-IV-12 %j is no object',
    async (value) => {
      expect(await verdictOf(strict, value, body)).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    },
  );

  it('R-IV-10 PITFALL-V13 a class without rules takes nothing, and is not even made', async () => {
    let made = 0;
    class NoRules {
      name?: string;

      constructor() {
        made++;
      }
    }
    for (const type of [NoRules, Function]) {
      expect(await verdictOf(strict, {}, bodyOf(type))).toMatchObject({
        status: 400,
        broken: [' unknownValue'],
      });
      expect(await verdictOf(strict, { name: 'a' }, bodyOf(type))).toMatchObject({
        code: 'UNEXPECTED_FIELDS',
      });
    }
    expect(made).toBe(0);
  });

  it.each([
    [String, 'a', { $gt: '' }],
    [Number, 5, '5'],
    [Boolean, true, 'true'],
  ])('R-IV-12 as %o it is %j and not %j', async (type, good, bad) => {
    expect(await verdictOf(strict, good, bodyOf(type))).toMatchObject({ status: 200, value: good });
    expect((await verdictOf(strict, bad, bodyOf(type))).status).toBe(400);
  });

  it('leaves custom parameters, schemas and lists to their own pipes', async () => {
    const value = { anything: 1 };
    expect((await verdictOf(strict, value, { type: 'custom', metatype: Everything })).value).toBe(value);
    const schema = {
      '~standard': { version: 1, vendor: 'test', validate: (one: unknown) => ({ value: one }) },
    } as never;
    expect((await verdictOf(strict, value, { ...body, schema })).value).toBe(value);
    expect((await verdictOf(strict, [1], bodyOf(Array))).value).toEqual([1]);
  });

  it('takes a class of its own where the parameter has none', async () => {
    const pipe = new StrictValidationPipe({ expectedType: Point });
    expect((await verdictOf(pipe, { x: 1 }, bodyOf(Object))).value).toBeInstanceOf(Point);
    expect((await verdictOf(pipe, { x: '1' }, bodyOf(Object))).status).toBe(400);
  });
});

describe('what an object only inherits', () => {
  it('R-IV-11 is no part of the input: neither refused nor taken', async () => {
    const inherits = Object.setPrototypeOf({ kind: 'circle', radius: 1 }, { isAdmin: true }) as object;
    const { status, value } = await verdictOf(strict, inherits, bodyOf(Circle));
    expect({ status, value }).toEqual({ status: 200, value: { kind: 'circle', radius: 1 } });
    const unset = Object.setPrototypeOf({ kind: 'circle' }, { radius: '1' }) as object;
    expect((await verdictOf(strict, unset, bodyOf(Circle))).broken).toEqual(['radius isNumber']);
  });
});

describe('inherited and derived classes', () => {
  class Base {
    @IsString()
    name!: string;

    @IsOptional()
    @IsNullable()
    @MaxLength(10)
    note?: string | null;

    @ValidateNested()
    @Type(() => Point)
    point!: Point;
  }
  class Child extends Base {
    @IsInt()
    age!: number;
  }
  class Patch extends PartialType(Base) {}
  class Named extends PickType(Base, ['name'] as const) {}

  it('R-IV-11 know the fields of their parents', async () => {
    const good = { name: 'a', age: 1, note: null, point: { x: 1 } };
    expect((await verdictOf(strict, good, bodyOf(Child))).status).toBe(200);
    expect((await verdictOf(strict, { ...good, point: { x: 1, y: 1 } }, bodyOf(Child))).broken).toEqual([
      'point.y whitelist',
    ]);
  });

  it('R-IV-13 a partial update tells absent, null and value apart', async () => {
    const absent = (await verdictOf(strict, {}, bodyOf(Patch))).value as Base;
    expect(absent.note).toBeUndefined();
    expect(((await verdictOf(strict, { note: null }, bodyOf(Patch))).value as Base).note).toBeNull();
    expect(((await verdictOf(strict, { note: 'a' }, bodyOf(Patch))).value as Base).note).toBe('a');
    expect((await verdictOf(strict, { name: null }, bodyOf(Patch))).broken).toEqual(['name isNotNull']);
  });

  it.each(['id', 'ownerId', 'role', 'createdAt'])('R-IV-13 %s is not for clients to set', async (field) => {
    for (const [dto, input] of [
      [Patch, {}],
      [Named, { name: 'a' }],
    ] as const) {
      expect((await verdictOf(strict, { ...input, [field]: 'x' }, bodyOf(dto))).code).toBe(
        'UNEXPECTED_FIELDS',
      );
    }
  });
});

describe('rules across fields', () => {
  const NotBefore = (): PropertyDecorator => (target, property) =>
    registerDecorator({
      name: 'notBefore',
      target: target.constructor,
      propertyName: property as string,
      validator: {
        validate: (to: number, args) => to >= ((args?.object as Period | undefined)?.from ?? to),
        defaultMessage: () => 'to must not be before from',
      },
    });
  class Period {
    @ValidateIf((_, value) => value !== undefined)
    @IsInt()
    @Min(0)
    @Max(100)
    from?: number;

    @IsInt()
    @NotBefore()
    to!: number;
  }
  class Batch {
    @IsArray()
    @ArrayMinSize(1)
    @ValidateNested({ each: true })
    @Type(() => Period)
    periods!: Period[];
  }

  it('R-IV-17 run on the converted object, and on nested ones', async () => {
    expect((await verdictOf(strict, { from: 1, to: 2 }, bodyOf(Period))).status).toBe(200);
    expect((await verdictOf(strict, { from: 3, to: 2 }, bodyOf(Period))).broken).toEqual(['to notBefore']);
    expect((await verdictOf(strict, { from: 3 }, bodyOf(Period))).broken).toContain('to isInt');
    expect(
      (await verdictOf(strict, { periods: [{ to: 1 }, { from: 3, to: 2 }] }, bodyOf(Batch))).broken,
    ).toEqual(['periods[1].to notBefore']);
  });
});
