import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';

/** How long a client should wait before it tries again; seconds. */
const RETRY_AFTER = 5;

/** What is asked, as events, answers and reasons name it. */
export interface AskedStore {
  /** Name in `store.failed`. */
  readonly store: string;
  /** What clients are told. */
  readonly message: string;
  /** Cause in events. */
  readonly reason: string;
}

/**
 * Asks what may fail or hang. Whatever goes wrong there becomes 503 and an event: nobody may take it for "unknown",
 * and nobody gets in by it (R-AK-19, R-RT-11, R-AU-13).
 */
export class StoreCalls {
  /** @param timeoutMs longest wait for one answer, in milliseconds */
  constructor(
    private readonly timeoutMs: number,
    private readonly events: SecurityEvents,
    private readonly asked: AskedStore,
  ) {}

  /** @throws SecurityError `UNAVAILABLE` */
  async ask<T>(question: () => T | Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.timeoutMs} ms`)), this.timeoutMs);
      timer.unref();
    });
    try {
      return await Promise.race([question(), deadline]);
    } catch (cause) {
      throw this.failure(cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reports a failure, and makes the error that the client is told. */
  failure(cause: unknown): SecurityError {
    this.report(cause);
    const { message, reason } = this.asked;
    return new SecurityError('UNAVAILABLE', message, { retryAfter: RETRY_AFTER, reason, cause });
  }

  /** Reports a failure that concerns nobody who is waiting. */
  report(cause: unknown): void {
    this.events.emit('store.failed', {
      store: this.asked.store,
      message: cause instanceof Error ? cause.message : 'the store failed',
    });
  }
}
