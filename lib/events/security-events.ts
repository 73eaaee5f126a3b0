import { channel } from 'node:diagnostics_channel';

import { Injectable } from '@nestjs/common';
import { type Observable, Subject } from 'rxjs';

import { type SecurityClock, systemClock } from '../clock.js';
import type {
  SecurityEvent,
  SecurityEventContext,
  SecurityEventMap,
  SecurityEventType,
} from './security-event.js';

/** Name of the `node:diagnostics_channel` on which every security event is published. */
export const SECURITY_EVENTS_CHANNEL = 'nestjs-api-security:event';

/**
 * Every decision of the module as a typed stream (R-LG-01). Subscribers never change a decision:
 * what they throw is swallowed (R-LG-05).
 *
 * @example
 * events.stream.pipe(filter((e) => e.type === 'api-key.exposed')).subscribe((e) => notify(e.keyId));
 */
@Injectable()
export class SecurityEvents {
  readonly #channel = channel(SECURITY_EVENTS_CHANNEL);
  readonly #subject = new Subject<SecurityEvent>();
  readonly stream: Observable<SecurityEvent> = this.#subject.asObservable();
  readonly #clock: SecurityClock;

  constructor(clock: SecurityClock = systemClock) {
    this.#clock = clock;
  }

  /** Whether anybody listens; lets a caller on the hot path save the making of an event. */
  get observed(): boolean {
    return this.#subject.observed || this.#channel.hasSubscribers;
  }

  emit<T extends SecurityEventType>(
    type: T,
    payload: SecurityEventMap[T],
    context: SecurityEventContext = {},
  ): void {
    if (!this.observed) return;
    const event = Object.freeze({
      type,
      time: new Date(this.#clock.now()).toISOString(),
      ...context,
      ...payload,
    }) as unknown as SecurityEvent;
    if (this.#channel.hasSubscribers) this.#channel.publish(event);
    try {
      this.#subject.next(event);
    } catch {
      // RxJS reports a subscriber's own error by itself; a decision must not depend on it.
    }
  }
}
