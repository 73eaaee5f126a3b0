import * as cv from 'class-validator';
import { describe, expect, it } from 'vitest';

import { searchRules } from '../../../lib/validation/compiled/rules-of.js';
import { sameBothWays } from './both-ways.js';

class Base {
  @cv.Max(10, { message: '$property of $target: $value over $constraint1' })
  withValue!: unknown;

  @cv.Max(10, { message: '$property of $target over $constraint1' })
  fixed!: unknown;

  @cv.Max(10, { message: ({ value }) => `$target: ${String(value).length}` })
  made!: unknown;

  @cv.IsIn(['a', '$value', '$property'])
  listed!: unknown;

  @cv.Contains('$value', { message: 'needs $constraint1' })
  token!: unknown;
}

class Derived extends Base {}

const told = async (dto: new () => object, value: object): Promise<string[]> => {
  const { errors } = await sameBothWays(dto, () => ({ ...value }));
  return (errors as cv.ValidationError[]).flatMap(({ constraints }) => Object.values(constraints!));
};
const holding = (one: unknown): object => ({
  withValue: one,
  fixed: one,
  made: one,
  listed: one,
  token: one,
});

describe('messages of rules that break more than once', () => {
  it("R-IV-28 are class-validator's each time: for another value, another class and again", async () => {
    for (const dto of [Base, Derived, Base, Derived]) {
      for (const one of [11, 'a long text', 11])
        expect((await told(dto, holding(one)))[1]).toBe(`fixed of ${dto.name} over 10`);
    }
  });

  it('R-IV-28 follow what becomes of the constraints', async () => {
    class Moving {
      @cv.Min(1)
      count!: unknown;
    }
    const [rule] = searchRules(Moving);
    expect(await told(Moving, { count: 0 })).toEqual(['count must not be less than 1']);
    rule!.constraints[0] = 2;
    expect(await told(Moving, { count: 1 })).toEqual(['count must not be less than 2']);
    expect(await told(Moving, { count: 2 })).toEqual([]);
  });
});
