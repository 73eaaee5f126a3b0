import * as cv from 'class-validator';
import { describe, expect, it } from 'vitest';

import { COMPILED_ENGINE, STOCK_ENGINE } from '../../../lib/validation/dto-engine.js';
import { checked, type Dto, expectSame, type Outcome } from './both-ways.js';
import { type DecoratorRow, DECORATORS } from './decorator-table.js';

/** A class with one property under one decorator. */
function dtoOf({ decorate }: DecoratorRow, options?: cv.ValidationOptions): Dto {
  class Dto {
    value: unknown;
  }
  decorate(options)(Dto.prototype, 'value');
  return Dto;
}

async function verdict(dto: Dto, value: unknown): Promise<Outcome> {
  const instance = Object.assign(new dto(), { value });
  const compiled = await checked(COMPILED_ENGINE, instance);
  expectSame(compiled, await checked(STOCK_ENGINE, instance));
  expect(compiled.failed).toBeUndefined();
  return compiled;
}

const MESSAGES: readonly NonNullable<cv.ValidationOptions['message']>[] = [
  'is wrong',
  '$property of $target is $value, not $constraint1 or $constraint2',
  ({ property, targetName, value, constraints, object }) =>
    `${property} ${targetName} ${typeof value} ${constraints?.length ?? 0} ${Object.keys(object).join()} $value`,
];

const NO_RULES: ReadonlySet<string> = new Set([
  'ValidatorConstraint',
  'ValidationError',
  'ValidationTypes',
  'Validator',
  'MetadataStorage',
]);

describe('the decorators of class-validator, compiled', () => {
  it('R-IV-10 the table names every one of them', () => {
    const exported = Object.entries(cv)
      .filter(([name, value]) => /^[A-Z]/.test(name) && typeof value === 'function' && !NO_RULES.has(name))
      .map(([name]) => name);
    expect(DECORATORS.map(({ name }) => name).toSorted()).toEqual(exported.toSorted());
  });

  it.each(DECORATORS)('R-IV-10 $name accepts, refuses and says the same as there', async (row) => {
    const dto = dtoOf(row);
    for (const value of row.accepted) expect((await verdict(dto, value)).errors).toEqual([]);
    for (const value of row.refused) expect((await verdict(dto, value)).errors).not.toEqual([]);
  });

  it.each(DECORATORS)(
    'R-IV-10 $name does so for each item, with messages, contexts and conditions',
    async (row) => {
      const values = [...row.accepted, ...row.refused];
      expect.hasAssertions();
      for (const message of MESSAGES) {
        const each = dtoOf(row, { each: true, message, context: { why: row.name } });
        const lists = [
          values,
          row.accepted,
          [values],
          new Set(values),
          new Map(values.map((one, i) => [i, one])),
        ];
        for (const list of [...lists, [], 'no list', null]) await verdict(each, list);
        const guarded = dtoOf(row, { message, validateIf: (_, value) => typeof value === 'string' });
        for (const value of values) await verdict(guarded, value);
        const grouped = dtoOf(row, { message, groups: ['a'], always: false, context: { a: [1] } });
        for (const value of values) await verdict(grouped, value);
      }
    },
  );
});
