import { generateKeyPairSync } from 'node:crypto';

import { MemoryTokenStore } from '../../../lib/authentication/jwt/memory-token-store.js';
import type { TokenStore } from '../../../lib/authentication/jwt/token-store.js';
import { systemClock } from '../../../lib/clock.js';
import { RedisTokenStore } from '../../../lib/redis/redis-token-store.js';
import { openSqlDatabase, SqlTokenStore } from '../../../lib/sql/index.js';
import { tokenNode } from './token-node.js';

// A process of an application: does with tokens what its parent says, and can die after any call of its store.
const [url = '', prefix = '', grace = '0', mortal = ''] = process.argv.slice(2);
const opened = url.startsWith('redis:')
  ? await RedisTokenStore.open(url, { prefix })
  : new SqlTokenStore(
      await openSqlDatabase(url, { tablePrefix: prefix, poolSize: 5, statementTimeout: '30s' }),
    );
let callsLeft = Number.POSITIVE_INFINITY;
const methods = Object.getOwnPropertyNames(MemoryTokenStore.prototype) as (keyof TokenStore)[];
const store = Object.fromEntries(
  methods.flatMap((name) => {
    const method = opened[name] as ((...args: unknown[]) => Promise<unknown>) | undefined;
    if (typeof method !== 'function' || name === 'subscribe') return [];
    const call = async (...args: unknown[]) => {
      const answer = method.apply(opened, args);
      // Before the answer is there: what was asked may happen or not.
      if (mortal === 'asking' && --callsLeft <= 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1);
      const outcome = await answer;
      if (mortal === 'answered' && --callsLeft <= 0) process.kill(process.pid, 'SIGKILL');
      return outcome;
    };
    return [[name, call]];
  }),
) as unknown as TokenStore;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
// What is shown is that nothing works twice, not how fast: disks of busy machines may take their time.
const node = tokenNode({ store, refreshGrace: Number(grace), storeTimeout: '1m' }, systemClock, privateKey);

/** What the parent asks. */
export interface TokenOrder {
  readonly refresh?: { readonly token: string; readonly times: number };
  readonly issue?: string;
  readonly revokeAllOf?: string;
  /** Calls of the store after which to die. */
  readonly dieAfter?: number;
}

process.on('message', (order: TokenOrder) => {
  void (async () => {
    callsLeft = order.dieAfter ?? Number.POSITIVE_INFINITY;
    if (order.issue !== undefined) {
      process.send!(await node.tokens.issue(order.issue));
    } else if (order.revokeAllOf !== undefined) {
      await node.tokens.revokeAllOf(order.revokeAllOf);
      process.send!('done');
    } else if (order.refresh) {
      const { token, times } = order.refresh;
      const outcomes = await Promise.all(
        Array.from({ length: times }, () =>
          node.tokens.refresh(token).then(
            ({ refreshToken }) => refreshToken,
            (error: { extras?: { reason?: string } }) => `no: ${error.extras?.reason}`,
          ),
        ),
      );
      process.send!(outcomes);
    }
  })();
});
process.on('disconnect', () => process.exit());
process.send!('ready');
