import type { LimitMeter } from '../../policy/limit-meter.js';
import { METER_MASK } from './record-layout.js';

/** How the words of a record are read. Requests in flight are a sliding window whose units come back early. */
export const SLIDING = 0;
export const BUCKET = 1;
export const FIXED = 2;

/** Groups of a window; a seventh takes what comes while the first of them lapses. */
const TURNS = 6;
/** Meters whose numbers are kept at hand: their texts are looked at again beyond that. */
const MAX_KNOWN = 20_000;

/** What every record of one meter has in common, so that a record need not say it. */
export class CounterMeter {
  /** Records there are. */
  live = 0;
  /** Another one has taken its number. */
  retired = false;
  /** Length of a turn, a sixth of the window. */
  readonly turnMs: number;
  /** Length of a step of a group's time, by the bits that its count takes. */
  readonly steps: readonly number[];

  constructor(
    readonly number: number,
    readonly kind: number,
    readonly windowMs: number,
    readonly name: string,
  ) {
    this.turnMs = Math.ceil(windowMs / TURNS);
    this.steps = Array.from({ length: 31 }, (_, bits) => Math.ceil(this.turnMs / (2 ** (32 - bits) - 1)));
  }
}

/** Numbers the meters that have records, from 1 on. */
export class CounterMeters {
  readonly #numbered: CounterMeter[] = [];
  readonly #named = new Map<string, CounterMeter>();
  readonly #known = new Map<LimitMeter, CounterMeter>();

  /** @throws RangeError if more different limits are in use than can be */
  of(meter: LimitMeter): CounterMeter {
    const known = this.#known.get(meter);
    return known ?? this.#learn(meter);
  }

  at(number: number): CounterMeter {
    return this.#numbered[number - 1]!;
  }

  #learn(meter: LimitMeter): CounterMeter {
    const kind =
      meter.algorithm === 'token-bucket' ? BUCKET : meter.algorithm === 'fixed-window' ? FIXED : SLIDING;
    const name = `${kind}:${meter.windowMs}:${meter.bucket}`;
    let found = this.#named.get(name);
    if (found === undefined) {
      const number = this.#freeNumber();
      found = new CounterMeter(number, kind, meter.windowMs, name);
      this.#numbered[number - 1] = found;
      this.#named.set(name, found);
    }
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(meter, found);
    return found;
  }

  #freeNumber(): number {
    if (this.#numbered.length < METER_MASK) return this.#numbered.length + 1;
    const unused = this.#numbered.find(({ live }) => live === 0);
    if (unused === undefined) throw new RangeError('more than 65 535 different limits have counters at once');
    unused.retired = true;
    this.#named.delete(unused.name);
    this.#known.clear();
    return unused.number;
  }
}
