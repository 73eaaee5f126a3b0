import { Logger } from '@nestjs/common';
import type { Subscription } from 'rxjs';

import { logLine } from './log-line.js';
import type { SecurityEvent, SecurityEventType } from './security-event.js';
import type { SecurityEvents } from './security-events.js';

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
  'oauth-client.registered',
  'oauth-client.changed',
  'oauth-client.secret-rotated',
  'oauth-client.removed',
  'oauth-grant.given',
  'oauth-grant.withdrawn',
]);
/** What anybody can cause at will: a flood of these must not take the lines of the others. */
const CHEAP: ReadonlySet<SecurityEventType> = new Set([
  'authentication.failed',
  'authorization.denied',
  'rate-limit.exceeded',
  'validation.rejected',
  'request.malformed',
  'transport.rejected',
]);
/** Different events printed in one window; each can have one more line that counts its repeats. */
const MAX_CHEAP = 30;
const MAX_OTHERS = 10;
const WINDOW_MS = 60_000;
const MAX_KEY_PART = 128;

interface Repeats {
  readonly first: SecurityEvent;
  count: number;
}

/**
 * The default log of security events: one JSON line a failure, without secrets and control characters, and damped. Of equal
 * events in a minute (type, route, caller, reason) the first is printed and the rest are counted; of too many different ones
 * each type is counted (R-LG-04, R-LG-08). At most 100 lines a minute; each event is in one of them.
 */
export class SecurityEventLogger {
  readonly #sink: SecurityEventSink;
  readonly #subscription: Subscription;
  readonly #repeats = new Map<string, Repeats>();
  readonly #suppressed = new Map<SecurityEventType, number>();
  #cheapLines = 0;
  #windowStart = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param sink Nest's logger, at the level `warn`, by default */
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
    // A clock that was set back begins a new window, or nothing would be printed for long.
    if (time >= this.#windowStart + WINDOW_MS || time < this.#windowStart) {
      this.#summarize();
      this.#windowStart = time;
    }
    const key = keyOf(event);
    const known = this.#repeats.get(key);
    if (known === undefined && this.#takeLine(event.type)) {
      this.#repeats.set(key, { first: event, count: 0 });
      this.#print(event);
      return;
    }
    if (known) known.count++;
    else this.#suppressed.set(event.type, (this.#suppressed.get(event.type) ?? 0) + 1);
    // What was counted gets printed even if nothing else ever happens.
    this.#timer ??= setTimeout(() => this.#summarize(), WINDOW_MS).unref();
  }

  #takeLine(type: SecurityEventType): boolean {
    if (!CHEAP.has(type)) return this.#repeats.size - this.#cheapLines < MAX_OTHERS;
    if (this.#cheapLines >= MAX_CHEAP) return false;
    this.#cheapLines++;
    return true;
  }

  #summarize(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { first, count } of this.#repeats.values()) {
      if (count === 0) continue;
      const { type, time: since, route, principal, address } = first;
      const reason = reasonOf(first);
      this.#print({ type: 'log.repeated', event: type, since, route, principal, address, reason, count });
    }
    for (const [type, count] of this.#suppressed) this.#print({ type: 'log.suppressed', event: type, count });
    this.#repeats.clear();
    this.#suppressed.clear();
    this.#cheapLines = 0;
    this.#windowStart = Number.NEGATIVE_INFINITY;
  }

  #print(record: object): void {
    try {
      const result: unknown = this.#sink(logLine(record));
      // A log that fails must not change what happens to requests (R-LG-05), one that fails later neither.
      if (result instanceof Promise) result.catch(() => undefined);
    } catch {
      // As above.
    }
  }
}

/** What makes two events the same: not what a caller varies at will, such as the credential that he tries. */
function keyOf(event: SecurityEvent): string {
  const { type, route = '', principal, address = '' } = event;
  const of = 'keyId' in event ? event.keyId : 'session' in event ? event.session : '';
  return [type, route, principal ?? address, reasonOf(event), of]
    .map((part) => part.slice(0, MAX_KEY_PART))
    .join('\n');
}

function reasonOf(event: SecurityEvent): string {
  if ('reason' in event) return event.reason;
  if ('limit' in event) return event.limit;
  if ('code' in event) return event.code;
  if ('store' in event) return event.store;
  return 'name' in event ? event.name : '';
}
