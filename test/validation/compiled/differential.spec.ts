import { useContainer } from 'class-validator';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Dto, sameBothWays } from './both-ways.js';
import { build } from './generated-dto.js';
import { copyOf, forget } from './generated-metadata.js';
import { classSpec } from './generated-spec.js';
import { valueFor } from './generated-value.js';

const CLASSES = 1_000;
const VALUES = 100;

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
    const classes = classSpec(2).chain((spec) =>
      fc.tuple(fc.constant(spec), fc.array(valueFor(spec), { minLength: VALUES, maxLength: VALUES })),
    );
    await fc.assert(
      fc.asyncProperty(classes, async ([spec, values]) => {
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
});
