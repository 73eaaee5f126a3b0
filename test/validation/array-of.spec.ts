import { IsInt, Min } from 'class-validator';
import { arrayOf } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

import { bodyOf, queryOf, strict, verdictOf } from './verdict.js';

class Item {
  @IsInt()
  @Min(1)
  amount!: number;
}

const items = arrayOf(Item);

describe('arrayOf()', () => {
  it('R-IV-10 PITFALL-V2 makes an instance of each item', async () => {
    const { value } = await verdictOf(items, [{ amount: 1 }, { amount: 2 }], bodyOf(Array));
    expect(value).toEqual([{ amount: 1 }, { amount: 2 }]);
    expect((value as object[])[1]).toBeInstanceOf(Item);
    expect((await verdictOf(items, [], bodyOf(Array))).value).toEqual([]);
  });

  it.each([
    [[{ amount: 1 }, { amount: 0 }], 'VALIDATION_FAILED', '[1].amount min'],
    [[{ amount: 1, evil: 1 }], 'UNEXPECTED_FIELDS', '[0].evil whitelist'],
    [[{ amount: '1' }], 'VALIDATION_FAILED', '[0].amount isInt'],
    [[null], 'VALIDATION_FAILED', '[0] isObject'],
    [[[{ amount: 1 }]], 'VALIDATION_FAILED', '[0] isObject'],
    [{ amount: 1 }, 'VALIDATION_FAILED', ' isArray'],
    ['text', 'VALIDATION_FAILED', ' isArray'],
  ])('R-IV-10 R-IV-11 refuses %j', async (value, code, broken) => {
    const verdict = await verdictOf(items, value, bodyOf(Array));
    expect(verdict).toMatchObject({ status: 400, code });
    expect(verdict.broken).toContain(broken);
  });

  it.each([undefined, null])('R-IV-05 %j is no body', async (value) => {
    expect(await verdictOf(items, value, bodyOf(Array))).toMatchObject({
      status: 400,
      code: 'MALFORMED_REQUEST',
    });
  });

  it('R-IV-04 PITFALL-V11 counts the items before it looks at them', async () => {
    const of = (count: number): unknown[] => Array.from({ length: count }, () => ({ amount: 1 }));
    expect((await verdictOf(items, of(1_000), bodyOf(Array))).status).toBe(200);
    expect((await verdictOf(items, of(1_001), bodyOf(Array))).broken).toEqual([' arrayMaxSize']);
    expect((await verdictOf(arrayOf(Item, { maxItems: 2 }), of(3), bodyOf(Array, 'items'))).broken).toEqual([
      'items arrayMaxSize',
    ]);
  });

  it('R-IV-12 R-IV-18 converts query parameters, one or several, exactly', async () => {
    const ids = arrayOf(Number);
    expect((await verdictOf(ids, '7', queryOf(Array, 'id'))).value).toEqual([7]);
    expect((await verdictOf(ids, ['7', '8'], queryOf(Array, 'id'))).value).toEqual([7, 8]);
    expect((await verdictOf(ids, ['7', '0x8'], queryOf(Array, 'id'))).broken).toEqual(['id[1] isNumber']);
    expect((await verdictOf(ids, undefined, queryOf(Array, 'id'))).value).toBeUndefined();
    expect((await verdictOf(arrayOf(Boolean), ['true', 'yes'], queryOf(Array, 'b'))).broken).toEqual([
      'b[1] isBoolean',
    ]);
    expect((await verdictOf(arrayOf(Date), '2026-01-01', queryOf(Array, 'd'))).value).toEqual([
      new Date('2026-01-01'),
    ]);
  });

  it('R-IV-12 converts nothing in a body but dates', async () => {
    expect((await verdictOf(arrayOf(Number), [1, '2'], bodyOf(Array, 'n'))).broken).toEqual([
      'n[1] isNumber',
    ]);
    expect((await verdictOf(arrayOf(Date), ['2026-01-01'], bodyOf(Array, 'd'))).value).toEqual([
      new Date('2026-01-01'),
    ]);
    expect((await verdictOf(arrayOf(String), ['a', { length: 1 }], bodyOf(Array))).broken).toEqual([
      '[1] isString',
    ]);
  });

  it('runs behind the strict pipe, which leaves lists to it', async () => {
    const value = [{ amount: 0 }];
    expect((await verdictOf(strict, value, bodyOf(Array))).value).toBe(value);
  });
});
