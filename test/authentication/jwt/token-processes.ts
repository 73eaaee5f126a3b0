import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { TokenPair } from '../../../lib/authentication/jwt/token.service.js';
import type { TokenStore } from '../../../lib/authentication/jwt/token-store.js';
import { transpiled } from '../../support/transpiled.js';
import type { TokenOrder } from './token-child.js';
import { ISSUER } from './token-workshop.js';

const ROUNDS = 200;
const IN_EACH = 25;

/** Where the tokens are: the child opens it by this. */
export interface TokenPlace {
  readonly url: string;
  /** Of names of tables or keys. */
  readonly prefix: string;
  readonly open: () => Promise<TokenStore>;
}

class TokenProcess {
  private constructor(private readonly child: ChildProcess) {}

  static async start(
    script: string,
    { url, prefix }: TokenPlace,
    ...args: readonly string[]
  ): Promise<TokenProcess> {
    const child = fork(script, [url, prefix, ...args], { execArgv: [] });
    await once(child, 'message');
    return new TokenProcess(child);
  }

  /** The answer; undefined if the process died over it. */
  ask<T>(order: TokenOrder): Promise<T | undefined> {
    const { child } = this;
    return new Promise((resolve) => {
      const settle = (message?: T): void => {
        child.off('message', settle).off('exit', died);
        resolve(message);
      };
      const died = () => settle();
      child.once('message', settle).once('exit', died);
      child.send(order);
    });
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.disconnect();
    await once(this.child, 'exit');
  }
}

/** What holds for processes that share a store, and for those that are killed. */
export function describeTokenProcesses(name: string, newPlace: () => TokenPlace): void {
  describe(`processes that share ${name}`, () => {
    let compiled: ReturnType<typeof transpiled>;
    let script: string;
    beforeAll(() => {
      compiled = transpiled('lib', 'test/authentication/jwt');
      script = `${compiled.folder}/test/authentication/jwt/token-child.js`;
    });
    afterAll(() => compiled.remove());

    it('R-RT-03 R-RT-04 R-RT-05 of 50 parallel refreshes in two processes one succeeds, 200 times over', async () => {
      const place = newPlace();
      const both = await Promise.all([1, 2].map(() => TokenProcess.start(script, place)));
      const store = await place.open();
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const pair = await both[0]!.ask<TokenPair>({ issue: `user-${round}` });
          const refresh = { token: pair!.refreshToken, times: IN_EACH };
          const outcomes = (await Promise.all(both.map((one) => one.ask<string[]>({ refresh })))).flat();
          const good = outcomes.filter((outcome) => !outcome!.startsWith('no: '));
          expect(good, `round ${round}`).toHaveLength(1);
          expect(outcomes.filter((outcome) => outcome === 'no: refresh.reused').length).toBeGreaterThan(0);
          expect(await store.listSessions(`user-${round}`, Date.now())).toEqual([]);
          const [last] = (await both[1]!.ask<string[]>({ refresh: { token: good[0]!, times: 1 } }))!;
          expect(last).toBe('no: refresh.unknown');
        }
        const { revocations } = await store.revocationsSince(undefined, Date.now());
        expect(
          revocations.filter(({ kind, issuer }) => kind === 'session' && issuer === ISSUER),
        ).toHaveLength(ROUNDS);
      } finally {
        await Promise.all(both.map((one) => one.end()));
        await store.close?.();
      }
    }, 120_000);

    it.each(['answered', 'asking'])(
      'R-RT-03 R-RT-05 R-RT-11 a process that is killed when its store was %s loses no session, and no token works twice',
      async (moment) => {
        const place = newPlace();
        const store = await place.open();
        const heir = await TokenProcess.start(script, place, '10000');
        try {
          for (const dieAfter of moment === 'asking' ? [1, 2, 2, 2] : [1, 2]) {
            const subject = `killed-${moment}-${dieAfter}-${Math.random()}`;
            const pair = await heir.ask<TokenPair>({ issue: subject });
            const mortal = await TokenProcess.start(script, place, '10000', moment);
            const refresh = { token: pair!.refreshToken, times: 1 };
            await mortal.ask({ refresh, dieAfter });
            await mortal.end();
            expect(await store.listSessions(subject, Date.now())).toHaveLength(1);
            // Its client has no answer and asks again: whatever had happened, the session goes on, on one branch.
            const [second] = (await heir.ask<string[]>({ refresh }))!;
            expect(second).toMatch(/^rt_/);
            const [third] = (await heir.ask<string[]>({ refresh: { token: second!, times: 1 } }))!;
            expect(third).toMatch(/^rt_/);
            expect(await heir.ask({ refresh })).toEqual(['no: refresh.reused']);
            expect(await heir.ask({ refresh: { token: third!, times: 1 } })).toEqual(['no: refresh.unknown']);
          }
        } finally {
          await heir.end();
          await store.close?.();
        }
      },
      60_000,
    );

    it('R-RT-04 R-RT-08 a process that is killed while it ends sessions leaves each of them whole, or over and revoked', async () => {
      const place = newPlace();
      const store = await place.open();
      const heir = await TokenProcess.start(script, place);
      try {
        for (let round = 0; round < 4; round++) {
          const subject = `ended-${round}`;
          for (let i = 0; i < 10; i++) await heir.ask({ issue: subject });
          const ids = (await store.listSessions(subject, Date.now())).map(({ id }) => id);
          const mortal = await TokenProcess.start(script, place, '0', 'asking');
          await mortal.ask({ revokeAllOf: subject, dieAfter: 1 });
          await mortal.end();
          // What the server was doing may end after the process.
          await new Promise((resolve) => setTimeout(resolve, 200));
          const left = new Set((await store.listSessions(subject, Date.now())).map(({ id }) => id));
          const { revocations } = await store.revocationsSince(undefined, Date.now());
          const revoked = new Set(revocations.map((one) => one.name));
          expect([0, 10]).toContain(left.size);
          for (const id of ids) expect(revoked.has(id)).toBe(!left.has(id));
          expect(revoked.has(subject)).toBe(left.size === 0);
        }
      } finally {
        await heir.end();
        await store.close?.();
      }
    }, 60_000);
  });
}
