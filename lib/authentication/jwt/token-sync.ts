import type { SecurityClock } from '../../clock.js';
import type { StoreCalls } from '../store-calls.js';
import type { RevocationList } from './revocation-list.js';
import type { SigningKeyRing } from './signing-key-ring.js';
import type { TokenStore } from './token-store.js';

/** Times that a node asks the store within the time in which it must know. */
const ASKED_WITHIN = 3;
/** After a look that failed: nobody gets in until one succeeds. */
const RETRY_MS = 500;
const PURGE_EVERY_MS = 600_000;
/** In one call, and in one round. */
const PURGED_AT_ONCE = 500;
const PURGED_IN_ALL = 50_000;

/** What is kept in step. */
export interface TokenSyncParts {
  readonly store: TokenStore;
  readonly revocations: RevocationList;
  readonly ring: SigningKeyRing | undefined;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
  readonly revokedWithinMs: number;
  /** Whether tokens are good although it is not known what others revoked. */
  readonly acceptsUnknown: boolean;
}

/**
 * Keeps this node's list of revocations and its signing keys in step with the other nodes: asks the store every so often, and
 * when the store says that there is something new. When it could not ask for too long, the list says so (R-JW-22).
 */
export class TokenSync {
  #cursor: string | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failed = false;
  #timer: NodeJS.Timeout | undefined;
  #end: (() => Promise<void>) | undefined;
  #nextPurge: number;
  #stopped = false;

  constructor(private readonly parts: TokenSyncParts) {
    this.#nextPurge = parts.clock.monotonic() + Math.random() * PURGE_EVERY_MS;
    if (!parts.acceptsUnknown) parts.revocations.setCurrentUntil(Number.NEGATIVE_INFINITY);
  }

  /** Asks for the first time, and goes on until `stop()`; never rejects. */
  async start(): Promise<void> {
    await Promise.all([this.run(), this.#listen()]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const end = this.#end;
    this.#end = undefined;
    await end?.().catch(() => undefined);
    await this.#running;
    await this.parts.store.close?.();
  }

  /** Asks now; called while it is asking, it asks once more after that. */
  run(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#runAll().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      clearTimeout(this.#timer);
      const pause = this.parts.revokedWithinMs / ASKED_WITHIN;
      this.#timer = setTimeout(() => void this.run(), this.#failed ? Math.min(pause, RETRY_MS) : pause);
      this.#timer.unref();
    });
    return this.#running;
  }

  async #listen(): Promise<void> {
    const { store, calls } = this.parts;
    try {
      this.#end = await store.subscribe?.(() => void this.run());
    } catch (error) {
      calls.report(error);
    }
  }

  async #runAll(): Promise<void> {
    do {
      this.#again = false;
      // What fails is reported where it fails, and tried again with the next round.
      await Promise.all([
        this.#readRevocations().then(
          () => (this.#failed = false),
          () => (this.#failed = true),
        ),
        this.parts.ring?.refresh().catch(() => undefined),
      ]);
    } while (this.#again && !this.#stopped);
    await this.#purge().catch(() => undefined);
  }

  async #readRevocations(): Promise<void> {
    const { store, revocations, calls, clock, revokedWithinMs, acceptsUnknown } = this.parts;
    const began = clock.monotonic();
    for (let more = true; more;) {
      const page = await calls.ask(() => store.revocationsSince(this.#cursor, clock.now()));
      for (const one of page.revocations) revocations.add(one);
      this.#cursor = page.cursor;
      ({ more } = page);
    }
    if (!acceptsUnknown) revocations.setCurrentUntil(began + revokedWithinMs);
  }

  async #purge(): Promise<void> {
    const { store, calls, clock } = this.parts;
    const now = clock.monotonic();
    if (now < this.#nextPurge) return;
    this.#nextPurge = now + PURGE_EVERY_MS;
    for (let left = PURGED_IN_ALL; left > 0 && !this.#stopped;) {
      const removed = await calls.ask(() => store.purge(clock.now(), PURGED_AT_ONCE));
      if (removed === 0) return;
      left -= removed;
    }
  }
}
