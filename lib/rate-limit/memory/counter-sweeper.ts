import { AsyncResource } from 'node:async_hooks';

const ROUND_MS = 2_000;
const PAUSE_MS = 10;
const SLICE_MS = 0.5;

/**
 * The one timer of a storage: goes round all counters in slices of about a millisecond at most, and rests when there are none.
 * It runs in the context in which the storage was made, so that no request's `AsyncLocalStorage` lives on in it.
 */
export class CounterSweeper {
  readonly #context = new AsyncResource('RateLimitSweep', { requireManualDestroy: true });
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param sweep looks at some records, in a fraction of a millisecond, and tells what there is left to do */
  constructor(private readonly sweep: () => 'more' | 'round' | 'empty') {}

  /** Starts the timer unless it runs. */
  wake(): void {
    if (this.#timer === undefined && !this.#stopped) this.#schedule(ROUND_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(ms: number): void {
    this.#timer = this.#context.runInAsyncScope(() => setTimeout(() => this.#run(), ms)).unref();
  }

  #run(): void {
    this.#timer = undefined;
    // The slice is measured in real time: it is about pauses, not about windows.
    const deadline = performance.now() + SLICE_MS;
    while (performance.now() < deadline) {
      const left = this.sweep();
      if (left === 'more') continue;
      if (left === 'round') this.#schedule(ROUND_MS);
      return;
    }
    this.#schedule(PAUSE_MS);
  }
}
