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
  #waiting = new Map<string, UseCounter>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param write adds up to 1 000 keys' uses to the store; whoever gives it reports its failures, and lets it take no longer than is bearable */
  constructor(
    private readonly write: (uses: readonly ApiKeyUse[]) => Promise<void>,
    private readonly clock: SecurityClock,
  ) {}

  note(counter: UseCounter, address: string | undefined): void {
    const waiting = counter.waiting ? counter : this.#enqueue(counter);
    if (waiting === undefined) return;
    waiting.uses++;
    waiting.lastUsedAt = this.clock.now();
    waiting.lastUsedFrom = address;
  }

  /** Writes what has been counted. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const uses = [...this.#waiting.values()].map(taken);
    this.#waiting = new Map();
    this.#writing = this.#writing.then(() => this.#write(uses));
    return this.#writing;
  }

  /** The counter that waits for the key: this one, or that of an earlier verdict about it; undefined if there is no room. */
  #enqueue(counter: UseCounter): UseCounter | undefined {
    const earlier = this.#waiting.get(counter.id);
    if (earlier !== undefined || this.#waiting.size >= MAX_WAITING) return earlier;
    counter.waiting = true;
    this.#waiting.set(counter.id, counter);
    this.#timer ??= setTimeout(() => void this.flush(), INTERVAL_MS).unref();
    return counter;
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

/** Takes a counter's numbers, and lets it begin anew. */
function taken(counter: UseCounter): ApiKeyUse {
  const { id, uses, lastUsedAt, lastUsedFrom } = counter;
  counter.uses = 0;
  counter.waiting = false;
  return { id, uses, lastUsedAt, lastUsedFrom };
}
