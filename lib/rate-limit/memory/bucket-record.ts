import type { LimitMeter } from '../../policy/limit-meter.js';
import { ageOf, BODY, type Standing } from './record-layout.js';

/**
 * A token bucket as a leaky one that is as full as tokens are missing: the time that it takes to run empty, in milliseconds, and when that was.
 * `level` is no point in time: a double has no fine enough grain for those of fast limits.
 */
const LAST = BODY;
/** Where the level is among the doubles of a shard, in half words. */
const LEVEL = BODY + 2;
/** Part of a unit by which sums of doubles may be off. */
const SLACK = 1e-6;

function levelAt(words: Uint32Array, doubles: Float64Array, at: number, now: number): number {
  return Math.max(0, doubles[(at + LEVEL) >> 1]! - ageOf(now, words[at + LAST]!));
}

export function readBucket(
  words: Uint32Array,
  doubles: Float64Array,
  at: number,
  { limit, windowMs, burst }: LimitMeter,
  now: number,
  standing: Standing,
): void {
  const unitMs = windowMs / limit;
  const level = levelAt(words, doubles, at, now);
  const room = Math.floor((burst * unitMs - level + unitMs * SLACK) / unitMs);
  const used = burst - Math.min(burst, Math.max(0, room));
  standing.used = used;
  standing.resetMs = level === 0 ? 0 : Math.max(1, Math.ceil(level - (used - 1) * unitMs - unitMs * SLACK));
}

/** Milliseconds until a charge of `cost` units, at most the burst, fits. */
export function untilFits(
  words: Uint32Array,
  doubles: Float64Array,
  at: number,
  { limit, windowMs, burst }: LimitMeter,
  now: number,
  cost: number,
): number {
  const unitMs = windowMs / limit;
  const level = levelAt(words, doubles, at, now);
  return Math.max(1, Math.ceil(level + (cost - burst) * unitMs - unitMs * SLACK));
}

/** Charges units that fit; a negative cost gives some back. */
export function addBucket(
  words: Uint32Array,
  doubles: Float64Array,
  at: number,
  { limit, windowMs }: LimitMeter,
  now: number,
  cost: number,
): void {
  const level = levelAt(words, doubles, at, now) + (cost * windowMs) / limit;
  doubles[(at + LEVEL) >> 1] = Math.max(0, level);
  words[at + LAST] = now;
}

/** Milliseconds since the last change, or -1 once the bucket has run empty. */
export function idleBucket(words: Uint32Array, doubles: Float64Array, at: number, now: number): number {
  return levelAt(words, doubles, at, now) > 0 ? ageOf(now, words[at + LAST]!) : -1;
}
