import { IsInt, IsOptional, Max, MaxLength, Min } from 'class-validator';
import fc from 'fast-check';
import { CsvList, ToBigInt } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { bodyOf, queryOf, strict, verdictOf } from './verdict.js';

class Query {
  @IsOptional()
  @ToBigInt({ min: 0n, max: 10n ** 30n })
  id?: bigint;

  @IsOptional()
  @CsvList(Number, { integers: true, maxItems: 3 })
  @Min(1, { each: true })
  @Max(9, { each: true })
  ids?: number[];

  @IsOptional()
  @CsvList()
  @MaxLength(3, { each: true })
  tags?: string[];

  @IsOptional()
  @CsvList(Date)
  days?: Date[];

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(5)
  page?: number;
}

const query = (value: unknown) => verdictOf(strict, value, queryOf(Query));
const body = (value: unknown) => verdictOf(strict, value, bodyOf(Query));

describe('converters', () => {
  it('R-IV-12 R-IV-07 reads whole numbers beyond those of JSON', async () => {
    expect((await query({ id: '9007199254740993' })).value).toEqual({ id: 9007199254740993n });
    expect((await body({ id: '1000000000000000000000000000000' })).value).toEqual({ id: 10n ** 30n });
    expect((await body({ id: '0' })).value).toEqual({ id: 0n });
  });

  it.each([
    '-1',
    '1000000000000000000000000000001',
    '01',
    '+1',
    '-0',
    '0x10',
    '1e3',
    '1.0',
    '1n',
    ' 1',
    '1 ',
    '',
    '１',
    '9'.repeat(10_000),
  ])('R-IV-12 %j is none within the bounds', async (id) => {
    expect((await query({ id })).broken).toEqual(['id isBigInt']);
  });

  it.each([1, true, null, ['1'], { length: 1 }])('R-IV-12 in a body it is text: not %j', async (id) => {
    expect((await body({ id })).status).toBe(400);
  });

  it('R-IV-12 reads lists in one parameter, item by item', async () => {
    expect((await query({ ids: '1,2,3' })).value).toEqual({ ids: [1, 2, 3] });
    expect((await query({ ids: '7' })).value).toEqual({ ids: [7] });
    expect((await query({ tags: 'a,b' })).value).toEqual({ tags: ['a', 'b'] });
    expect((await query({ days: '2024-02-29' })).value).toEqual({ days: [new Date('2024-02-29')] });
    expect((await query({ ids: '1,10' })).broken).toEqual(['ids max']);
    expect((await query({ tags: 'a,long' })).broken).toEqual(['tags maxLength']);
  });

  it.each([
    [{ ids: '' }],
    [{ ids: '1,' }],
    [{ ids: ',1' }],
    [{ ids: '1,,2' }],
    [{ ids: '1,2,3,4' }],
    [{ ids: '1,a' }],
    [{ ids: '1,2.5' }],
    [{ ids: '1, 2' }],
    [{ ids: '1;2' }],
    [{ ids: ['1', '2'] }],
    [{ days: '2023-02-29' }],
  ])('R-IV-12 R-IV-18 %j is no list', async (value) => {
    expect((await query(value)).broken.join()).toContain('csvList');
  });

  it.each([[{ ids: [1, 2] }], [{ tags: ['a'] }], [{ ids: 1 }]])(
    'R-IV-12 in a body it is text too: not %j',
    async (value) => {
      expect((await body(value)).broken.join()).toContain('csvList');
    },
  );

  it('R-IV-12 reads every list that is written out, and nothing else', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('1', '2', ',', '-', '.', '0', ' '), maxLength: 6 }),
        async (ids) => {
          const { status, value } = await query({ ids });
          if (status === 200) expect((value as Query).ids!.join()).toBe(ids);
          else expect(/^[1-9](?:,[1-9]){0,2}$/.test(ids)).toBe(false);
        },
      ),
    );
  });

  it('R-IV-28 their messages hold no value', async () => {
    const { details } = await query({ id: 'SECRET', ids: 'SECRET' });
    expect(JSON.stringify(details)).not.toContain('SECRET');
    expect(details[0]!.message).toContain('from 0 to 1000000000000000000000000000000');
  });
});
