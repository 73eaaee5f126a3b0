import type { SecurityClock } from '../../clock.js';
import type { ApiKeyUse } from './api-key-store.js';

/** Uses of a key are written no more often than this. */
const INTERVAL_MS = 60_000;
/** Keys in one write. */
const BATCH = 1_000;
/** Keys whose uses may wait to be written; those of further ones are not counted until there is room. */
const MAX_WAITING = 20_000;

/** Uses of one key that have not been written yet. Held by the verdict, so that counting costs no look-up. */
export class UseCounter {
  uses = 0;
  lastUsedAt = 0;
  lastUsedFrom: string | undefined = undefined;
  waiting = false;

  constructor(readonly id: string) {}
}

/** Counts how keys are used, and writes it in batches beside the requests: they neither wait for it nor fail with it (R-AK-18). */
export class UseLog {
  #waiting: UseCounter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param write adds up to 1 000 keys' uses to the store; whoever gives it reports its failures, and lets it take no longer than is bearable */
  constructor(
    private readonly write: (uses: readonly ApiKeyUse[]) => Promise<void>,
    private readonly clock: SecurityClock,
  ) {}

  note(counter: UseCounter, address: string | undefined): void {
    if (!counter.waiting && !this.#enqueue(counter)) return;
    counter.uses++;
    counter.lastUsedAt = this.clock.now();
    counter.lastUsedFrom = address;
  }

  /** Writes what has been counted. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counters = this.#waiting;
    this.#waiting = [];
    const uses = together(counters);
    this.#writing = this.#writing.then(() => this.#write(uses));
    return this.#writing;
  }

  #enqueue(counter: UseCounter): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    counter.waiting = true;
    this.#waiting.push(counter);
    this.#timer ??= setTimeout(() => void this.flush(), INTERVAL_MS).unref();
    return true;
  }

  async #write(uses: readonly ApiKeyUse[]): Promise<void> {
    for (let from = 0; from < uses.length; from += BATCH) {
      try {
        await this.write(uses.slice(from, from + BATCH));
      } catch {
        // What is lost are a time and a number: nobody waits for them, and trying again might count twice.
        return;
      }
    }
  }
}

/** Takes the counters' numbers; one key may have several, if its verdict was made anew meanwhile. */
function together(counters: readonly UseCounter[]): ApiKeyUse[] {
  const byId = new Map<string, ApiKeyUse>();
  for (const counter of counters) {
    const { id, lastUsedAt, lastUsedFrom } = counter;
    byId.set(id, { id, uses: counter.uses + (byId.get(id)?.uses ?? 0), lastUsedAt, lastUsedFrom });
    counter.uses = 0;
    counter.waiting = false;
  }
  return [...byId.values()];
}
