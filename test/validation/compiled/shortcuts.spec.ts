import * as cv from 'class-validator';
import fc from 'fast-check';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';

import type { Decision } from '../../../lib/validation/compiled/decision.js';
import { constraintsOf, searchRules } from '../../../lib/validation/compiled/rules-of.js';
import { SHORTCUTS } from '../../../lib/validation/compiled/shortcuts.js';
import { COMPILED_ENGINE } from '../../../lib/validation/dto-engine.js';
import { sameBothWays } from './both-ways.js';
import { forget } from './generated-metadata.js';

/** A text with up to two characters replaced, put in or taken out, now and then by one that counts double or not at all. */
const nearly = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const put = fc.oneof(
    fc.constant(''),
    fc.string({ maxLength: 1 }),
    fc.constantFrom('.', '-', '@', ':', '+', '_', '0', 't', 'T', 'z', '\n', '\uFE0F', '\uD83D', 'é'),
  );
  const edit = fc.tuple(fc.nat(), fc.constantFrom(0, 1), put);
  return fc.tuple(text, fc.array(edit, { maxLength: 2 })).map(([one, edits]) =>
    edits.reduce((all, [at, cut, by]) => {
      const index = at % (all.length + 1);
      return all.slice(0, index) + by + all.slice(index + cut);
    }, one),
  );
};
const label = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9]{1,12}$/),
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/),
  fc.stringMatching(/^[a-z]{60,70}$/),
);
const email = fc
  .tuple(label, fc.array(label, { minLength: 1, maxLength: 4 }))
  .map(([a, b]) => `${a}@${b.join('.')}.org`);
const time = fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') });
const dateTime = fc
  .tuple(time, fc.constantFrom('Z', '.123456Z', '+02:00', '-23:59', '+24:00', ''))
  .map(([date, zone]) => date.toISOString().slice(0, 19) + zone);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '\uFE0F', '\uFE0E', '\uD83D', '\uDE00') }),
);
const bound = fc.oneof(
  fc.nat(12),
  fc.integer(),
  fc.double(),
  fc.constantFrom(undefined, null, '3', {}, Infinity, Number.NaN),
);
const anything = fc.oneof(
  fc.anything(),
  fc.string().map((one) => new String(one)),
  fc.double(),
  fc.nat(12),
);
const either = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: values }, anything);

enum Level {
  Low,
  High,
}

/** By rule: the function of class-validator's that answers where no shortcut does, values, and what the decorator was given. */
const RULES: Readonly<
  Record<
    string,
    readonly [
      asked: (value: unknown, ...constraints: never[]) => unknown,
      value: fc.Arbitrary<unknown>,
      constraints: fc.Arbitrary<readonly unknown[]>,
    ]
  >
> = {
  arrayMaxSize: [cv.arrayMaxSize, either(fc.array(fc.nat(), { maxLength: 12 })), fc.tuple(bound)],
  arrayMinSize: [cv.arrayMinSize, either(fc.array(fc.nat(), { maxLength: 12 })), fc.tuple(bound)],
  isEmail: [cv.isEmail, either(nearly(email)), fc.constantFrom([undefined], [{ host_blacklist: ['a.org'] }])],
  isEnum: [
    cv.isEnum,
    either(fc.constantFrom(0, 1, 'Low', 'High', 'low', 'inherited', Number.NaN)),
    fc
      .constantFrom(Level, { Low: 'low', Odd: Number.NaN }, Object.create({ High: 'inherited' }))
      .map((type: object) => [type]),
  ],
  isIn: [
    cv.isIn,
    either(fc.constantFrom('a', 'b', 1, Number.NaN, null, undefined)),
    fc
      .constantFrom(
        ['a', 1],
        ['b', Number.NaN, null],
        Object.assign([], { 1: 'a' }),
        'ab',
        undefined,
        new Set(['a']),
      )
      .map((values) => [values]),
  ],
  isNumber: [
    cv.isNumber,
    either(fc.oneof(fc.double(), fc.nat(12))),
    fc
      .constantFrom(undefined, {}, { maxDecimalPlaces: 2 }, { allowNaN: true, allowInfinity: true })
      .map((options) => [options]),
  ],
  isUuid: [
    cv.isUUID,
    either(
      nearly(
        fc.oneof(
          fc.uuid(),
          fc.uuid().map((one) => one.toUpperCase()),
        ),
      ),
    ),
    fc
      .constantFrom(undefined, null, 'all', 4, '4', 7, '1', 'nil', ['4', '7'], 'what')
      .map((version) => [version]),
  ],
  isIso8601: [cv.isISO8601, either(nearly(dateTime)), fc.constantFrom([undefined], [{ strict: true }], [{}])],
  isLength: [cv.length, either(text), fc.tuple(bound, bound)],
  minLength: [cv.minLength, either(text), fc.tuple(bound)],
  maxLength: [cv.maxLength, either(text), fc.tuple(bound)],
  min: [cv.min, anything, fc.tuple(bound)],
  max: [cv.max, anything, fc.tuple(bound)],
};

let classes: (new () => object)[] = [];

/** A class with one rule on one field, and how that rule decides. */
function withRule(decorate: PropertyDecorator): {
  readonly dto: new () => object;
  readonly decision: Decision;
} {
  class Dto {}
  decorate(Dto.prototype, 'field');
  classes.push(Dto);
  return { dto: Dto, decision: constraintsOf(searchRules(Dto)[0]!)[0]!.decision! };
}

afterEach(() => {
  forget(classes);
  classes = [];
});

describe("shortcuts of class-validator's rules", () => {
  it.each(Object.keys(SHORTCUTS))('R-IV-10 %s says yes only where class-validator does', (name) => {
    const [asked, value, constraints] = RULES[name]!;
    let sure = 0;
    fc.assert(
      fc.property(value, constraints, (one, given) => {
        if (!SHORTCUTS[name]!(one, given)) return;
        sure++;
        expect(asked(one, ...(given as never[]))).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(sure).toBeGreaterThan(300);
  });

  it.each([
    [cv.ArrayMaxSize(2), [1, 2]],
    [cv.ArrayMinSize(1), [1, 2]],
    [cv.IsEmail(), 'ada@example.com'],
    [cv.IsEnum(Level), Level.High],
    [cv.IsIn(['low', 'high']), 'high'],
    [cv.IsNumber({ allowInfinity: true }), 1.5],
    [cv.IsUUID(), '9b2f6a1e-4c1d-4f0e-8a3b-2f1f6b7c8d9e'],
    [cv.IsISO8601(), '2026-11-24T10:00:00Z'],
    [cv.Length(1, 80), 'Ada'],
    [cv.MinLength(1, { each: true }), ['Ada']],
    [cv.MaxLength(80), 'Ada'],
    [cv.Min(1), 1],
    [cv.Max(1, { message: 'less!' }), 1],
  ])("answer for class-validator's own decorators from the second call on: %#", async (decorate, value) => {
    const { dto, decision } = withRule(decorate);
    expect(decision.isSure).toBeUndefined();
    for (const field of [value, value, null, {}, ['']]) await sameBothWays(dto, () => ({ field }));
    expect(Object.values(SHORTCUTS)).toContain(decision.isSure);
  });

  it('R-IV-10 never answer for rules of an application that only have the name', async () => {
    const asked: unknown[] = [];
    const kept: cv.ValidationArguments[] = [];
    const { validate: stock } = constraintsOf(searchRules(withRule(cv.IsEmail()).dto)[0]!)[0]!.instance as {
      readonly validate: (this: void, value: unknown, args: cv.ValidationArguments) => unknown;
    };
    const custom: Readonly<Record<string, (value: unknown, args: cv.ValidationArguments) => boolean>> = {
      'a look at the constraints': (value, { constraints }) =>
        constraints.length === 1 && value !== 'ada@example.com',
      'no look': () => false,
      'asks the function': (value, { constraints }) =>
        cv.isEmail(value, constraints[0] as undefined) && asked.length < 2,
      'asks the rule': (value, args) => Boolean(stock(value, args)) && asked.length < 2,
    };
    for (const [name, decide] of Object.entries(custom)) {
      asked.length = kept.length = 0;
      const validate = (value: unknown, args?: cv.ValidationArguments): boolean => {
        asked.push(value);
        kept.push(args!);
        return decide(value, args!);
      };
      const { dto } = withRule(
        cv.ValidateBy({ name: 'isEmail', constraints: [undefined], validator: { validate } }),
      );
      for (let i = 1; i <= 4; i++) {
        await COMPILED_ENGINE.check(Object.assign(new dto(), { field: 'ada@example.com' }));
        expect(asked, name).toHaveLength(i);
      }
      // What a rule is told is the same as ever.
      expect(Object.getOwnPropertyDescriptors(kept[0])).toEqual(Object.getOwnPropertyDescriptors(kept[1]));
    }
  });

  it('R-IV-10 leave alone what throws at its first call', async () => {
    const validate = (): boolean => {
      throw new RangeError('broken');
    };
    const { dto, decision } = withRule(
      cv.ValidateBy({ name: 'min', constraints: [1], validator: { validate } }),
    );
    for (let i = 0; i < 2; i++)
      expect((await sameBothWays(dto, () => ({ field: 1 }))).failed).toBe('checked: RangeError');
    expect(decision.isSure).toBeUndefined();
  });

  it('ask class-validator as ever where no stack tells who calls', async () => {
    const { stackTraceLimit } = Error;
    Object.defineProperty(Error, 'stackTraceLimit', { value: 2, writable: false });
    onTestFinished(() => {
      Object.defineProperty(Error, 'stackTraceLimit', { value: stackTraceLimit, writable: true });
    });
    const { dto, decision } = withRule(cv.Min(1));
    for (const field of [1, 0]) await sameBothWays(dto, () => ({ field }));
    expect(decision.isSure).toBeUndefined();
  });

  it('leave no trace in what class-validator knows, nor in how errors are traced', async () => {
    const { stackTraceLimit } = Error;
    const storage = cv.getMetadataStorage();
    const { dto } = withRule(cv.Min(1));
    await COMPILED_ENGINE.check(Object.assign(new dto(), { field: 1 }));
    expect(cv.getMetadataStorage()).toBe(storage);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });
});
