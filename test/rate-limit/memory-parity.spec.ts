import fc from 'fast-check';
import { expect, it } from 'vitest';

import { MemoryRateLimitStorage } from '../../lib/rate-limit/memory/memory-rate-limit-storage.js';
import { FakeClock } from './fake-clock.js';
import { chargedBy, type Decided, traces } from './limit-traces.js';
import { ReferenceLimiter } from './reference-limiter.js';

it('R-RL-15 counters in memory decide like the reference: all algorithms, several charges, dry runs and refunds', () => {
  fc.assert(
    fc.property(traces({ large: false, length: 100 }), ({ start, steps }) => {
      const clock = new FakeClock();
      const storage = new MemoryRateLimitStorage({ clock });
      const reference = new ReferenceLimiter();
      const decided: Decided[] = [];
      let us = start;
      // Sums of fractions would not be those of the reference.
      let elapsed = 0;
      try {
        for (const step of steps) {
          us += step.gapUs;
          clock.advance(us / 1_000 - elapsed);
          elapsed = clock.monotonic();
          if ('charges' in step) {
            const decision = storage.consume(step.charges);
            expect(decision).toEqual(reference.consume(step.charges, elapsed));
            decided.push({ charges: step.charges, decision });
          } else {
            const last = decided.at(-step.refunds);
            if (last === undefined) continue;
            storage.refund(chargedBy(last), last.decision);
            reference.refund(chargedBy(last), last.decision);
          }
        }
      } finally {
        storage.close();
      }
    }),
    { numRuns: 1_000 },
  );
});
