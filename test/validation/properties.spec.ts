import { ValidationPipe } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bodyOf, queryOf, strict, verdictOf } from './verdict.js';

class Place {
  @IsString()
  @Length(1, 5)
  city!: string;

  @IsOptional()
  @IsNumber()
  height?: number;
}

class Person {
  @IsString()
  @Length(1, 8)
  name!: string;

  @IsInt()
  @Min(0)
  @Max(100)
  age!: number;

  @IsOptional()
  @IsBoolean()
  active?: boolean;

  @IsOptional()
  @IsIn(['a', 'b'])
  kind?: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => Place)
  home?: Place;

  @IsOptional()
  @ArrayMaxSize(3)
  @ValidateNested({ each: true })
  @Type(() => Place)
  places?: Place[];
}

const stock = new ValidationPipe({
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  transform: true,
});
const PERSON = new Set(['name', 'age', 'active', 'kind', 'home', 'places']);
const PLACE = new Set(['city', 'height']);

const anything = fc.anything({ maxDepth: 3, withNullPrototype: false });
const key = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'city',
    'name',
    'age',
    'home',
  ),
);
const spoiled = <T extends object>(record: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.oneof(
    { weight: 7, arbitrary: record },
    {
      weight: 1,
      arbitrary: fc.tuple(record, key, anything).map(([one, name, value]) => {
        const copy = { ...one };
        Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
        return copy;
      }),
    },
  );
/** Mostly what is wanted, now and then anything. */
const mostly = <T>(wanted: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: wanted }, { weight: 1, arbitrary: anything });
const place = spoiled(
  fc.record(
    { city: mostly(fc.string({ minLength: 1, maxLength: 6 })), height: mostly(fc.integer()) },
    { requiredKeys: ['city'] },
  ),
);
const person = spoiled(
  fc.record(
    {
      name: mostly(fc.string({ minLength: 1, maxLength: 9 })),
      age: mostly(fc.integer({ min: -2, max: 102 })),
      active: mostly(fc.boolean()),
      kind: mostly(fc.constantFrom('a', 'b', 'a', 'b', 'c')),
      home: mostly(place),
      places: mostly(fc.array(place, { maxLength: 4 })),
    },
    { requiredKeys: ['name', 'age'] },
  ),
);

/** What JSON can say of a value. */
const asJson = (value: unknown): unknown => {
  const text = JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'bigint' ? one.toString() : one,
  ) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
};

const known = (value: object, names: ReadonlySet<string>): boolean =>
  Object.keys(value).every((name) => names.has(name));

describe('properties', () => {
  it('R-IV-11 R-IV-12 accepts only what the stock pipe accepts, and delivers declared keys only', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(person, async (raw) => {
        const input = asJson(raw);
        const ours = await verdictOf(strict, structuredClone(input), bodyOf(Person));
        expect([200, 400]).toContain(ours.status);
        if (ours.status !== 200) return;
        accepted++;
        const theirs = await verdictOf(stock, structuredClone(input), bodyOf(Person));
        expect(theirs.status).toBe(200);
        expect(ours.value).toEqual(theirs.value);
        const value = ours.value as Person;
        expect(Object.getPrototypeOf(value)).toBe(Person.prototype);
        expect(known(value, PERSON)).toBe(true);
        for (const one of [value.home, ...(value.places ?? [])])
          expect(one === undefined || known(one, PLACE)).toBe(true);
      }),
      { numRuns: 1_500 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('R-IV-28 R-IV-29 whatever comes gets 200 or a 400 with a code, twice the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, person), async (raw) => {
        const input = asJson(raw);
        const first = await verdictOf(strict, structuredClone(input), bodyOf(Person));
        const second = await verdictOf(strict, structuredClone(input), bodyOf(Person));
        expect(first.status === 200 || (first.status === 400 && first.code !== undefined)).toBe(true);
        expect(second.details).toEqual(first.details);
        expect(first.details.length).toBeLessThanOrEqual(20);
      }),
      { numRuns: 500 },
    );
  });

  it('R-IV-12 a number from a query is written as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.double().map(String), fc.integer().map(String), fc.string()),
        async (text) => {
          const { status, value } = await verdictOf(strict, text, queryOf(Number, 'n'));
          if (status === 200)
            expect(Number.isFinite(value) && Number(text) === value && /^-?\d/.test(text)).toBe(true);
          else expect(status).toBe(400);
        },
      ),
      { numRuns: 1_000 },
    );
    await fc.assert(
      fc.asyncProperty(fc.maxSafeInteger(), async (number) => {
        expect((await verdictOf(strict, String(number), queryOf(Number, 'n'))).value).toBe(
          number === 0 ? 0 : number,
        );
      }),
    );
  });
});
