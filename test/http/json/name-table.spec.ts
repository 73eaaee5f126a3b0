import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isDangerousName, nameHash, NameTable } from '../../../lib/http/json/name-table.js';

const hashOf = (name: string): number => nameHash(Buffer.from(name), 0, Buffer.byteLength(name));

describe('NameTable', () => {
  it('R-IV-05 knows which object has which names', () => {
    expect.hasAssertions();
    const entry = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const table = new NameTable(100);
        table.begin(0, 1_000);
        const seen = new Set<string>();
        for (const [owner, name] of entries) {
          const key = `${owner} ${name}`;
          expect(table.isNew(hashOf(name), owner)).toBe(!seen.has(key));
          seen.add(key);
        }
      }),
    );
  });

  it('R-IV-05 forgets the names of one text before the next, also when the numbers have run out', () => {
    const table = new NameTable(10);
    let last = table.begin(0, 100);
    expect(table.isNew(hashOf('a'), last + 1)).toBe(true);
    last = table.begin(last + 1, 100);
    expect(table.isNew(hashOf('a'), last + 1)).toBe(true);
    expect(table.begin(2 ** 30 + 7, 100)).toBe(0);
    expect(table.isNew(hashOf('a'), 1)).toBe(true);
    expect(table.isNew(hashOf('a'), 1)).toBe(false);
  });

  it('R-IV-05 leaves what it has no place for to the exact scanner', () => {
    const table = new NameTable(10);
    table.begin(0, 50);
    const verdicts = Array.from({ length: 100 }, (_, i) => table.isNew(hashOf(`k${i}`), 1));
    expect(verdicts.slice(0, 10)).not.toContain(false);
    expect(verdicts.at(-1)).toBe(false);
  });

  it('R-IV-06 knows dangerous names', () => {
    for (const name of ['__proto__', 'constructor', 'prototype'])
      expect(isDangerousName(hashOf(name), name.length)).toBe(true);
    expect(isDangerousName(hashOf('Prototype'), 9)).toBe(false);
  });
});
