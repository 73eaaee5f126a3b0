import type { CounterMeter } from './counter-meter.js';
import { BODY, type Standing } from './record-layout.js';

/**
 * A sliding window: one word that holds the newest turn and how many bits a count takes, then a group of hits for each of seven turns.
 *
 * Hits in the same sixth of a window share a group, and a group lapses one window after its *last* hit. So no unit is given back early: over
 * any interval of one window at most the limit passes (R-RL-15). A unit comes back at most a sixth of a window late, and a counter
 * costs the same however many hits it has had.
 *
 * A group's word is a count, and above it the time of the last hit in its turn, in steps: of a millisecond where the bits that the limit leaves
 * are enough for that, otherwise longer, and rounded up, but never into the next turn: groups lapse in their order.
 */
const HEAD = BODY;
const GROUPS = BODY + 1;
const GROUP_COUNT = 7;
const BITS = 5;
const BITS_MASK = 31;

/** What `%` gives, but that is a call into C++ for numbers of more than 31 bits. */
function slotOf(turn: number): number {
  return turn - Math.floor(turn / GROUP_COUNT) * GROUP_COUNT;
}

function slotBefore(slot: number, turns: number): number {
  return slot >= turns ? slot - turns : slot - turns + GROUP_COUNT;
}

/** Turns between the newest one of a record and `turn`, whose upper bits it does not keep. */
function turnsSince(head: number, turn: number): number {
  return ((turn - (head >>> BITS)) << BITS) >> BITS;
}

function headOf(turn: number, bits: number): number {
  return ((turn << BITS) | bits) >>> 0;
}

/** Units that count, and until when the oldest of them do. */
export function readSliding(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  now: number,
  hit: number,
  standing: Standing,
): void {
  const { turnMs, windowMs } = meter;
  const head = words[at + HEAD]!;
  const bits = head & BITS_MASK;
  const mask = (1 << bits) - 1;
  const step = meter.steps[bits]!;
  const turn = Math.floor(hit / turnMs);
  const since = turnsSince(head, turn);
  let used = 0;
  let resetMs = 0;
  for (let back = since, slot = slotOf(turn - since); back < GROUP_COUNT; back++) {
    const word = words[at + GROUPS + slot]!;
    if ((word & mask) !== 0) {
      const rest = windowMs - now + (turn - back) * turnMs + Math.min((word >>> bits) * step, turnMs);
      if (rest > 0) {
        used += word & mask;
        if (resetMs === 0 || rest < resetMs) resetMs = rest;
      }
    }
    slot = slot === 0 ? GROUP_COUNT - 1 : slot - 1;
  }
  standing.used = used;
  // A hit of this very millisecond may be rounded up to the next.
  standing.resetMs = Math.min(resetMs, windowMs + step - 1);
}

/** Charges units that fit. */
export function addSliding(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  limit: number,
  hit: number,
  cost: number,
): void {
  const { turnMs } = meter;
  const turn = Math.floor(hit / turnMs);
  const needed = 32 - Math.clz32(limit);
  let head = words[at + HEAD]!;
  if ((head & BITS_MASK) < needed) {
    widen(words, at, meter, needed);
    head = words[at + HEAD]!;
  }
  const bits = head & BITS_MASK;
  const stale = Math.min(turnsSince(head, turn), GROUP_COUNT);
  const target = slotOf(turn);
  for (let back = 0, slot = target; back < stale; back++) {
    words[at + GROUPS + slot] = 0;
    slot = slot === 0 ? GROUP_COUNT - 1 : slot - 1;
  }
  const step = meter.steps[bits]!;
  const inTurn = hit - turn * turnMs;
  const offset = step === 1 ? inTurn : Math.ceil(inTurn / step);
  const word = words[at + GROUPS + target]!;
  const mask = (1 << bits) - 1;
  words[at + GROUPS + target] = (Math.max(offset, word >>> bits) << bits) | ((word & mask) + cost);
  words[at + HEAD] = headOf(turn, bits);
}

/**
 * Looks, charges and looks again in one pass over the groups: what nearly every check comes to. Without room it changes nothing and is false.
 */
export function chargeSliding(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  limit: number,
  now: number,
  hit: number,
  cost: number,
  standing: Standing,
): boolean {
  const { turnMs, windowMs } = meter;
  const head = words[at + HEAD]!;
  const bits = head & BITS_MASK;
  const turn = Math.floor(hit / turnMs);
  const since = turnsSince(head, turn);
  if (bits < 32 - Math.clz32(limit) || since >= GROUP_COUNT) {
    readSliding(words, at, meter, now, hit, standing);
    if (standing.used + cost > limit) return false;
    addSliding(words, at, meter, limit, hit, cost);
    readSliding(words, at, meter, now, hit, standing);
    return true;
  }
  const mask = (1 << bits) - 1;
  const step = meter.steps[bits]!;
  const begin = turn * turnMs;
  const lapse = windowMs - now + begin;
  const target = slotOf(turn);
  const inTurn = hit - begin;
  const offset = step === 1 ? inTurn : Math.ceil(inTurn / step);
  let used = 0;
  let resetMs = Math.min(lapse + Math.min(offset * step, turnMs), windowMs + step - 1);
  for (let back = since, slot = target - since; back < GROUP_COUNT; back++) {
    if (slot < 0) slot += GROUP_COUNT;
    const word = words[at + GROUPS + slot]!;
    if ((word & mask) !== 0) {
      const rest = lapse - back * turnMs + Math.min((word >>> bits) * step, turnMs);
      if (rest > 0) {
        used += word & mask;
        if (back > 0 && rest < resetMs) resetMs = rest;
      }
    }
    slot--;
  }
  if (used + cost > limit) return false;
  for (let back = 1; back < since; back++) words[at + GROUPS + slotBefore(target, back)] = 0;
  const word = since === 0 ? words[at + GROUPS + target]! : 0;
  words[at + GROUPS + target] = (Math.max(offset, word >>> bits) << bits) | ((word & mask) + cost);
  // Most hits find their turn begun: a line of memory that is not written need not be written back.
  if (since !== 0) words[at + HEAD] = headOf(turn, bits);
  standing.used = used + cost;
  standing.resetMs = resetMs;
  return true;
}

/** Milliseconds until `needed` units have been given back; 0 if they never are. */
export function untilFreed(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  now: number,
  hit: number,
  needed: number,
): number {
  const { turnMs, windowMs } = meter;
  const head = words[at + HEAD]!;
  const bits = head & BITS_MASK;
  const mask = (1 << bits) - 1;
  const step = meter.steps[bits]!;
  const turn = Math.floor(hit / turnMs);
  const since = turnsSince(head, turn);
  let freed = 0;
  // From the oldest turn on: times of turns follow each other.
  for (let back = GROUP_COUNT - 1; back >= since; back--) {
    const word = words[at + GROUPS + slotOf(turn - back)]!;
    const rest = windowMs - now + (turn - back) * turnMs + Math.min((word >>> bits) * step, turnMs);
    if ((word & mask) === 0 || rest <= 0) continue;
    freed += word & mask;
    if (freed >= needed) return Math.min(rest, windowMs + step - 1);
  }
  return 0;
}

/** Gives back units that were charged at `hit`, unless they have lapsed. */
export function refundSliding(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  chargedAt: number,
  cost: number,
): void {
  const turn = Math.floor(chargedAt / meter.turnMs);
  const head = words[at + HEAD]!;
  const since = turnsSince(head, turn);
  // Newer turns may have come since then, never more than the others leave room for.
  if (since > 0 || since <= -GROUP_COUNT) return;
  const mask = (1 << (head & BITS_MASK)) - 1;
  const index = at + GROUPS + slotOf(turn);
  words[index]! -= Math.min(cost, words[index]! & mask);
}

/** Milliseconds since the last hit that still counts, or -1 if none does. */
export function idleSliding(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  now: number,
  hit: number,
): number {
  const { turnMs, windowMs } = meter;
  const head = words[at + HEAD]!;
  const bits = head & BITS_MASK;
  const mask = (1 << bits) - 1;
  const step = meter.steps[bits]!;
  const turn = Math.floor(hit / turnMs);
  const since = turnsSince(head, turn);
  for (let back = since, slot = slotOf(turn - since); back < GROUP_COUNT; back++) {
    const word = words[at + GROUPS + slot]!;
    if ((word & mask) !== 0) {
      const age = now - (turn - back) * turnMs - Math.min((word >>> bits) * step, turnMs);
      return age < windowMs ? Math.max(0, age) : -1;
    }
    slot = slot === 0 ? GROUP_COUNT - 1 : slot - 1;
  }
  return -1;
}

/** Makes room for larger counts, when a limit has been raised. */
function widen(words: Uint32Array, at: number, meter: CounterMeter, bits: number): void {
  const head = words[at + HEAD]!;
  const before = head & BITS_MASK;
  const mask = (1 << before) - 1;
  for (let index = at + GROUPS; index < at + GROUPS + GROUP_COUNT; index++) {
    const word = words[index]!;
    const offset = Math.ceil(((word >>> before) * meter.steps[before]!) / meter.steps[bits]!);
    words[index] = (offset << bits) | (word & mask);
  }
  words[at + HEAD] = (head & ~BITS_MASK) | bits;
}

/** Makes an empty record. */
export function startSliding(
  words: Uint32Array,
  at: number,
  meter: CounterMeter,
  limit: number,
  hit: number,
): void {
  words[at + HEAD] = headOf(Math.floor(hit / meter.turnMs), 32 - Math.clz32(limit));
}
