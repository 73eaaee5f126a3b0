import { monitorEventLoopDelay } from 'node:perf_hooks';

const LINE_WORDS = 16;

/** Nanoseconds of one read at a place in so much memory that only the read before it names: no counter is looked up faster. */
export function memoryReadNs(bytes: number): number {
  const lines = Math.floor(bytes / 4 / LINE_WORDS);
  const order = Uint32Array.from({ length: lines }, (_, i) => i);
  // One ring through all of them (Sattolo).
  for (let i = lines - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const memory = new Uint32Array(lines * LINE_WORDS);
  for (let i = 0; i < lines; i++) memory[i * LINE_WORDS] = order[i]! * LINE_WORDS;
  const follow = (from: number, reads: number) => {
    let at = from;
    for (let i = 0; i < reads; i++) at = memory[at]!;
    return at;
  };
  const reads = 2_000_000;
  const start = follow(0, reads);
  const started = process.hrtime.bigint();
  const end = follow(start, reads);
  const ns = Number(process.hrtime.bigint() - started) / reads;
  return end < 0 ? Number.NaN : ns;
}

/** Milliseconds that a loop with nothing to do was held up at most: what this machine adds to every other such figure. */
export async function idlePauseMs(ms: number): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, ms));
  delay.disable();
  return delay.max / 1e6 - 1;
}
