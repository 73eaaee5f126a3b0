import { randomBytes } from 'node:crypto';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Revocation } from '../../../lib/authentication/jwt/revocation-store.js';
import {
  MAX_SESSIONS_OF_SUBJECT,
  type RefreshTokenDigests,
  type Rotation,
  type TokenSession,
} from '../../../lib/authentication/jwt/session-store.js';
import type { TokenStore } from '../../../lib/authentication/jwt/token-store.js';

/** A store with nothing in it. */
export interface OpenTokenStore {
  readonly store: TokenStore;
  /** A further one over the same data, as another process has it. */
  readonly another?: () => Promise<TokenStore>;
  /** Closes all of them, and removes the data. */
  readonly close: () => Promise<void>;
}

const NOW = Date.UTC(2026, 10, 24, 12);
const DAY_MS = 86_400_000;
const ISSUER = 'https://id.example/Ω?x=%_';

export const digest = (): string => randomBytes(32).toString('base64url');
export const digests = (): RefreshTokenDigests => ({ family: digest(), token: digest() });

/** A session as a store gets it; `changes` may say anything about it. */
export function tokenSession(changes: Partial<TokenSession> = {}): TokenSession {
  return {
    id: randomBytes(16).toString('base64url'),
    subject: 'ada',
    clientId: 'app',
    audience: ['https://api.example'],
    scopes: ['a'],
    roles: [],
    claims: {},
    device: undefined,
    address: undefined,
    lastAddress: undefined,
    createdAt: NOW,
    lastUsedAt: NOW,
    idleUntil: NOW + 14 * DAY_MS,
    expiresAt: NOW + 90 * DAY_MS,
    ...changes,
  };
}

export const revocation = (name: string, changes: Partial<Revocation> = {}): Revocation => ({
  kind: 'session',
  issuer: ISSUER,
  name,
  at: NOW,
  until: NOW + DAY_MS,
  ...changes,
});

const FULL: Partial<TokenSession> = {
  subject: 'ada@example.com/Ω 🙂 ',
  clientId: 'Ünï ✓ 鍵 \' " \\ -- %_',
  audience: ['https://api.example/a', 'urn:b'],
  scopes: ['orders:read', '~!#$'],
  roles: ['rôle', 'a,b', '"'],
  claims: { locale: 'nb', nested: { a: [1, null, 'two\n'] }, constructor: 'x', nul: 'a\0b' },
  device: 'Firefox på Linux 🦊',
  address: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
  lastAddress: '203.0.113.255',
  createdAt: NOW - 3,
  lastUsedAt: NOW - 2,
  idleUntil: NOW + 1,
  expiresAt: 8_640_000_000_000_000,
};

/**
 * What every store does, whatever it keeps things in.
 *
 * @param open called before each test
 * @param options.subscribes whether the store tells of what others write
 */
export function describeTokenStore(
  name: string,
  open: () => Promise<OpenTokenStore>,
  { subscribes }: { readonly subscribes?: boolean } = {},
): void {
  describe(`${name} of tokens`, () => {
    let opened: OpenTokenStore;
    let store: TokenStore;
    beforeEach(async () => {
      opened = await open();
      ({ store } = opened);
    });
    afterEach(() => opened.close());

    const begin = async (changes: Partial<TokenSession> = {}) => {
      const session = tokenSession(changes);
      const presented = digests();
      await store.createSession(session, presented);
      return { session, presented };
    };
    const rotation = (presented: RefreshTokenDigests, changes: Partial<Rotation> = {}): Rotation => ({
      presented,
      successor: digest(),
      grace: undefined,
      now: NOW + 10,
      idleUntil: NOW + 20 * DAY_MS,
      address: undefined,
      ifReused: revocation('reused'),
      ...changes,
    });
    const both = async (): Promise<(index: number) => TokenStore> => {
      const other = (await opened.another?.()) ?? store;
      return (index) => (index % 2 === 0 ? store : other);
    };
    /** Everything that was revoked and has not lapsed, by page, each once. */
    const revoked = async (from = store, now = NOW): Promise<Revocation[]> => {
      const found = new Map<string, Revocation>();
      for (let cursor: string | undefined, more = true; more;) {
        const page = await from.revocationsSince(cursor, now);
        for (const one of page.revocations) found.set(`${one.kind} ${one.issuer} ${one.name}`, one);
        ({ cursor, more } = page);
      }
      return [...found.values()];
    };
    const names = async (from = store, now = NOW): Promise<string[]> =>
      (await revoked(from, now)).map((one) => `${one.kind} ${one.name}`).toSorted();

    describe('sessions', () => {
      it('R-RT-01 keeps every field as it was given, the empty ones as undefined', async () => {
        for (const changes of [FULL, {}, { scopes: undefined, roles: undefined }]) {
          const { session, presented } = await begin(changes);
          expect(await store.findSession(presented.family, NOW)).toStrictEqual(session);
          expect(await store.listSessions(session.subject, NOW)).toContainEqual(session);
        }
      });

      it('R-RT-01 keeps the largest session that a token can stand for', async () => {
        const { session, presented } = await begin({
          subject: '鍵'.repeat(255),
          clientId: '🔑'.repeat(127),
          device: '鍵'.repeat(255),
          audience: Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(512, 'x')),
          scopes: Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(128, '~')),
          claims: { long: '\u0001'.repeat(8_000) },
        });
        expect(await store.findSession(presented.family, NOW)).toStrictEqual(session);
        expect(await store.listSessions(session.subject, NOW)).toStrictEqual([session]);
      });

      it('R-RT-02 finds nothing by a digest that is none of a family', async () => {
        const { session, presented } = await begin();
        for (const wrong of [presented.token, session.id, '', 'x'.repeat(43), "' or 1=1 --", '*', 'a\0b']) {
          expect(await store.findSession(wrong, NOW)).toBeUndefined();
          expect(await store.rotateSession(rotation({ ...presented, family: wrong }))).toEqual({
            status: 'unknown',
          });
        }
        expect(await store.findSession(presented.family, NOW)).toStrictEqual(session);
      });

      it('R-RT-03 puts the successor in the place of the newest token, and notes the use', async () => {
        const { session, presented } = await begin({ address: '192.0.2.1', lastAddress: '192.0.2.1' });
        const first = rotation(presented, { address: '192.0.2.2' });
        expect(await store.rotateSession(first)).toEqual({ status: 'rotated' });
        const used = {
          ...session,
          lastUsedAt: NOW + 10,
          lastAddress: '192.0.2.2',
          idleUntil: NOW + 20 * DAY_MS,
        };
        expect(await store.findSession(presented.family, NOW)).toStrictEqual(used);
        const second = rotation({ ...presented, token: first.successor }, { now: NOW + 11 });
        expect(await store.rotateSession(second)).toEqual({ status: 'rotated' });
        expect(await store.findSession(presented.family, NOW)).toStrictEqual({
          ...used,
          lastUsedAt: NOW + 11,
        });
        expect(await revoked()).toEqual([]);
      });

      it('R-RT-04 ends the session and revokes it in one step when a spent token comes back', async () => {
        const { session, presented } = await begin();
        const { session: other, presented: otherToken } = await begin();
        const first = rotation(presented);
        await store.rotateSession(first);
        const again = rotation(presented, { ifReused: revocation(session.id) });
        const outcome = await store.rotateSession(again);
        expect(outcome).toStrictEqual({
          status: 'reused',
          session: { ...session, lastUsedAt: NOW + 10, idleUntil: NOW + 20 * DAY_MS },
        });
        expect(await revoked()).toStrictEqual([revocation(session.id)]);
        const newest = { ...presented, token: first.successor };
        expect(await store.rotateSession(rotation(newest))).toEqual({ status: 'unknown' });
        expect(await store.findSession(presented.family, NOW)).toBeUndefined();
        expect(await store.listSessions('ada', NOW)).toStrictEqual([other]);
        expect(await store.rotateSession(rotation(otherToken))).toEqual({ status: 'rotated' });
      });

      it('R-RT-05 lets exactly one of many uses of a token succeed, and ends the session by the others', async () => {
        const pick = await both();
        for (let round = 0; round < 10; round++) {
          const { session, presented } = await begin();
          const outcomes = await Promise.all(
            Array.from({ length: 20 }, (_, i) =>
              pick(i).rotateSession(rotation(presented, { ifReused: revocation(session.id) })),
            ),
          );
          const count = (status: string) => outcomes.filter((outcome) => outcome.status === status).length;
          expect([count('rotated'), count('reused'), count('unknown')]).toEqual([1, 1, 18]);
          expect(await store.findSession(presented.family, NOW)).toBeUndefined();
          expect(await names()).toContain(`session ${session.id}`);
        }
      });

      it('R-RT-05 answers a repeat within the grace with the same salt, and no branch begins', async () => {
        const { session, presented } = await begin();
        const grace = { salt: randomBytes(32).toString('base64url'), until: NOW + 1_000 };
        const first = rotation(presented, { grace });
        await store.rotateSession(first);
        const state = await store.findSession(presented.family, NOW);
        for (const now of [NOW + 11, NOW + 999]) {
          const repeat = rotation(presented, { now, grace: { salt: 'other', until: now + 1_000 } });
          expect(await store.rotateSession(repeat)).toStrictEqual({ status: 'repeated', salt: grace.salt });
        }
        expect(await store.findSession(presented.family, NOW)).toStrictEqual(state);
        const newest = rotation({ ...presented, token: first.successor }, { now: NOW + 500, grace });
        expect(await store.rotateSession(newest)).toEqual({ status: 'rotated' });
        // Two steps back is no retry, however short ago.
        const late = rotation(presented, { now: NOW + 501, ifReused: revocation(session.id) });
        expect(await store.rotateSession(late)).toMatchObject({ status: 'reused' });
        expect(await names()).toEqual([`session ${session.id}`]);
      });

      it('R-RT-05 takes a repeat after the grace, or without one, as theft', async () => {
        for (const grace of [{ salt: 's', until: NOW + 100 }, undefined]) {
          const { presented } = await begin();
          await store.rotateSession(rotation(presented, { grace }));
          expect(await store.rotateSession(rotation(presented, { now: NOW + 100 }))).toMatchObject({
            status: 'reused',
          });
        }
      });

      it('R-RT-05 lets many repeats within the grace have the one successor', async () => {
        const pick = await both();
        const { presented } = await begin();
        const uses = Array.from({ length: 20 }, (_, i) =>
          rotation(presented, { grace: { salt: `salt-${i}`, until: NOW + 1_000 } }),
        );
        const outcomes = await Promise.all(uses.map((use, i) => pick(i).rotateSession(use)));
        const winner = outcomes.findIndex(({ status }) => status === 'rotated');
        for (const [index, outcome] of outcomes.entries()) {
          expect(outcome).toEqual(
            index === winner ? { status: 'rotated' } : { status: 'repeated', salt: `salt-${winner}` },
          );
        }
        const next = rotation({ ...presented, token: uses[winner]!.successor });
        expect(await store.rotateSession(next)).toEqual({ status: 'rotated' });
      });

      it('R-RT-06 never moves the end of idleness behind the absolute one, and lapses at either', async () => {
        const { presented } = await begin({ idleUntil: NOW + 50, expiresAt: NOW + 100 });
        expect(await store.findSession(presented.family, NOW + 49)).toBeDefined();
        expect(await store.findSession(presented.family, NOW + 50)).toBeUndefined();
        expect(await store.listSessions('ada', NOW + 50)).toEqual([]);
        expect(await store.rotateSession(rotation(presented, { now: NOW + 50 }))).toEqual({
          status: 'unknown',
        });
        const first = rotation(presented, { now: NOW + 49, idleUntil: NOW + 1_000 });
        expect(await store.rotateSession(first)).toEqual({ status: 'rotated' });
        expect(await store.findSession(presented.family, NOW + 99)).toMatchObject({ idleUntil: NOW + 100 });
        const late = rotation({ ...presented, token: first.successor }, { now: NOW + 100 });
        expect(await store.rotateSession(late)).toEqual({ status: 'unknown' });
        expect(await revoked()).toEqual([]);
      });

      it('R-RT-08 ends one session by its id and revokes it, whether there is one or not', async () => {
        const { session, presented } = await begin();
        const { session: other } = await begin();
        expect(await store.endSession(session.id, revocation(session.id))).toStrictEqual(session);
        expect(await store.endSession(session.id, revocation(session.id))).toBeUndefined();
        expect(await store.endSession('never', revocation('never'))).toBeUndefined();
        expect(await store.rotateSession(rotation(presented))).toEqual({ status: 'unknown' });
        expect(await store.listSessions('ada', NOW)).toStrictEqual([other]);
        expect(await names()).toEqual([`session ${session.id}`, 'session never'].toSorted());
      });

      it('R-RT-08 ends all sessions of a subject and nobody else’s', async () => {
        const own = [await begin(), await begin(), await begin()];
        for (const subject of ['Ada', 'ada ', 'ada%', 'bob']) await begin({ subject });
        const all = revocation('ada', { kind: 'subject' });
        const ended = await store.endSessionsOf('ada', all);
        expect(new Set(ended)).toEqual(new Set(own.map(({ session }) => session)));
        const expected = own.map(({ session }) => revocation(session.id));
        expect(new Set(await revoked())).toEqual(new Set([all, ...expected]));
        for (const { presented } of own) {
          expect(await store.rotateSession(rotation(presented))).toEqual({ status: 'unknown' });
        }
        for (const subject of ['Ada', 'ada ', 'ada%', 'bob']) {
          expect(await store.listSessions(subject, NOW)).toHaveLength(1);
        }
        expect(await store.endSessionsOf('ada', all)).toEqual([]);
      });

      it('R-RT-08 ends what is being refreshed or ended at the same time', async () => {
        const pick = await both();
        for (let round = 0; round < 5; round++) {
          const begun = await Promise.all(Array.from({ length: 6 }, () => begin()));
          await Promise.all([
            ...begun.map(({ presented }, i) => pick(i).rotateSession(rotation(presented))),
            pick(round).endSessionsOf('ada', revocation('ada', { kind: 'subject' })),
            pick(round + 1).endSession(begun[0]!.session.id, revocation(begun[0]!.session.id)),
          ]);
          expect(await store.listSessions('ada', NOW)).toEqual([]);
          const told = await names();
          for (const { session } of begun) expect(told).toContain(`session ${session.id}`);
        }
      });

      it('R-RT-12 lists sessions, the one used last first', async () => {
        const [a, b, c] = [
          await begin({ lastUsedAt: NOW - 3 }),
          await begin({ lastUsedAt: NOW - 2 }),
          await begin(),
        ];
        await store.rotateSession(rotation(a.presented));
        const ids = (await store.listSessions('ada', NOW)).map(({ id }) => id);
        expect(ids).toEqual([a, c, b].map(({ session }) => session.id));
        expect(await store.listSessions('nobody', NOW)).toEqual([]);
        expect(await store.listSessions('a\0b', NOW)).toEqual([]);
      });

      it('R-RT-12 lets the session that was not used for longest make room', async () => {
        const sessions = [];
        for (let i = 0; i <= MAX_SESSIONS_OF_SUBJECT; i++)
          sessions.push(await begin({ lastUsedAt: NOW + i }));
        const listed = await store.listSessions('ada', NOW);
        expect(listed).toHaveLength(MAX_SESSIONS_OF_SUBJECT);
        expect(listed.map(({ id }) => id)).not.toContain(sessions[0]!.session.id);
        expect(await store.findSession(sessions[0]!.presented.family, NOW)).toBeUndefined();
        expect(await store.findSession(sessions[1]!.presented.family, NOW)).toBeDefined();
      });

      it('R-RT-03, R-RT-04 behaves like a chain, whatever is presented in whatever order', async () => {
        const step = fc.oneof(
          fc.record({ use: fc.constantFrom(0, 0, 0, 1, 2), grace: fc.boolean(), pause: fc.nat(150) }),
        );
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
            const { session, presented } = await begin({ subject: digest() });
            const spent = [presented.token];
            let now = NOW;
            let grace: { salt: string; until: number } | undefined;
            let ended = false;
            for (const [index, { use, pause, ...wants }] of steps.entries()) {
              now += pause;
              const back = Math.min(use, spent.length - 1);
              const token = spent.at(-1 - back)!;
              const asked = wants.grace ? { salt: `salt-${index}`, until: now + 100 } : undefined;
              const asking = rotation(
                { ...presented, token },
                { now, grace: asked, ifReused: revocation(session.id) },
              );
              const { status } = await store.rotateSession(asking);
              if (ended) expect(status).toBe('unknown');
              else if (back === 0) {
                expect(status).toBe('rotated');
                spent.push(asking.successor);
                grace = asked;
              } else if (back === 1 && grace && now < grace.until) expect(status).toBe('repeated');
              else {
                expect(status).toBe('reused');
                ended = true;
              }
            }
          }),
          { numRuns: 25 },
        );
      });
    });

    describe('revocations', () => {
      it('R-JW-22 tells every node of each revocation, once it is made, and only then', async () => {
        const other = (await opened.another?.()) ?? store;
        const kinds = [
          revocation('jti-1', { kind: 'token' }),
          revocation('sub Ω 🙂', { kind: 'subject', issuer: 'x'.repeat(512) }),
          revocation('s'.repeat(255)),
        ];
        let { cursor } = await other.revocationsSince(undefined, NOW);
        for (const one of kinds) {
          await store.revoke(one);
          const page = await other.revocationsSince(cursor, NOW);
          expect(page.revocations).toContainEqual(one);
          ({ cursor } = page);
          expect(cursor.length).toBeLessThanOrEqual(128);
        }
        expect(new Set(await revoked(other))).toEqual(new Set(kinds));
      });

      it('R-JW-22 leaves out what has lapsed, and keeps the later times of two', async () => {
        await store.revoke(revocation('short', { until: NOW + 10 }));
        await store.revoke(revocation('twice', { until: NOW + 10 }));
        await store.revoke(revocation('twice', { at: NOW + 5, until: NOW + 50 }));
        expect(await names(store, NOW + 9)).toEqual(['session short', 'session twice']);
        expect(await names(store, NOW + 10)).toEqual(['session twice']);
        expect((await revoked(store, NOW + 10))[0]).toMatchObject({ until: NOW + 50 });
        expect(await names(store, NOW + 50)).toEqual([]);
      });

      it('R-JW-22 misses none of those that are made while it is asked', async () => {
        const pick = await both();
        const seen = new Set<string>();
        let cursor: string | undefined;
        let writing = true;
        const reader = (async () => {
          for (let last = false; !last;) {
            last = !writing;
            // Stores that answer at once would let nobody else have a turn.
            await new Promise((resolve) => setImmediate(resolve));
            const page = await pick(1).revocationsSince(cursor, NOW);
            for (const { name: one } of page.revocations) seen.add(one);
            cursor = page.cursor;
          }
        })();
        const made = Array.from({ length: 60 }, (_, i) => `made-${i}`);
        await Promise.all(
          Array.from({ length: 6 }, async (_, worker) => {
            for (let i = worker; i < made.length; i += 6) await pick(i).revoke(revocation(made[i]!));
          }),
        );
        writing = false;
        await reader;
        expect([...seen].toSorted()).toEqual(made.toSorted());
      });
    });

    describe('signing keys', () => {
      it('R-JW-26 keeps a ring for each issuer, and replaces only the one that was read', async () => {
        const content = JSON.stringify({ keys: 'Ω 🔑'.repeat(5_000) });
        expect(await store.keyRing(ISSUER)).toBeUndefined();
        expect(await store.replaceKeyRing(ISSUER, { version: 2, content })).toBe(false);
        expect(await store.replaceKeyRing(ISSUER, { version: 1, content })).toBe(true);
        expect(await store.replaceKeyRing(ISSUER, { version: 1, content: '{}' })).toBe(false);
        expect(await store.keyRing(ISSUER)).toStrictEqual({ version: 1, content });
        expect(await store.replaceKeyRing(ISSUER, { version: 2, content: '{}' })).toBe(true);
        expect(await store.keyRing(ISSUER)).toStrictEqual({ version: 2, content: '{}' });
        expect(await store.keyRing(`${ISSUER}/`)).toBeUndefined();
      });

      it('R-JW-26 lets one of many nodes make the first ring, and each next one', async () => {
        const pick = await both();
        for (const version of [1, 2, 3]) {
          const tries = Array.from({ length: 12 }, (_, i) =>
            pick(i).replaceKeyRing(ISSUER, { version, content: `${i}` }),
          );
          const winner = (await Promise.all(tries)).flatMap((won, i) => (won ? [i] : []));
          expect(winner).toHaveLength(1);
          expect(await store.keyRing(ISSUER)).toStrictEqual({ version, content: `${winner[0]}` });
        }
      });
    });

    describe('upkeep', () => {
      it('R-RT-06 removes what has lapsed, and nothing else', async () => {
        await begin({ idleUntil: NOW + 10 });
        await begin({ subject: 'bob', idleUntil: NOW + 20 });
        const { session, presented } = await begin();
        await store.revoke(revocation('a', { until: NOW + 10 }));
        await store.revoke(revocation('b'));
        let removed = 0;
        for (let some = 1; some > 0; removed += some) some = await store.purge(NOW + 20, 2);
        // A store that drops by itself what has lapsed finds less.
        expect(removed).toBeLessThanOrEqual(3);
        expect(await store.findSession(presented.family, NOW)).toStrictEqual(session);
        expect(await store.listSessions('ada', NOW)).toStrictEqual([session]);
        expect(await names()).toEqual(['session b']);
      });

      it('closes twice without harm', async () => {
        const other = await opened.another?.();
        await other?.close?.();
        await other?.close?.();
        const { session } = await begin();
        expect(await store.listSessions('ada', NOW)).toStrictEqual([session]);
      });
    });

    it('R-JW-22 tells of changes if that was said of it', () => {
      expect(typeof store.subscribe === 'function').toBe(subscribes ?? false);
    });

    it.each(subscribes === true ? ['R-JW-22'] : [])(
      '%s calls when another process revokes or changes the keys, until it is ended',
      async () => {
        const other = (await opened.another?.()) ?? store;
        let calls = 0;
        const end = await store.subscribe!(() => calls++);
        const { session, presented } = await begin();
        const steps = [
          () => other.revoke(revocation('x')),
          () => other.endSession('y', revocation('y')),
          () => other.endSessionsOf('ada', revocation('ada', { kind: 'subject' })),
          () => other.replaceKeyRing(ISSUER, { version: 1, content: '{}' }),
          async () => {
            await other.createSession(session, presented);
            await other.rotateSession(rotation(presented));
            const before = calls;
            await other.rotateSession(rotation(presented));
            return before;
          },
        ];
        for (const step of steps) {
          const before = calls;
          await step();
          await expect.poll(() => calls, { timeout: 5_000 }).toBeGreaterThan(before);
        }
        await end();
        const after = calls;
        await other.revoke(revocation('z'));
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(calls).toBe(after);
      },
    );
  });
}
