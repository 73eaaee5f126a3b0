import { AsyncResource } from 'node:async_hooks';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { LoadSettings } from './load.options.js';

const ROUND_MS = 500;
const RESOLUTION_MS = 10;
/** The part of the requests that is refused grows by this in a round that is too slow, and halves in one that is not. */
const STEP = 0.2;
/** Some always get through, or nobody would notice that the load is gone. */
const MOST = 0.9;
const LEAST = 0.02;

/**
 * Refuses a part of the requests while the event loop runs late, cheaply and before anything else is done for them, so that the others are answered
 * in time (R-RL-23). The part grows while that does not suffice, and shrinks when it does.
 */
export class LoadShedder {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #part = 0;
  #owed = 0;
  #refused = 0;

  constructor(
    private readonly settings: LoadSettings,
    private readonly events: SecurityEvents,
  ) {
    this.#delay.enable();
    // Made outside of any request: its AsyncLocalStorage must not live on in the timer.
    const context = new AsyncResource('LoadShedder');
    this.#timer = context.runInAsyncScope(() => setInterval(() => this.#round(), ROUND_MS)).unref();
  }

  /** @throws SecurityError `UNAVAILABLE` for the part of the requests that is too much */
  admit(url: string): void {
    if (this.#part === 0) return;
    const query = url.indexOf('?');
    if (this.settings.exempt.has(query < 0 ? url : url.slice(0, query))) return;
    this.#owed += this.#part;
    if (this.#owed < 1) return;
    this.#owed -= 1;
    this.#refused++;
    throw new SecurityError('UNAVAILABLE', 'The service has too much to do right now', {
      retryAfter: 1,
      reason: 'load.shed',
      problemType: 'temporary-reduced-capacity',
      headers: { Connection: 'close' },
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #round(): void {
    const delayMs = Math.max(0, this.#delay.percentile(50) / 1e6 - RESOLUTION_MS);
    this.#delay.reset();
    if (delayMs > this.settings.maxDelayMs) this.#part = Math.min(MOST, this.#part + STEP);
    else this.#part = this.#part / 2 < LEAST ? 0 : this.#part / 2;
    if (this.#refused === 0) return;
    this.events.emit('load.shedding', { delayMs: Math.round(delayMs), refused: this.#refused });
    this.#refused = 0;
  }
}
