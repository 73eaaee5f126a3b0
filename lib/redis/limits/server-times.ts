import { uptime } from 'node:os';

import type { SecurityClock } from '../../clock.js';

interface Told {
  /** What the server said, and the change of its clock that it knew of. */
  readonly at: number;
  readonly changes: number;
  /** When it was asked, and when its answer was read, by the monotonic clock. */
  readonly sent: number;
  readonly received: number;
}

/** Milliseconds by which the wall clock has to leave the monotonic one for the machine to be suspected of having slept. */
const SLEPT_MS = 1_000;
const UNKNOWN: readonly string[] = ['', '', ''];

/** What the time is at the server, as far as a node can know without asking. On a cluster every slot has a time of its own. */
export class ServerTimes {
  readonly #told = new Map<string, Told>();
  readonly #clock: SecurityClock;
  readonly #sinceBoot: () => number;
  #wallAhead: number;
  #bootAhead: number;

  /** @param sinceBoot seconds that have passed on this machine, those in which it slept too */
  constructor(clock: SecurityClock, sinceBoot: () => number = uptime) {
    this.#clock = clock;
    this.#sinceBoot = sinceBoot;
    const now = clock.monotonic();
    this.#wallAhead = clock.now() - now;
    this.#bootAhead = sinceBoot() * 1_000 - now;
  }

  /** The least and the most that it can be now, and the change of the clock that this is after; empty texts if nothing is known. */
  bounds(key: string, now: number): readonly string[] {
    if (this.#hasSlept(now)) this.#told.clear();
    const told = this.#told.get(key);
    if (told === undefined) return UNKNOWN;
    const { at, changes, sent, received } = told;
    // What was told is rounded up.
    return [String(Math.floor(at - 1 + now - received)), String(Math.ceil(at + now - sent)), String(changes)];
  }

  /** Takes in an answer to what was sent at `sent`. */
  hear(key: string, at: number, changes: number, sent: number): void {
    const before = this.#told.get(key);
    if (before !== undefined && before.changes > changes && before.received > sent) return;
    this.#told.set(key, { at, changes, sent, received: this.#clock.monotonic() });
  }

  /** A monotonic clock may stand still while the machine sleeps; a wall clock that is set tells nothing. */
  #hasSlept(now: number): boolean {
    const wallAhead = this.#clock.now() - now;
    if (Math.abs(wallAhead - this.#wallAhead) < SLEPT_MS) return false;
    this.#wallAhead = wallAhead;
    const bootAhead = this.#sinceBoot() * 1_000 - now;
    const slept = bootAhead - this.#bootAhead;
    this.#bootAhead = bootAhead;
    return slept > SLEPT_MS / 2;
  }
}
