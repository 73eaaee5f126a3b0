import { Transform, Type } from 'class-transformer';
import * as cv from 'class-validator';
import { describe, expect, it } from 'vitest';

import { COMPILED_ENGINE, STOCK_ENGINE } from '../../../lib/validation/dto-engine.js';
import { checked, type Dto, expectSame, sameBothWays } from './both-ways.js';

class Leaf {
  @cv.IsString()
  @cv.Length(2, 4)
  name!: string;
}

class Tree {
  @cv.IsInt({ message: '$value at $property of $target' })
  value!: number;

  @cv.IsOptional()
  @cv.ValidateNested()
  @Type(() => Tree)
  left?: Tree;

  @cv.IsOptional()
  @cv.ValidateNested({ each: true })
  @Type(() => Tree)
  others?: Tree[];
}

class Animal {
  @cv.IsString()
  sound!: string;
}

class Zoo {
  @cv.ValidateNested({ each: true })
  @Type(() => Animal, { discriminator: { property: 'kind', subTypes: [{ name: 'cat', value: Animal }] } })
  animals!: Animal[];

  @cv.IsOptional()
  @cv.ValidateNested()
  @Type(() => Animal, { discriminator: { property: 'kind', subTypes: [{ name: 'cat', value: Animal }] } })
  one?: Animal;
}

class Each {
  @cv.IsString({ each: true })
  values!: unknown;
}

class AnyProperty {
  @cv.Allow()
  any?: unknown;
}

class Defaulted {
  undeclared = 3;

  @cv.IsInt()
  count = 1;

  constructor() {
    Object.assign(this, { hasOwnProperty: 1, toString: 2, valueOf: null });
  }
}

class Sharing extends Leaf {}
Object.assign(Sharing.prototype, { shared: 1 });

class Taking {
  @cv.IsString()
  @Transform(({ value, obj }: { value: unknown; obj: { second?: string } }) => {
    delete obj.second;
    return value;
  })
  first!: string;

  @cv.IsOptional()
  @cv.IsString()
  second: string | undefined = 'unset';
}

class TakingType {
  @cv.ValidateNested()
  @Type((options) => {
    delete (options!.object as { second?: string }).second;
    return Animal;
  })
  first!: Animal;

  @cv.IsOptional()
  @cv.IsString()
  second: string | undefined = 'unset';
}

class ReadOnly {
  @cv.IsString()
  get name(): string {
    return 'fixed';
  }

  @cv.IsOptional()
  @cv.IsInt()
  method(): number {
    return 1;
  }
}

class Throwing {
  @cv.IsString()
  name!: string;

  constructor() {
    throw new RangeError('no');
  }
}

class Bare {
  @cv.ValidateNested()
  @Transform(() => Object.create(null) as unknown)
  part!: unknown;
}

function tree(depth: number, wrong = false): object {
  let value: object = { value: wrong ? 'x' : 1 };
  for (let i = 0; i < depth; i++) value = { value: i, left: value, others: i % 7 === 0 ? [value] : [] };
  return value;
}

function cyclic(): object {
  const value: Record<string, unknown> = { value: 1 };
  value['left'] = value;
  return value;
}

function deep(levels: number): object {
  let value: object = { value: 1 };
  for (let i = 0; i < levels; i++) value = { value: 1, left: value };
  return value;
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === 'object' && part !== null) frozen(part as object);
  return Object.freeze(value);
}

/** A list with gaps between its items. */
function gaps(...items: unknown[]): unknown[] {
  const list: unknown[] = [];
  items.forEach((item, index) => (list[2 * index + 1] = item));
  return list;
}

const withGetter = (get: () => unknown): object =>
  Object.defineProperty({}, 'name', { get, enumerable: true, configurable: true });

const CASES: readonly (readonly [string, Dto, () => object])[] = [
  ['a class that contains itself', Tree, () => tree(9)],
  ['a class that contains itself, wrong at the bottom', Tree, () => tree(9, true)],
  ['a value that contains itself', Tree, cyclic],
  ['a value without end', Tree, () => deep(200_000)],
  ['a null prototype', Leaf, () => Object.assign(Object.create(null) as object, { name: 'ab' })],
  ['own __proto__', Leaf, () => JSON.parse('{"name":"ab","__proto__":{"name":"x"}}') as object],
  ['own constructor', Leaf, () => ({ name: 'ab', constructor: { name: 'x' } })],
  ['own prototype names', Leaf, () => ({ name: 'ab', toString: 1, hasOwnProperty: 2, valueOf: null })],
  [
    'a list that an object claims to be',
    AnyProperty,
    () => ({ any: Object.assign(Object.create([]) as object, { 5: 1 }) }),
  ],
  ['constructor of a part', AnyProperty, () => ({ any: { constructor: 'text', a: 1 } })],
  ['then of a part', AnyProperty, () => JSON.parse('{"any":{"then":1}}') as object],
  ['symbol keys', Leaf, () => ({ name: 'ab', [Symbol('s')]: 1 })],
  ['a getter in the input', Leaf, () => withGetter(() => 'abc')],
  [
    'a getter in the input that fails',
    Leaf,
    () =>
      withGetter(() => {
        throw new EvalError('no');
      }),
  ],
  ['frozen input', Tree, () => frozen(tree(3))],
  ['frozen input with a discriminator', Zoo, () => frozen({ animals: [{ kind: 'cat', sound: 'm' }] })],
  [
    'a discriminator',
    Zoo,
    () => ({ animals: [{ kind: 'cat', sound: 'm' }, { kind: 'x' }], one: { kind: 'cat' } }),
  ],
  ['a discriminator of null', Zoo, () => ({ animals: [null] })],
  ['a discriminator of a text', Zoo, () => ({ animals: ['cat'], one: 'cat' })],
  ['gaps in a list', Each, () => ({ values: gaps('a', 5) })],
  [
    'a Map',
    Each,
    () => ({
      values: new Map<unknown, unknown>([
        ['a', 1],
        ['size', 'b'],
      ]),
    }),
  ],
  ['a Set', Each, () => ({ values: new Set(['a', 1]) })],
  ['defaults nobody declared, some of them named as in a prototype', Defaulted, () => ({})],
  [
    'names that a value only inherits',
    Leaf,
    () => Object.setPrototypeOf({}, { name: 'abc', other: 1 }) as object,
  ],
  ['a name that instances only inherit', Sharing, () => ({ name: 'abc' })],
  ['a conversion that takes a member away', Taking, () => ({ first: 'a', second: 'b' })],
  ['a type that takes a member away', TakingType, () => ({ first: {}, second: 'b' })],
  ['members that cannot be written', ReadOnly, () => ({ name: 'sent', method: 5 })],
  ['a constructor that fails', Throwing, () => ({ name: 'a' })],
  ['a part without any constructor', Bare, () => ({ part: 1 })],
  ['bytes', AnyProperty, () => ({ any: Buffer.from('ab') })],
  ['a class without rules', class {}, () => ({ a: 1 })],
];

describe('compiled validators at the edges', () => {
  it.each(CASES)('R-IV-10 R-IV-06 %s: as class-validator and class-transformer', async (_, dto, value) => {
    const { failed, errors } = await sameBothWays(dto, value);
    expect(failed !== undefined || Array.isArray(errors)).toBe(true);
  });

  it('R-IV-10 rules for a property that every object inherits fail as they do there', async () => {
    class Named {
      name = 'a';
    }
    cv.IsString()(Named.prototype, 'toString');
    const { failed } = await sameBothWays(Named, () => ({ name: 'a' }));
    expect(failed).toBe('checked: TypeError');
  });

  it('R-IV-10 rules of a symbol are asked by neither', async () => {
    const key = Symbol('key');
    class Keyed {
      [key] = 5;
    }
    cv.IsString()(Keyed.prototype, key);
    expect(await sameBothWays(Keyed, () => ({}))).toMatchObject({ failed: undefined, errors: [] });
  });

  it.each(['a', 5, null, undefined])('R-IV-10 gaps of a list are not asked about (%j)', async (item) => {
    class Now {
      values: unknown = gaps('a', item);
    }
    class Later extends Now {}
    class Nested {
      values: unknown = gaps({}, item, new Leaf());
    }
    const each = { each: true, context: { a: 1 } };
    const later = { name: 'later', validator: { validate: (one: unknown) => Promise.resolve(one !== 5) } };
    cv.IsString(each)(Now.prototype, 'values');
    cv.ValidateBy(later, each)(Later.prototype, 'values');
    cv.ValidateNested(each)(Nested.prototype, 'values');
    for (const instance of [new Now(), new Later(), new Nested()]) {
      const compiled = await checked(COMPILED_ENGINE, instance);
      expectSame(compiled, await checked(STOCK_ENGINE, instance));
      expect(compiled.failed).toBeUndefined();
    }
  });
});
