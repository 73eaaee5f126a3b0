import type { SecurityClock } from '../../lib/clock.js';

/** A clock that a test moves by hand. */
export class FakeClock implements SecurityClock {
  #elapsed = 0;
  #wall = 1_700_000_000_000;

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  advance(ms: number): void {
    this.#elapsed += ms;
    this.#wall += ms;
  }

  /** Moves the wall clock alone, as NTP or a person may. */
  stepWall(ms: number): void {
    this.#wall += ms;
  }

  /** Moves the monotonic clock back, which no clock should do. */
  stepBack(ms: number): void {
    this.#elapsed -= ms;
  }
}
