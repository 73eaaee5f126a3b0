import { generateKeyPairSync } from 'node:crypto';

import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';

import { MemoryTokenStore } from '../../../lib/authentication/jwt/memory-token-store.js';
import { REVOCATION_PAGE } from '../../../lib/authentication/jwt/revocation-store.js';
import type { TokenOptions } from '../../../lib/authentication/jwt/token.options.js';
import { systemClock } from '../../../lib/clock.js';
import { TestClock } from './token-workshop.js';
import { type TokenNode, tokenNode } from './token-node.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A store that cannot tell of changes, and can be down. */
class QuietStore extends MemoryTokenStore {
  down = false;
  asked = 0;

  override subscribe(): Promise<() => Promise<void>> {
    return Promise.resolve(() => Promise.resolve());
  }

  override revocationsSince(...asked: Parameters<MemoryTokenStore['revocationsSince']>) {
    this.asked++;
    return this.down ? Promise.reject(new Error('connection refused')) : super.revocationsSince(...asked);
  }
}

function pair(options: TokenOptions = {}, store: MemoryTokenStore = new QuietStore()) {
  const clock = new TestClock();
  const [one, other] = [1, 2].map(() => tokenNode({ store, ...options }, clock, privateKey)) as [
    TokenNode,
    TokenNode,
  ];
  const sync = () => Promise.all([one.sync.run(), other.sync.run()]);
  return { clock, store: store as QuietStore, one, other, sync };
}
const sidOf = (token: string) => String(decodeJwt(token)['sid']);

describe('what one node revokes', () => {
  it.each<[string, (node: TokenNode, token: string, refreshToken: string) => Promise<unknown>]>([
    ['a logout', ({ tokens }, token) => tokens.revoke(sidOf(token))],
    ['the end of everything a subject has', ({ tokens }) => tokens.revokeAllOf('ada')],
    [
      'a refresh token that came twice',
      async ({ tokens, refresh }, _, refreshToken) => {
        await tokens.refresh(refreshToken);
        expect(await refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.reused');
      },
    ],
  ])(
    'R-JW-22 R-RT-04 %s is known to all by their next look, and at once where it happened',
    async (_, end) => {
      const { one, other, sync } = pair();
      await sync();
      const { accessToken, refreshToken } = await one.tokens.issue('ada');
      const bystander = (await one.tokens.issue('bob')).accessToken;
      for (const node of [one, other]) expect(await node.access(accessToken)).toBe('good');
      await end(one, accessToken, refreshToken);
      expect(await one.access(accessToken)).toBe('token.revoked');
      await sync();
      expect(await other.access(accessToken)).toBe('token.revoked');
      expect(await other.refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
      for (const node of [one, other]) expect(await node.access(bystander)).toBe('good');
    },
  );

  it('R-JW-22 R-RT-08 is known to a node that starts later, and after all have been restarted', async () => {
    const store = new QuietStore();
    const { one, sync } = pair({}, store);
    await sync();
    const { accessToken } = await one.tokens.issue('ada');
    await one.tokens.revokeAllOf('ada');
    const { other, ...later } = pair({}, store);
    await later.sync();
    expect(await other.access(accessToken)).toBe('token.revoked');
  });

  it('R-JW-22 is read page by page', async () => {
    const store = new QuietStore();
    const { one, other, sync } = pair({}, store);
    await sync();
    const { accessToken } = await one.tokens.issue('ada');
    const [at, until] = [0, Number.MAX_SAFE_INTEGER];
    for (let i = 0; i < 2 * REVOCATION_PAGE; i++) {
      await store.revoke({ kind: 'token', issuer: 'x', name: `${i}`, at, until });
    }
    await one.tokens.revokeAllOf('ada');
    await other.sync.run();
    expect(await other.access(accessToken)).toBe('token.revoked');
  });

  it('R-JW-22 is told by a store that can, without a look', async () => {
    const store = new MemoryTokenStore();
    const nodes = [1, 2].map(() => tokenNode({ store, revokedWithin: '5m' }, systemClock, privateKey));
    const [one, other] = nodes as [TokenNode, TokenNode];
    await Promise.all(nodes.map(({ sync }) => sync.start()));
    const { accessToken } = await one.tokens.issue('ada');
    expect(await other.access(accessToken)).toBe('good');
    await one.tokens.revokeAllOf('ada');
    await expect.poll(() => other.access(accessToken)).toBe('token.revoked');
    await Promise.all(nodes.map(({ sync }) => sync.stop()));
  });

  it('R-JW-22 is asked for three times within the time, by itself, until it is stopped', async () => {
    const store = new QuietStore();
    const node = tokenNode({ store, revokedWithin: '1s' }, systemClock, privateKey);
    await node.sync.start();
    await expect.poll(() => store.asked, { timeout: 5_000 }).toBeGreaterThan(2);
    await node.sync.stop();
    const { asked } = store;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(store.asked).toBe(asked);
  });
});

describe('while a node cannot know', () => {
  it('R-JW-22 no token is good there, and after that all are again', async () => {
    const { clock, store, one, sync } = pair();
    const { accessToken } = await one.tokens.issue('ada');
    expect(await one.access(accessToken)).toBe('UNAVAILABLE token.revocations-unknown');
    await sync();
    expect(await one.access(accessToken)).toBe('good');
    store.down = true;
    clock.seconds += 4.9;
    await sync();
    expect(await one.access(accessToken)).toBe('good');
    clock.seconds += 0.1;
    expect(one.verifier.cached(accessToken)).toBeUndefined();
    expect(await one.access(accessToken)).toBe('UNAVAILABLE token.revocations-unknown');
    expect(one.seen.at(-1)).toMatchObject({ type: 'store.failed', store: 'tokens' });
    store.down = false;
    await sync();
    expect(await one.access(accessToken)).toBe('good');
  });

  it('R-JW-22 tokens are good where the application has chosen so', async () => {
    const { clock, store, one, sync } = pair({ whenRevocationsUnknown: 'accept' });
    store.down = true;
    await sync();
    clock.seconds += 60;
    expect(await one.access((await one.tokens.issue('ada')).accessToken)).toBe('good');
  });

  it('R-RT-11 what it ends itself is ended here, and the caller learns that the others do not know', async () => {
    const { store, one, sync } = pair();
    await sync();
    const { accessToken, refreshToken } = await one.tokens.issue('ada');
    store.endSession = () => Promise.reject(new Error('connection refused'));
    await expect(one.tokens.revoke(sidOf(accessToken))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await one.access(accessToken)).toBe('token.revoked');
    expect(await one.refresh(refreshToken)).toBe('good');
  });
});

describe('a grace', () => {
  it('R-RT-05 gives a client whose answer was lost the same successor, and only one branch lives', async () => {
    const { clock, one, other, sync } = pair({ refreshGrace: '10s' });
    await sync();
    const { refreshToken } = await one.tokens.issue('ada', { scopes: ['a'] });
    const answers = await Promise.all(
      [one, other, one, other].map(({ tokens }) => tokens.refresh(refreshToken)),
    );
    clock.seconds += 9;
    answers.push(await other.tokens.refresh(refreshToken));
    expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
    expect(answers[0]!.refreshToken).not.toBe(refreshToken);
    const next = await one.tokens.refresh(answers[0]!.refreshToken);
    expect(await other.refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.reused');
    expect(await one.refresh(next.refreshToken)).toBe('UNAUTHENTICATED refresh.unknown');
  });

  it('R-RT-05 is over after its time', async () => {
    const { clock, one, sync } = pair({ refreshGrace: '10s' });
    await sync();
    const { refreshToken } = await one.tokens.issue('ada');
    await one.tokens.refresh(refreshToken);
    clock.seconds += 10;
    expect(await one.refresh(refreshToken)).toBe('UNAUTHENTICATED refresh.reused');
  });

  it('R-RT-01 a successor is made of the presented token, so nobody can make it from what a store has', async () => {
    const store = new QuietStore();
    const salts: string[] = [];
    const rotate = store.rotateSession.bind(store);
    store.rotateSession = (rotation) => {
      salts.push(rotation.grace!.salt);
      return rotate(rotation);
    };
    const { one, sync } = pair({ refreshGrace: '1s' }, store);
    await sync();
    const { refreshToken } = await one.tokens.issue('ada');
    const next = await one.tokens.refresh(refreshToken);
    expect(salts).toHaveLength(1);
    expect(next.refreshToken).not.toContain(salts[0]);
    expect(next.refreshToken.slice(0, 25)).toBe(refreshToken.slice(0, 25));
  });
});
