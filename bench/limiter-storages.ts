// Counters in memory side by side: time of a check, memory of a key, pauses, and what is given back when the window has passed.
import { spawnSync } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { idlePauseMs, memoryReadNs } from './measure/machine.js';

const WINDOW_MS = 20_000;
const LIMIT = 1_000_000;
const CONTESTANTS = ['ours', '@nestjs/throttler', 'express-rate-limit', 'rate-limiter-flexible'];

interface Opened {
  readonly check: (key: string) => unknown;
  /** The same key under three limits at once; there if that is one call. */
  readonly checkThree?: (key: string) => unknown;
  readonly waits: boolean;
  readonly close: () => void;
}

interface Measured {
  readonly ns: number;
  readonly nsOfThree: number | undefined;
  readonly bytes: number;
  readonly pauseMs: number;
  readonly lapsePauseMs: number;
  readonly left: number;
}

async function open(name: string, maxKeys: number, windowMs: number): Promise<Opened> {
  switch (name) {
    case 'ours': {
      const { createMeter, MemoryRateLimitStorage } = await import('nestjs-api-security');
      const storage = new MemoryRateLimitStorage({ maxKeys: Math.min(10_000_000, maxKeys + 1_000) });
      const meter = createMeter({ bucket: 'q2W0cXk9aB1z', limit: LIMIT, windowMs });
      const check = (subject: string) => storage.consume([{ meter, subject, cost: 1 }]);
      const others = [60_000, 3_600_000].map((ms) =>
        createMeter({ bucket: 'q2W0cXk9aB1z', limit: LIMIT, windowMs: windowMs + ms }),
      );
      const checkThree = (subject: string) =>
        storage.consume([meter, ...others].map((one) => ({ meter: one, subject, cost: 1 })));
      return { check, checkThree, waits: false, close: () => storage.close() };
    }
    case '@nestjs/throttler': {
      const { ThrottlerStorageService } = await import('@nestjs/throttler');
      const storage = new ThrottlerStorageService();
      const check = (key: string) => storage.increment(key, windowMs, LIMIT, windowMs, 'default');
      return { check, waits: true, close: () => storage.onApplicationShutdown() };
    }
    case 'express-rate-limit': {
      const { MemoryStore } = await import('express-rate-limit');
      const storage = new MemoryStore();
      storage.init({ windowMs } as never);
      return { check: (key) => storage.increment(key), waits: true, close: () => storage.shutdown() };
    }
    default: {
      const { RateLimiterMemory } = await import('rate-limiter-flexible');
      const limiter = new RateLimiterMemory({ points: LIMIT, duration: windowMs / 1_000 });
      return { check: (key) => limiter.consume(key), waits: true, close: () => undefined };
    }
  }
}

function used(): number {
  const { gc } = globalThis as { gc?: () => void };
  for (let i = 0; i < 4; i++) gc?.();
  const { heapUsed, external } = process.memoryUsage();
  // Array buffers are part of `external`.
  return heapUsed + external;
}

async function measure(name: string, keys: number): Promise<Measured> {
  const windowMs = (keys > 1_000_000 ? 12 : keys === 1_000_000 ? 3 : 1) * WINDOW_MS;
  // As the guard makes them: the id of an API key.
  const keyOf = (i: number) => `k:${((i * 2_654_435_761) % 4_294_967_296).toString(36).padStart(16, '0')}`;
  // The code itself is loaded first: it is no part of a key.
  (await open(name, 1_000, windowMs)).close();
  const before = used();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const { check, waits, close } = await open(name, keys, windowMs);
  // A server is not filled in one go: between batches the loop turns, as it would between requests.
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  delay.enable();
  for (let i = 0; i < keys; i++) {
    const result = check(keyOf(i));
    if (waits) await result;
    if (i % 100 === 0) await turn();
  }
  delay.disable();
  const bytes = (used() - before) / keys;
  const ns = await timeOf(check, waits, keys, keyOf);
  const lapse = monitorEventLoopDelay({ resolution: 1 });
  lapse.enable();
  await new Promise((resolve) => setTimeout(resolve, windowMs + 6_000));
  lapse.disable();
  const left = (used() - before) / keys;
  close();
  const nsOfThree = keys > 1_000_000 ? undefined : await timeOfThree(name, keys, keyOf);
  // The monitor tells the time between two of its looks, which are a millisecond apart when nothing holds it up.
  return { ns, nsOfThree, bytes, pauseMs: delay.max / 1e6 - 1, lapsePauseMs: lapse.max / 1e6 - 1, left };
}

/** Nanoseconds of a check of keys in no order: fifty thousand of them, spread over all. */
async function timeOf(
  check: (key: string) => unknown,
  waits: boolean,
  keys: number,
  keyOf: (i: number) => string,
): Promise<number> {
  // Each text in one piece, as it is for a principal whom the cache knows: one put together from parts is copied by whoever reads it first.
  const sample = Array.from({ length: 50_000 }, (_, i) =>
    Buffer.from(keyOf((i * 7_919) % keys), 'latin1').toString('latin1'),
  );
  for (const key of sample) await check(key);
  const checks = 1_000_000;
  const started = process.hrtime.bigint();
  if (waits) for (let i = 0; i < checks; i++) await check(sample[i % sample.length]!);
  else for (let i = 0; i < checks; i++) check(sample[i % sample.length]!);
  return Number(process.hrtime.bigint() - started) / checks;
}

/** Nanoseconds of a check of a key under three limits, where so many keys have all three counters. */
async function timeOfThree(
  name: string,
  keys: number,
  keyOf: (i: number) => string,
): Promise<number | undefined> {
  const { checkThree, close } = await open(name, 3 * keys, 12 * WINDOW_MS);
  if (checkThree === undefined) return undefined;
  for (let i = 0; i < keys; i++) checkThree(keyOf(i));
  const ns = await timeOf(checkThree, false, keys, keyOf);
  close();
  return ns;
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    large: { type: 'boolean' },
    child: { type: 'string' },
    keys: { type: 'string' },
    json: { type: 'string' },
  },
});

if (values.child) {
  process.stdout.write(JSON.stringify(await measure(values.child, Number(values.keys))));
  process.exit(0);
}

const sizes = values.quick
  ? [1_000, 100_000]
  : [1_000, 100_000, 1_000_000, ...(values.large ? [10_000_000] : [])];
console.log('\n### Limiter storages in memory\n');
console.log(
  `Just before, an idle loop on this machine was held up for ${(await idlePauseMs(20_000)).toFixed(1)} ms at most.`,
);
for (const keys of sizes)
  console.log(
    `One dependent read in the memory of ${keys} counters (56 bytes each): ${memoryReadNs(keys * 56).toFixed(0)} ns.`,
  );
console.log();
console.log(
  '| storage | keys | ns per check | ns with 3 limits | bytes per key | longest pause while filling, ms | and while keys lapse | bytes per key after the window |',
);
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const keys of sizes) {
  // Nobody else gets to so many.
  for (const name of keys > 1_000_000 ? ['ours'] : CONTESTANTS) {
    // The throttler keeps a timestamp for every hit and filters them all: a million hits on few keys would not end.
    if (name === '@nestjs/throttler' && keys < 100_000) {
      console.log(`| ${name} | ${keys} | not measured: its time grows with the hits of a key | | | | | |`);
      continue;
    }
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--expose-gc',
        '--max-old-space-size=8192',
        fileURLToPath(import.meta.url),
        '--child',
        name,
        '--keys',
        String(keys),
      ],
      { encoding: 'utf8', timeout: 600_000 },
    );
    if (status !== 0) {
      console.log(`| ${name} | ${keys} | failed | | | | | |`);
      console.error(stderr);
      continue;
    }
    const { ns, nsOfThree, bytes, pauseMs, lapsePauseMs, left } = JSON.parse(stdout) as Measured;
    console.log(
      `| ${name} | ${keys} | ${ns.toFixed(0)} | ${nsOfThree?.toFixed(0) ?? ''} | ${bytes.toFixed(0)} | ${pauseMs.toFixed(1)} | ${lapsePauseMs.toFixed(1)} | ${left.toFixed(0)} |`,
    );
  }
}
