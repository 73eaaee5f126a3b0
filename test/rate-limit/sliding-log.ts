import type { PlainCharge } from './plain-charge.js';

interface Hit {
  readonly time: number;
  readonly units: number;
}

/** The exact sliding window, kept the expensive way: every hit with its time. */
export class SlidingLog {
  readonly #hits = new Map<string, Hit[]>();

  /** Units that count at `now` when each is kept for `keptMs`. */
  used(key: string, now: number, keptMs: number): number {
    return (this.#hits.get(key) ?? [])
      .filter(({ time }) => now - time < keptMs)
      .reduce((sum, { units }) => sum + units, 0);
  }

  fits({ key, limit, cost }: PlainCharge, now: number, keptMs: number): boolean {
    return this.used(key, now, keptMs) + cost <= limit;
  }

  add(key: string, time: number, units: number): void {
    const hits = this.#hits.get(key);
    if (hits) hits.push({ time, units });
    else this.#hits.set(key, [{ time, units }]);
  }

  /** The most units in any half-open interval of this length. */
  busiest(key: string, windowMs: number): number {
    const hits = this.#hits.get(key) ?? [];
    const inWindowFrom = (start: number) =>
      hits
        .filter(({ time }) => time >= start && time < start + windowMs)
        .reduce((sum, { units }) => sum + units, 0);
    return Math.max(0, ...hits.map(({ time }) => inWindowFrom(time)));
  }
}
