import { randomBytes } from 'node:crypto';

import { decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';

import { KeyRingSeal } from '../../../lib/authentication/jwt/key-ring-seal.js';
import { makeRingKey, signingKeyAt, upkeep } from '../../../lib/authentication/jwt/key-ring.js';
import { MemoryTokenStore } from '../../../lib/authentication/jwt/memory-token-store.js';
import { SigningKeyRing } from '../../../lib/authentication/jwt/signing-key-ring.js';
import type { TokenOptions } from '../../../lib/authentication/jwt/token.options.js';
import type { SecurityError } from '../../../lib/errors/security-error.js';
import { NOW, TestClock } from './token-workshop.js';
import { type TokenNode, tokenNode } from './token-node.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Nodes over one store, by one clock. */
function nodes(count: number, options: TokenOptions = {}) {
  const clock = new TestClock();
  const store = new MemoryTokenStore();
  const encryptionKey = randomBytes(32);
  const all = Array.from({ length: count }, () =>
    tokenNode(
      {
        store,
        whenRevocationsUnknown: 'accept',
        ...options,
        signingKeys: { encryptionKey, ...options.signingKeys },
      },
      clock,
    ),
  );
  const sync = (which: readonly TokenNode[] = all) => Promise.all(which.map((node) => node.sync.run()));
  return { clock, store, all, sync, encryptionKey };
}
const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const kidsOf = ({ tokens }: TokenNode) => (tokens.jwks().keys as { kid: string }[]).map(({ kid }) => kid);

describe('a ring of signing keys', () => {
  it('R-JW-26 nodes that start together have one key, and each verifies what another has signed', async () => {
    const { all, sync } = nodes(4);
    await sync();
    const pairs = await Promise.all(all.map(({ tokens }) => tokens.issue('ada')));
    expect(new Set(pairs.map(({ accessToken }) => kidOf(accessToken))).size).toBe(1);
    for (const node of all) {
      expect(kidsOf(node)).toHaveLength(1);
      for (const { accessToken } of pairs) expect(await node.access(accessToken)).toBe('good');
    }
  });

  it.each(['ES256', 'EdDSA'] as const)('R-JW-26 signs %s', async (algorithm) => {
    const { all, sync } = nodes(1, { signingKeys: { algorithm } });
    await sync();
    const { accessToken } = await all[0]!.tokens.issue('ada');
    expect(decodeProtectedHeader(accessToken).alg).toBe(algorithm);
    expect(await all[0]!.access(accessToken)).toBe('good');
    const [jwk] = all[0]!.tokens.jwks().keys as [Record<string, unknown>];
    expect(jwk).toMatchObject({ alg: algorithm, use: 'sig' });
    expect(jwk).not.toHaveProperty('d');
  });

  it('R-OA-07 publishes a key a day before it signs, and an old one until its tokens have expired', async () => {
    const { clock, all, sync } = nodes(2);
    const [one, other] = all as [TokenNode, TokenNode];
    await sync();
    const [first] = kidsOf(one);
    clock.seconds = NOW + 29 * DAY - 1;
    await sync();
    expect(kidsOf(one)).toEqual([first]);
    clock.seconds = NOW + 29 * DAY;
    await sync();
    const [, second] = kidsOf(one);
    expect(kidsOf(other)).toEqual([first, second]);
    expect(kidOf((await one.tokens.issue('ada')).accessToken)).toBe(first);
    clock.seconds = NOW + 30 * DAY - 1;
    const last = (await one.tokens.issue('ada')).accessToken;
    expect(kidOf(last)).toBe(first);
    clock.seconds = NOW + 30 * DAY;
    const next = (await one.tokens.issue('ada')).accessToken;
    expect(kidOf(next)).toBe(second);
    await sync();
    expect([await other.access(last), await other.access(next)]).toEqual(['good', 'good']);
    clock.seconds += 900;
    expect(await other.access(last)).toBe('good');
    clock.seconds += HOUR;
    await sync();
    expect(kidsOf(one)).toEqual([second]);
  });

  it('R-OA-07 a node that was away for long takes what the others have', async () => {
    const { clock, all, sync } = nodes(2);
    const [one, other] = all as [TokenNode, TokenNode];
    await sync();
    for (let day = 0; day < 100; day++) {
      clock.seconds += DAY;
      await sync([one]);
    }
    const { accessToken } = await one.tokens.issue('ada');
    // An unknown name makes it look at once.
    expect(await other.access(accessToken)).toBe('good');
    expect(kidsOf(other)).toEqual(kidsOf(one));
  });

  it('R-OA-05 names that nobody has cost one look a second', async () => {
    const { clock, store, all, sync } = nodes(2);
    const [one, other] = all as [TokenNode, TokenNode];
    await sync();
    const strange = nodes(1);
    await strange.sync();
    const { accessToken } = await strange.all[0]!.tokens.issue('ada');
    let looks = 0;
    const look = store.keyRing.bind(store);
    store.keyRing = (issuer) => {
      looks++;
      return look(issuer);
    };
    for (let i = 0; i < 50; i++) expect(await other.access(accessToken)).toBe('token.key-unknown');
    expect(looks).toBe(1);
    clock.seconds += 1;
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => other.access(accessToken)));
    expect(new Set(verdicts)).toEqual(new Set(['token.key-unknown']));
    expect(looks).toBe(2);
    expect(await one.access((await one.tokens.issue('ada')).accessToken)).toBe('good');
  });

  it('R-OA-07 a key that was removed is refused everywhere, also for tokens that were known already', async () => {
    const { all, sync } = nodes(2);
    const [one, other] = all as [TokenNode, TokenNode];
    await sync();
    const { accessToken } = await one.tokens.issue('ada');
    expect(await other.access(accessToken)).toBe('good');
    expect(other.verifier.cached(accessToken)).toBeDefined();
    const [leaked] = kidsOf(one);
    expect(await one.tokens.removeSigningKey('none')).toBe(false);
    expect(await one.tokens.removeSigningKey(leaked!)).toBe(true);
    expect(await one.access(accessToken)).toBe('token.key-unknown');
    await sync();
    expect(other.verifier.cached(accessToken)).toBeUndefined();
    expect(await other.access(accessToken)).toBe('token.key-unknown');
    expect(kidsOf(other)).not.toContain(leaked);
    expect(await other.access((await one.tokens.issue('ada')).accessToken)).toBe('good');
    expect(one.seen.at(-2)).toMatchObject({ type: 'signing-key.removed', kid: leaked });
  });

  it('R-OA-07 a key that was added by hand signs after it has been published for a while', async () => {
    const { clock, all, sync } = nodes(2, { signingKeys: { publishAhead: '1h' } });
    const [one, other] = all as [TokenNode, TokenNode];
    await sync();
    const added = await one.tokens.rotateSigningKey();
    await sync();
    expect(kidsOf(other)).toContain(added);
    expect(kidOf((await other.tokens.issue('ada')).accessToken)).not.toBe(added);
    clock.seconds += HOUR;
    expect(kidOf((await other.tokens.issue('ada')).accessToken)).toBe(added);
    const again = await other.tokens.rotateSigningKey();
    expect(kidsOf(other)).toContain(again);
  });

  it('R-RT-11 without the store nothing is signed before there are keys, and everything after', async () => {
    const { store, all, sync } = nodes(1);
    const [node] = all as [TokenNode];
    const works = store.keyRing.bind(store);
    store.keyRing = () => Promise.reject(new Error('connection refused'));
    await sync();
    const failure = await node.tokens.issue('ada').catch((error: SecurityError) => error.code);
    expect(failure).toBe('UNAVAILABLE');
    store.keyRing = works;
    await sync();
    store.keyRing = () => Promise.reject(new Error('connection refused'));
    await sync();
    expect(await node.access((await node.tokens.issue('ada')).accessToken)).toBe('good');
    expect(node.seen.filter(({ type }) => type === 'store.failed').length).toBeGreaterThanOrEqual(2);
  });
});

describe('a ring in the store', () => {
  it('R-JW-26 holds no key that could be read, and takes none that was put there', async () => {
    const { clock, store, all, sync, encryptionKey } = nodes(1);
    await sync();
    const issuer = all[0]!.issuer.issuer;
    const stored = (await store.keyRing(issuer))!;
    for (const part of stored.content.split('.')) {
      expect(Buffer.from(part, 'base64url').toString('latin1')).not.toMatch(/"(d|kty|kid|jwk)"/);
    }
    const { accessToken } = await all[0]!.tokens.issue('ada');
    const foreign = new KeyRingSeal(issuer, [randomBytes(32)]);
    const forged = await foreign.seal([makeRingKey('ES256', clock.now())], stored.version + 1);
    await store.replaceKeyRing(issuer, forged);
    await sync();
    expect(await all[0]!.access(accessToken)).toBe('good');
    expect(all[0]!.seen.at(-1)).toMatchObject({ type: 'store.failed', store: 'tokens' });
    const late = tokenNode({ store, signingKeys: { encryptionKey } }, clock);
    await late.sync.run();
    await expect(late.tokens.issue('ada')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('R-JW-26 is not taken back to what it was, nor from another issuer', async () => {
    const seal = new KeyRingSeal('https://a.example', [randomBytes(32)]);
    const stored = await seal.seal([makeRingKey('ES256', 0)], 7);
    expect(await seal.open(stored)).toHaveLength(1);
    await expect(seal.open({ ...stored, version: 8 })).rejects.toThrow('cannot be opened');
    for (const content of ['', 'a.b.c.d.e', stored.content.slice(0, -1), `${stored.content}.x`]) {
      await expect(seal.open({ version: 7, content })).rejects.toThrow('cannot be opened');
    }
  });

  it('R-JW-26 can change the secret that it is encrypted with', async () => {
    const { clock, store, all, sync, encryptionKey } = nodes(1);
    await sync();
    const { accessToken } = await all[0]!.tokens.issue('ada');
    const next = tokenNode(
      { store, signingKeys: { encryptionKey: [randomBytes(32), encryptionKey] } },
      clock,
    );
    await next.sync.run();
    expect(await next.access(accessToken)).toBe('good');
  });
});

describe('when keys change', () => {
  const schedule = { algorithm: 'ES256', rotateEvery: 100, publishAhead: 10, outlive: 5 } as const;

  it('R-OA-07 there is always exactly one that signs, and it was published before', () => {
    let keys = upkeep([], 0, schedule);
    const published = new Map(keys.map(({ kid }) => [kid, 0]));
    const signed = new Set<string>();
    for (let now = 0; now < 1_000; now += 3) {
      keys = upkeep(keys, now, schedule);
      for (const { kid } of keys) if (!published.has(kid)) published.set(kid, now);
      const { kid } = signingKeyAt(keys, now)!;
      if (!signed.has(kid) && signed.size > 0) expect(now - published.get(kid)!).toBeGreaterThanOrEqual(10);
      signed.add(kid);
      expect(keys.length).toBeLessThanOrEqual(2);
    }
    expect(signed.size).toBe(10);
  });

  it('R-OA-07 after a long sleep a new key is published before it signs', () => {
    const keys = upkeep(upkeep([], 0, schedule), 10_000, schedule);
    expect(keys.map(({ signsFrom }) => signsFrom)).toEqual([0, 10_010]);
  });

  it('a ring that was not told where its keys are has none', () => {
    expect(() => new SigningKeyRing(new TestClock()).signer()).toThrow('cannot be had');
  });
});
