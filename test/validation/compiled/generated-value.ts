import * as fc from 'fast-check';

import { DECORATORS } from './decorator-table.js';
import type { ClassSpec, PropertySpec } from './generated-spec.js';

const WORDS = ['', 'a', 'b', 'cat', 'dog', 'skip', '1', '2020-01-01', '$&', '$value'];

const junk: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  null,
  undefined,
  0,
  1,
  -1,
  true,
  {},
  [],
  [[]],
  ['a', 'b'],
  [1, null],
  { kind: 'cat' },
  { a: 1 },
  [{ kind: 'cat' }, { kind: 'dog', a: 'a' }],
  'boom',
  ...WORDS,
);

/** Raw objects for a class: of what its rules accept, or of what they accept or refuse and now and then of anything. */
export function valueFor(spec: ClassSpec): fc.Arbitrary<object> {
  return fc.oneof(objectOf(spec, true), objectOf(spec, false));
}

function objectOf({ properties, base }: ClassSpec, isTame: boolean): fc.Arbitrary<object> {
  const entries = [...properties, ...(base?.properties ?? [])].map((one) =>
    fc.tuple(
      isTame ? fc.constant(one.name) : fc.constantFrom(...Array<string>(6).fill(one.name), 'wire', 'unknown'),
      isTame
        ? listed(one, fitting(one, true))
        : fc.oneof(
            { weight: 5, arbitrary: fitting(one, false) },
            { weight: 3, arbitrary: fc.array(fitting(one, false), { maxLength: 3 }) },
            { weight: 2, arbitrary: junk },
          ),
      isTame ? fc.constant(1) : fc.nat(9),
    ),
  );
  return fc
    .tuple(...entries)
    .map((all) =>
      Object.fromEntries(all.filter(([, , skipped]) => skipped > 0).map(([name, value]) => [name, value])),
    );
}

function listed({ rules }: PropertySpec, one: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return rules.some(({ each }) => each) ? fc.array(one, { maxLength: 2 }) : one;
}

function fitting({ rules, nested }: PropertySpec, isTame: boolean): fc.Arbitrary<unknown> {
  if (nested) return objectOf(nested, isTame);
  const values = rules.flatMap(({ row }) => {
    const { accepted, refused } = DECORATORS[row]!;
    return isTame ? accepted : [...accepted, ...accepted, ...refused];
  });
  return values.length > 0 ? fc.constantFrom(...values) : junk;
}
