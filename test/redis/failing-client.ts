import type { Redis } from 'ioredis';

import type { IoredisClient } from '../../lib/redis/ioredis-connection.js';

/** Where a process dies: before its command leaves, or before the answer comes. */
export type Death = 'before the command' | 'before the answer';

/** A client that stops for good at its n-th command, counted from 1, as if its process had died there. */
export function dyingClient(
  client: Redis,
  step: number,
  death: Death,
): IoredisClient & { readonly died: boolean } {
  let commands = 0;
  const dying = async <Reply>(command: () => Promise<Reply>): Promise<Reply> => {
    commands++;
    if (commands > step || (commands === step && death === 'before the command')) throw new Error('died');
    const reply = await command();
    if (commands >= step) throw new Error('died');
    return reply;
  };
  return {
    status: 'ready',
    get died() {
      return commands >= step;
    },
    // Always by source, so that the number of commands does not depend on what the server has seen.
    evalsha: () => Promise.reject(new Error('NOSCRIPT')),
    eval: (source: string, keys: number, ...rest: string[]) =>
      dying(() => client.eval(source, keys, ...rest)),
    duplicate: () => {
      throw new Error('not for subscriptions');
    },
    connect: () => Promise.resolve(),
    disconnect: () => undefined,
    subscribe: () => Promise.resolve(),
    on: () => undefined,
  };
}
