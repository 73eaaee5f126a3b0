import { Transform, Type } from 'class-transformer';
import * as cv from 'class-validator';
import { arrayOf } from 'nestjs-api-security';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { compileDto } from '../../../lib/validation/compiled-dto.js';
import { COMPILED_ENGINE, type DtoEngine, STOCK_ENGINE } from '../../../lib/validation/dto-engine.js';
import { transformerStorage } from '../../../lib/validation/transformer-storage.js';
import { bodyOf, verdictOf } from '../verdict.js';
import { outcomeOf } from './both-ways.js';

let calls: unknown[] = [];

function called(...what: unknown[]): boolean {
  calls.push(structuredClone(what));
  return what.at(-1) !== 'no';
}

@cv.ValidatorConstraint({ name: 'recorded' })
class Recorded implements cv.ValidatorConstraintInterface {
  validate(value: unknown, { object, ...args }: cv.ValidationArguments): boolean {
    return called('constraint', args, { ...object }, object.constructor.name, value);
  }

  defaultMessage({ object, ...args }: cv.ValidationArguments): string {
    called('its message', args, { ...object });
    return '$property';
  }
}

const message = ({ object, ...args }: cv.ValidationArguments): string => {
  called('message', args, { ...object });
  return 'told';
};

class Part {
  @cv.ValidateIf((object: object, value: unknown) => called('condition', { ...object }, value))
  @cv.ValidateIf((object: object, value: unknown) => called('other condition', { ...object }, value))
  @cv.Validate(Recorded, [1, 'two'], { message, validateIf: (_, value) => called('for the rule', value) })
  @cv.Validate(Recorded, { each: true })
  @Transform(({ obj, options, ...params }) => {
    called('transform', params, { ...options }, obj);
    return params.value as unknown;
  })
  name!: unknown;

  @cv.ValidateBy({
    name: 'registered',
    constraints: ['c'],
    validator: {
      validate: (value, args) => called('registered', { ...args, object: 0 }, value),
      defaultMessage: (args) => (called('registered message', { ...args, object: 0 }) ? '' : 'never'),
    },
  })
  other!: unknown;

  @cv.ValidateNested({ message })
  @Type((options) => {
    called('type', options?.property, options?.object, { ...(options?.newObject as object) });
    return Part;
  })
  part?: unknown;
}

async function callsOf(engine: DtoEngine, value: object): Promise<readonly unknown[]> {
  calls = [];
  await outcomeOf(engine, Part, structuredClone(value));
  return calls;
}

const VALUES: readonly object[] = [
  { name: 'yes', other: 'yes' },
  { name: 'no', other: 'no' },
  { name: ['yes', 'no'], other: 5 },
  { name: 1, other: null, part: { name: 'x', other: 'no' } },
  { name: null, part: 'no' },
  { part: [{ name: 'no' }, { other: 'no' }, null] },
];

describe('what a compiled validator calls', () => {
  afterEach(() => cv.useContainer(undefined as never));

  it.each(VALUES)('R-IV-10 is called with the same arguments, in the same order: %j', async (value) => {
    const stock = await callsOf(STOCK_ENGINE, value);
    expect(await callsOf(COMPILED_ENGINE, value)).toEqual(stock);
    expect(stock.length).toBeGreaterThan(3);
  });

  it('R-IV-10 gets arguments of its own, which it may keep', async () => {
    const kept: (cv.ValidationArguments | undefined)[] = [];
    class Kept {
      @cv.ValidateBy({ name: 'kept', validator: { validate: (_, args) => kept.push(args) > 0 } })
      @cv.ValidateBy({ name: 'kept too', validator: { validate: (_, args) => kept.push(args) > 0 } })
      name!: string;
    }
    for (const name of ['a', 'b']) await outcomeOf(COMPILED_ENGINE, Kept, { name });
    expect(kept.map((args) => args?.value as unknown)).toEqual(['a', 'a', 'b', 'b']);
    expect(new Set(kept).size).toBe(4);
  });

  it('R-IV-10 comes out of the container of the moment', async () => {
    const container = (answer: boolean): { get: () => never } => ({
      get: () => ({ validate: () => answer, defaultMessage: () => 'from the container' }) as never,
    });
    class Contained {
      @cv.Validate(Recorded)
      name!: string;
    }
    const errors: unknown[] = [];
    for (const answer of [true, false, true]) {
      cv.useContainer(container(answer));
      errors.push(((await outcomeOf(COMPILED_ENGINE, Contained, { name: 'a' })).errors as unknown[]).length);
    }
    expect(errors).toEqual([0, 1, 0]);
  });

  it('R-IV-10 is all that is looked up: no metadata, no emitted types', async () => {
    compileDto(Part);
    await outcomeOf(COMPILED_ENGINE, Part, VALUES[3]!);
    const spies = [
      vi.spyOn(cv.getMetadataStorage(), 'getTargetValidationMetadatas'),
      vi.spyOn(cv.getMetadataStorage(), 'getTargetValidatorConstraints'),
      vi.spyOn(transformerStorage, 'findTypeMetadata'),
      vi.spyOn(transformerStorage, 'findTransformMetadatas'),
      vi.spyOn(transformerStorage, 'getStrategy'),
      vi.spyOn(Reflect, 'getMetadata'),
    ];
    onTestFinished(() => void vi.restoreAllMocks());
    for (const value of VALUES) await outcomeOf(COMPILED_ENGINE, Part, structuredClone(value));
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  it('R-IV-10 lists have a switch of their own', async () => {
    const search = vi.spyOn(cv.getMetadataStorage(), 'getTargetValidationMetadatas');
    onTestFinished(() => search.mockRestore());
    const searches: number[] = [];
    for (const compiled of [true, false]) {
      const pipe = arrayOf(Part, { compiled });
      for (const items of [[{ name: 'a', other: 'b' }], [{ name: 'no', other: 'b' }]])
        await verdictOf(pipe, items, bodyOf(Array));
      searches.push(search.mock.calls.length);
    }
    expect(searches).toEqual([0, 2]);
  });

  it('R-ER-01 leaves no rejection unhandled when another rule fails at once', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    class Failing {
      @cv.ValidateBy({ name: 'later', validator: { validate: () => Promise.reject(new Error('later')) } })
      first!: string;

      @cv.ValidateBy({
        name: 'now',
        validator: {
          validate: () => {
            throw new RangeError('now');
          },
        },
      })
      second!: string;
    }
    const { failed } = await outcomeOf(COMPILED_ENGINE, Failing, { first: 'a', second: 'b' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(failed).toBe('checked: RangeError');
    expect(unhandled).toEqual([]);
  });
});
