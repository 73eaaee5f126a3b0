import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MemoryDpopReplayStore } from '../../../lib/authentication/oauth2/dpop/dpop-replay-store.js';

describe('MemoryDpopReplayStore', () => {
  it('R-DP-06 takes each proof once', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 200 }), (proofs) => {
        const store = new MemoryDpopReplayStore();
        const taken = proofs.filter((proof) => store.use(proof, 60_000));
        expect(taken).toEqual([...new Set(proofs)]);
      }),
    );
  });

  it('R-DP-06 forgets a proof no sooner than it lapses, and then gives its place back', async () => {
    const store = new MemoryDpopReplayStore(2);
    expect([store.use('a', 800), store.use('b', 800)]).toEqual([true, true]);
    expect(() => store.use('c', 800)).toThrow('too many');
    await new Promise((done) => setTimeout(done, 810));
    expect(store.use('a', 800)).toBe(false);
    await new Promise((done) => setTimeout(done, 1_700));
    expect([store.use('c', 800), store.use('a', 800)]).toEqual([true, true]);
  });
});
