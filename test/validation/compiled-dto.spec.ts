import { registerDecorator, type ValidationArguments } from 'class-validator';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bodyOf, strict, verdictOf } from './verdict.js';

type Check = (value: unknown, args?: ValidationArguments) => boolean | Promise<boolean>;

function CheckedBy(check: Check): PropertyDecorator {
  return (target, property) =>
    registerDecorator({
      name: 'checkedBy',
      target: target.constructor,
      propertyName: String(property),
      validator: { validate: check },
    });
}

describe('compiled rules', () => {
  it('R-IV-10 wait for a rule that answers later, and ask it once', async () => {
    let asked = 0;
    class Dto {
      @CheckedBy((value) => {
        asked++;
        return Promise.resolve(value === 'good');
      })
      name!: string;
    }
    expect(await verdictOf(strict, { name: 'good' }, bodyOf(Dto))).toMatchObject({ status: 200 });
    expect(await verdictOf(strict, { name: 'bad' }, bodyOf(Dto))).toMatchObject({
      code: 'VALIDATION_FAILED',
      broken: ['name checkedBy'],
    });
    expect(asked).toBe(2);
  });

  it('R-ER-01 a rule that fails later is an error of this request, and no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    class Dto {
      @CheckedBy(() => Promise.reject(new Error('the directory is down')))
      name!: string;
    }
    expect(await verdictOf(strict, { name: 'x' }, bodyOf(Dto))).toMatchObject({ status: 500 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  it('R-IV-10 tell a rule about the object that it looks at, each time anew', async () => {
    const seen: unknown[] = [];
    class Dto {
      @CheckedBy((value, args) => seen.push([value, args?.value, { ...args?.object }]) > 0)
      name!: string;
    }
    for (const name of ['one', 'two']) await verdictOf(strict, { name }, bodyOf(Dto));
    expect(seen).toEqual([
      ['one', 'one', { name: 'one' }],
      ['two', 'two', { name: 'two' }],
    ]);
  });
});
