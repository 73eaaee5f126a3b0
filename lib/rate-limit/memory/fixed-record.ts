import type { CounterMeter } from './counter-meter.js';
import { ageOf, BODY, type Standing } from './record-layout.js';

/** A fixed window: when it began, with the first hit in it, how many units it has seen, and when the last of them came. */
const START = BODY;
const COUNT = BODY + 1;
const LAST = BODY + 2;

export function readFixed(
  words: Uint32Array,
  at: number,
  { windowMs }: CounterMeter,
  now: number,
  standing: Standing,
): void {
  const age = ageOf(now, words[at + START]!);
  const count = age < windowMs ? words[at + COUNT]! : 0;
  standing.used = count;
  standing.resetMs = count === 0 ? 0 : windowMs - age;
}

export function addFixed(
  words: Uint32Array,
  at: number,
  { windowMs }: CounterMeter,
  now: number,
  hit: number,
  cost: number,
): void {
  if (words[at + COUNT] === 0 || ageOf(now, words[at + START]!) >= windowMs) {
    words[at + START] = hit;
    words[at + COUNT] = 0;
  }
  words[at + COUNT]! += cost;
  words[at + LAST] = hit;
}

/** Gives back units that were charged at `chargedAt`, unless their window is over. */
export function refundFixed(
  words: Uint32Array,
  at: number,
  { windowMs }: CounterMeter,
  now: number,
  chargedAt: number,
  cost: number,
): void {
  const start = words[at + START]!;
  if (ageOf(now, start) >= windowMs || (chargedAt - start) >>> 0 >= windowMs) return;
  words[at + COUNT]! -= Math.min(cost, words[at + COUNT]!);
}

/** Milliseconds since the last hit, or -1 once the window is over or all of it was given back. */
export function idleFixed(words: Uint32Array, at: number, { windowMs }: CounterMeter, now: number): number {
  return words[at + COUNT] !== 0 && ageOf(now, words[at + START]!) < windowMs
    ? ageOf(now, words[at + LAST]!)
    : -1;
}
