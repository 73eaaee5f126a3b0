import { limitOf, type Scenario, TENANT } from './scenario.js';

const TURNS = 6;
const GROUPS = TURNS + 1;
const WORDS = GROUPS + 1;

/** What the store answers to a node that asks for permits. */
export interface Grant {
  /** Permits; 0 if there is none. */
  readonly granted: number;
  /** How long they may be handed out, from the moment on when the store was asked. */
  readonly leaseMs: number;
  /** The same moment on the store's clock. */
  readonly endsAt: number;
  /** Of a refused request: when it would pass. */
  readonly resetMs: number;
}

/** How a word of 32 bits is shared between units and the time of their last. */
interface Layout {
  readonly bits: number;
  readonly quantum: number;
}

/**
 * The shared store's side of leases. A counter is the newest turn (a sixth of the window) and seven words, one for each turn: its units,
 * and how far into the turn the last of them was. All units of a turn lapse a window after the last.
 *
 * A lease is charged as if all of its permits were used at its very end, which never lies beyond the turn: so whenever they are used, they count
 * for a whole window from then on.
 */
export class LeaseStore {
  readonly #words: Uint32Array;
  readonly #turnMs: number;
  readonly #layouts: readonly [tenant: Layout, other: Layout];

  constructor(private readonly scenario: Scenario) {
    this.#words = new Uint32Array(scenario.keys * WORDS);
    this.#turnMs = Math.ceil(scenario.windowMs / TURNS);
    this.#layouts = [this.#layoutFor(TENANT), this.#layoutFor(TENANT + 1)];
  }

  /**
   * Charges what is needed now, as far as there is room, and of what is wanted for the whole of a lease a node's share of half the room.
   *
   * @param time of the store, in milliseconds
   * @param leaseMs longest time of a lease; 0 for a plain charge
   */
  take(key: number, time: number, needed: number, wanted: number, leaseMs: number): Grant {
    const now = Math.floor(time);
    const hit = Math.ceil(time);
    const turn = Math.floor(hit / this.#turnMs);
    this.#advance(key, turn);
    const room = limitOf(key, this.scenario) - this.#used(key, now);
    if (room < 1)
      return { granted: 0, leaseMs: 0, endsAt: 0, resetMs: this.#msUntilFreed(key, now, 1 - room) };
    const endsAt = Math.min(hit + leaseMs, (turn + 1) * this.#turnMs - 1);
    const wantedTillThen = endsAt === hit ? 0 : Math.ceil((wanted * (endsAt - hit)) / leaseMs);
    const share = Math.min(wantedTillThen, Math.floor(room / (2 * this.scenario.nodes)));
    const granted = Math.min(room, Math.max(needed, share));
    this.#charge(key, turn, endsAt, granted);
    return { granted, leaseMs: endsAt - hit, endsAt, resetMs: 0 };
  }

  /** Takes back permits of a lease that were not used. */
  giveBack(key: number, endsAt: number, unused: number): void {
    const turn = Math.floor(endsAt / this.#turnMs);
    const base = this.#words[key * WORDS]!;
    if (turn > base || turn <= base - GROUPS) return;
    const at = key * WORDS + 1 + (turn % GROUPS);
    this.#words[at]! -= Math.min(unused, this.#units(key, at));
  }

  /** Counters that hold something. */
  live(time: number): number {
    let live = 0;
    for (let key = 0; key < this.scenario.keys; key++) if (this.#used(key, Math.floor(time)) > 0) live++;
    return live;
  }

  #layoutFor(key: number): Layout {
    const bits = 32 - Math.clz32(limitOf(key, this.scenario));
    return { bits, quantum: Math.ceil(this.#turnMs / (2 ** (32 - bits) - 1)) };
  }

  #layout(key: number): Layout {
    return this.#layouts[key === TENANT ? 0 : 1];
  }

  #units(key: number, at: number): number {
    return this.#words[at]! & (2 ** this.#layout(key).bits - 1);
  }

  #advance(key: number, turn: number): void {
    const first = key * WORDS;
    const base = this.#words[first]!;
    for (let passed = Math.max(base + 1, turn - TURNS); passed <= turn; passed++)
      this.#words[first + 1 + (passed % GROUPS)] = 0;
    this.#words[first] = Math.max(base, turn);
  }

  /** Milliseconds from `now` until the units of a turn lapse. */
  #msLeft(key: number, turn: number, now: number): number {
    const { bits, quantum } = this.#layout(key);
    const offset = this.#words[key * WORDS + 1 + (turn % GROUPS)]! >>> bits;
    return turn * this.#turnMs + offset * quantum + this.scenario.windowMs - now;
  }

  #used(key: number, now: number): number {
    let used = 0;
    const base = this.#words[key * WORDS]!;
    for (let turn = Math.max(0, base - TURNS); turn <= base; turn++) {
      const units = this.#units(key, key * WORDS + 1 + (turn % GROUPS));
      if (units > 0 && this.#msLeft(key, turn, now) > 0) used += units;
    }
    return used;
  }

  #msUntilFreed(key: number, now: number, needed: number): number {
    const base = this.#words[key * WORDS]!;
    let freed = 0;
    for (let turn = Math.max(0, base - TURNS); turn <= base; turn++) {
      const msLeft = this.#msLeft(key, turn, now);
      if (msLeft <= 0) continue;
      freed += this.#units(key, key * WORDS + 1 + (turn % GROUPS));
      // The end of a lease may lie ahead, so it can be more than a window.
      if (freed >= needed) return msLeft;
    }
    return this.scenario.windowMs;
  }

  #charge(key: number, turn: number, time: number, units: number): void {
    const { bits, quantum } = this.#layout(key);
    const at = key * WORDS + 1 + (turn % GROUPS);
    const offset = Math.max(this.#words[at]! >>> bits, Math.ceil((time - turn * this.#turnMs) / quantum));
    this.#words[at] = offset * 2 ** bits + this.#units(key, at) + units;
  }
}
