import { Logger } from '@nestjs/common';
import type { Subscription } from 'rxjs';

import type { SecurityEvent, SecurityEventType } from './security-event.js';
import type { SecurityEvents } from './security-events.js';
import { redact } from './redaction.js';

/** Where lines go; one JSON object each. */
export type SecurityEventSink = (line: string) => void;

/** Events that are no failures: they are for subscribers, not for the log. */
const QUIET: ReadonlySet<SecurityEventType> = new Set([
  'authentication.succeeded',
  'transport.redirected',
  'api-key.issued',
  'api-key.rotated',
  'api-key.revoked',
  'token.issued',
  'token.refreshed',
  'token.revoked',
]);
const MAX_TEXT = 256;
/** Different events counted at once; beyond that they are counted together. */
const MAX_COUNTERS = 1_000;
/** Lines in one minute, summaries not counted. */
const MAX_LINES = 50;
const WINDOW_MS = 60_000;

/**
 * The default log of security events: one JSON line a failure, without secrets and control characters, and damped:
 * of equal events in a minute the first is printed and the rest are counted (R-LG-04, R-LG-08).
 */
export class SecurityEventLogger {
  readonly #sink: SecurityEventSink;
  readonly #subscription: Subscription;
  readonly #counts = new Map<string, number>();
  #suppressed = 0;
  #lines = 0;
  #windowEnd = 0;

  constructor(events: SecurityEvents, sink?: SecurityEventSink) {
    const logger = new Logger('SecurityEvent');
    this.#sink = sink ?? ((line) => logger.warn(line));
    this.#subscription = events.stream.subscribe((event) => this.#log(event));
  }

  /** Prints what was only counted so far, and stops. */
  close(): void {
    this.#subscription.unsubscribe();
    this.#summarize();
  }

  #log(event: SecurityEvent): void {
    if (QUIET.has(event.type)) return;
    const time = Date.parse(event.time);
    if (time >= this.#windowEnd) {
      this.#summarize();
      this.#windowEnd = time + WINDOW_MS;
    }
    const key = keyOf(event);
    const count = this.#counts.get(key);
    if (count !== undefined) {
      this.#counts.set(key, count + 1);
    } else if (this.#counts.size >= MAX_COUNTERS || this.#lines >= MAX_LINES) {
      this.#suppressed++;
    } else {
      this.#counts.set(key, 0);
      this.#lines++;
      this.#print(event);
    }
  }

  #summarize(): void {
    let more = 0;
    for (const [key, count] of this.#counts) {
      if (count === 0) continue;
      if (more++ < MAX_LINES - 1) this.#print({ type: 'log.repeated', event: key.split('|', 1)[0], count });
      else this.#suppressed += count;
    }
    if (this.#suppressed > 0) this.#print({ type: 'log.suppressed', count: this.#suppressed });
    this.#counts.clear();
    this.#suppressed = 0;
    this.#lines = 0;
  }

  #print(record: object): void {
    try {
      this.#sink(oneLine(record));
    } catch {
      // A log that fails must not change what happens to requests (R-LG-05).
    }
  }
}

function keyOf(event: SecurityEvent): string {
  const { type, route, principal, address } = event;
  const reason = 'reason' in event ? event.reason : 'limit' in event ? event.limit : '';
  return `${type}|${route ?? ''}|${principal ?? address ?? ''}|${reason}`;
}

function oneLine(record: object): string {
  const json = JSON.stringify(record, (_name, value: unknown) => {
    if (typeof value !== 'string') return value;
    const text = redact(value);
    return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  });
  // JSON escapes C0 alone; the others can still break a line or a terminal.
  return json.replaceAll(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
