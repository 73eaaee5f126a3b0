import { setTimeout as sleep } from 'node:timers/promises';

import { createMeter, type LimitMeterInit } from '../../lib/policy/limit-meter.js';
import { RedisRateLimitStorage } from '../../lib/redis/index.js';
import { ioredis, ioredisCluster } from './redis-stores.js';

/** What a process is asked to do. */
export type LimitOrder =
  /** So many requests at once; answers how many passed. */
  | { readonly meter: LimitMeterInit; readonly subject: string; readonly atOnce: number }
  /** Requests of so many callers, one after the other each, until the time is up; answers when each that passed did. */
  | {
      readonly meter: LimitMeterInit;
      readonly subject: string;
      readonly callers: number;
      readonly forMs: number;
      readonly pauseMs: number;
    };

/** Milliseconds of the clock that all processes of a machine share. */
const elapsed = () => Number(process.hrtime.bigint()) / 1e6;

// A node beside others: takes orders until its parent is gone.
const [urls = '', prefix = ''] = process.argv.slice(2);
const nodes = urls.split(',').map((url) => ({ url }));
const { client, close } = await (nodes.length === 1 ? ioredis(nodes[0]!) : ioredisCluster({ nodes }));
const storage = new RedisRateLimitStorage(client, { prefix });

async function passedAtOnce(meterInit: LimitMeterInit, subject: string, atOnce: number): Promise<number> {
  const meter = createMeter(meterInit);
  const decisions = await Promise.all(
    Array.from({ length: atOnce }, async () => storage.consume([{ meter, subject, cost: 1 }])),
  );
  return decisions.filter(({ allowed }) => allowed).length;
}

async function passedUnderLoad(order: Extract<LimitOrder, { callers: number }>): Promise<number[]> {
  const meter = createMeter(order.meter);
  const passed: number[] = [];
  const end = elapsed() + order.forMs;
  const call = async (): Promise<void> => {
    while (elapsed() < end) {
      const decision = storage.consume([{ meter, subject: order.subject, cost: 1 }]);
      if ((decision instanceof Promise ? await decision : decision).allowed) passed.push(elapsed());
      await sleep(order.pauseMs * 2 * Math.random());
    }
  };
  await Promise.all(Array.from({ length: order.callers }, call));
  return passed;
}

function follow(order: LimitOrder): Promise<number | number[]> {
  return 'atOnce' in order ? passedAtOnce(order.meter, order.subject, order.atOnce) : passedUnderLoad(order);
}

process.on('message', (orders: LimitOrder[]) => {
  void Promise.all(orders.map(follow)).then((answers) => process.send!(answers));
});
process.once('disconnect', () => {
  void storage.close().finally(() => close());
});
process.send!('ready');
