import type { Random } from './random.js';

const MAX_SKEW_MS = 600_000;
const MAX_DRIFT = 50e-6;

/** A node's own clock: up to ten minutes off, and up to 50 millionths too fast or too slow. */
export class NodeClock {
  readonly #skewMs: number;
  readonly #rate: number;

  constructor(random: Random) {
    this.#skewMs = random.between(-MAX_SKEW_MS, MAX_SKEW_MS);
    this.#rate = 1 + random.between(-MAX_DRIFT, MAX_DRIFT);
  }

  /** What it shows at a true time; both in milliseconds. */
  read(time: number): number {
    return this.#skewMs + time * this.#rate;
  }

  /** The true time at which it shows `reading`. */
  when(reading: number): number {
    return (reading - this.#skewMs) / this.#rate;
  }
}
