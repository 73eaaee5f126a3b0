import { describe, expect, it } from 'vitest';

import { MemoryTokenStore } from '../../../lib/authentication/jwt/memory-token-store.js';
import { describeTokenStore, digests, revocation, tokenSession } from './token-store-contract.js';

describeTokenStore(
  'a memory store',
  () => Promise.resolve({ store: new MemoryTokenStore(), close: () => Promise.resolve() }),
  { subscribes: true },
);

describe('a memory store that is full', () => {
  it('R-RT-01 lets the session that was not used for longest make room', async () => {
    const store = new MemoryTokenStore(3);
    const begun = Array.from({ length: 4 }, (_, i) => ({
      session: tokenSession({ subject: `user-${i}` }),
      presented: digests(),
    }));
    for (const { session, presented } of begun) await store.createSession(session, presented);
    expect(store.size).toBe(3);
    const found = await Promise.all(
      begun.map(({ session, presented }) => store.findSession(presented.family, session.createdAt)),
    );
    expect(found.map((session) => session?.subject)).toEqual([undefined, 'user-1', 'user-2', 'user-3']);
  });

  it('R-JW-22 keeps no more revocations than that', async () => {
    const store = new MemoryTokenStore(3);
    for (let i = 0; i < 10; i++) await store.revoke(revocation(`${i}`));
    const { revocations } = await store.revocationsSince(undefined, revocation('x').at);
    expect(revocations.map(({ name }) => name)).toEqual(['7', '8', '9']);
  });
});
