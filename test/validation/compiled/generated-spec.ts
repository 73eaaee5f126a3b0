import * as fc from 'fast-check';

import { DECORATORS } from './decorator-table.js';
import { CUSTOM, DESIGN_TYPES, MESSAGES, TRANSFORMS } from './generated-parts.js';

/** One rule with options. */
export interface RuleSpec {
  readonly row: number;
  readonly each: boolean;
  readonly message: number;
  readonly condition: number;
  readonly context: boolean;
  readonly groups: number;
}

/** One property with all that decorators say of it. */
export interface PropertySpec {
  readonly name: string;
  readonly rules: readonly RuleSpec[];
  readonly optional: boolean;
  readonly customs: readonly number[];
  readonly nested: ClassSpec | undefined;
  readonly nestedEach: boolean;
  readonly typing: number;
  readonly transforms: readonly number[];
  readonly exposure: number;
  readonly designType: number;
}

/** A class that can be printed when something differs. */
export interface ClassSpec {
  readonly properties: readonly PropertySpec[];
  readonly base: ClassSpec | undefined;
  readonly strategy: number;
  readonly members: number;
  readonly defaults: readonly string[];
}

const NAMES = ['a', 'b', 'c', 'd', 'list', '0', 'length', 'size', 'name', 'kind'];
const rule: fc.Arbitrary<RuleSpec> = fc.record({
  row: fc.nat(DECORATORS.length - 1),
  each: fc.boolean(),
  message: fc.nat(MESSAGES.length - 1),
  condition: fc.nat(5),
  context: fc.boolean(),
  groups: fc.nat(4),
});

const few = (max: number): fc.Arbitrary<number[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(max), { maxLength: 2 }) },
  );

function propertySpec(depth: number): fc.Arbitrary<PropertySpec> {
  return fc.record({
    name: fc.constantFrom(...NAMES),
    rules: fc.oneof(
      { weight: 3, arbitrary: fc.array(rule, { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(rule, { maxLength: 3 }) },
    ),
    optional: fc.boolean(),
    customs: few(CUSTOM.length - 1),
    nested:
      depth === 0 ? fc.constant(undefined) : fc.option(classSpec(depth - 1), { nil: undefined, freq: 2 }),
    nestedEach: fc.boolean(),
    typing: fc.nat(9),
    transforms: few(TRANSFORMS.length - 1),
    exposure: fc.nat(24),
    designType: fc.nat(DESIGN_TYPES.length - 1),
  });
}

/** Classes of a few properties, `depth` levels of other classes below them. */
export function classSpec(depth: number): fc.Arbitrary<ClassSpec> {
  const properties = fc.array(propertySpec(depth), { minLength: 1, maxLength: 4 });
  return fc.record({
    properties,
    base: depth === 0 ? fc.constant(undefined) : fc.option(classSpec(0), { nil: undefined, freq: 2 }),
    strategy: fc.nat(9),
    members: fc.nat(9),
    defaults: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.constantFrom(...NAMES, 'extra'), { maxLength: 2 }) },
    ),
  });
}
