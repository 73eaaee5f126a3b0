import { useContainer } from 'class-validator';
import * as fc from 'fast-check';
import { StrictValidationPipe } from 'nestjs-api-security';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bodyOf, verdictOf } from '../verdict.js';
import { type Dto, sameBothWays, told } from './both-ways.js';
import { build } from './generated-dto.js';
import { copyOf, forget } from './generated-metadata.js';
import { classSpec } from './generated-spec.js';
import { valueFor } from './generated-value.js';

const CLASSES = 1_000;
const VALUES = 100;
/** Classes whose values go through the whole pipe. */
const PIPED = 100;

const valuesOfClasses = classSpec(2).chain((spec) =>
  fc.tuple(fc.constant(spec), fc.array(valueFor(spec), { minLength: VALUES, maxLength: VALUES })),
);

describe('compiled validators beside class-validator and class-transformer', () => {
  // class-validator's own container walks a list to find each constraint; thousands of generated ones would stand in it.
  beforeAll(() => {
    const instances = new Map<unknown, unknown>();
    useContainer({
      get(type: unknown): never {
        if (!instances.has(type)) instances.set(type, new (type as new () => unknown)());
        return instances.get(type) as never;
      },
    });
  });
  afterAll(() => useContainer(undefined as never));

  it(`R-IV-10 R-IV-12 ${CLASSES * VALUES} values of generated classes: same instances, errors, messages, order, failures`, async () => {
    let [valid, invalid, failed] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(valuesOfClasses, async ([spec, values]) => {
        const made: Dto[] = [];
        const dto = build(spec, made);
        try {
          for (const value of values) {
            const { failed: failure, errors } = await sameBothWays(dto, () => copyOf(value));
            if (failure !== undefined) failed++;
            else if ((errors as unknown[]).length === 0) valid++;
            else invalid++;
          }
        } finally {
          forget(made);
        }
      }),
      { numRuns: CLASSES },
    );
    // What is generated has to be worth comparing.
    expect(valid).toBeGreaterThan(VALUES * CLASSES * 0.03);
    expect(invalid).toBeGreaterThan(VALUES * CLASSES * 0.2);
    expect(failed).toBeGreaterThan(0);
  }, 180_000);

  it(`R-IV-10 R-IV-28 ${PIPED * VALUES} values through the pipe: same answers with and without`, async () => {
    const compiled = new StrictValidationPipe({ compiled: true });
    const stock = new StrictValidationPipe({ compiled: false });
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(valuesOfClasses, async ([spec, values]) => {
        const made: Dto[] = [];
        const metadata = bodyOf(build(spec, made));
        try {
          for (const value of values) {
            const found = await verdictOf(compiled, copyOf(value), metadata);
            const expected = await verdictOf(stock, copyOf(value), metadata);
            seen.add(found.status);
            expect(found.details).toEqual(expected.details);
            if (found.status === 500) expect(told(found.value)).toBe(told(expected.value));
            else expect(found).toStrictEqual(expected);
          }
        } finally {
          forget(made);
        }
      }),
      { numRuns: PIPED },
    );
    expect([...seen]).toEqual(expect.arrayContaining([200, 400]));
  }, 180_000);
});
