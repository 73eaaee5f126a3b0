import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createMeter, MemoryRateLimitStorage } from 'nestjs-api-security';

import { Lease } from './lease-limiter.js';
import type { Mode } from './scenario.js';

const SAMPLE = 200_000;

/** Bytes that one thing takes on a node, by mode: 0 where a node keeps nothing. */
export type BytesPerCounter = Readonly<Record<Mode, number>>;

/** Measures, in this process, a counter of the module and what the model's nodes keep of a lease. */
export function measureCounters(): BytesPerCounter {
  const meter = createMeter({ bucket: 'measured', limit: 100, windowMs: 86_400_000 });
  const storage = new MemoryRateLimitStorage({ maxKeys: 2 * SAMPLE });
  const local = bytesPer((i) => storage.consume([{ meter, subject: `k:${i}`, cost: 1 }]));
  storage.close();
  const leases = new Map<number, Lease>();
  const lease = bytesPer((i) => leases.set(i, new Lease()));
  return { exact: 0, lease, local, 'fixed window': 0 };
}

function bytesPer(make: (i: number) => unknown): number {
  const before = used();
  for (let i = 0; i < SAMPLE; i++) make(i);
  return Math.round((used() - before) / SAMPLE);
}

function used(): number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
