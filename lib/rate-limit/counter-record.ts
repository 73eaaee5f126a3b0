/**
 * One counter as 21 words in a `Uint32Array`: fingerprint, window, use, block, and eight groups of hits.
 *
 * Hits that fall into the same seventh of a window share a group, and a group lapses one window after its *last* hit. So
 * no unit is ever given back early: over any interval of one window at most the limit passes (R-RL-15), a unit comes back
 * at most a seventh of a window late, and a counter costs the same however many hits it has had.
 */
export const RECORD_WORDS = 21;
export const FINGERPRINT_HIGH = 0;
export const FINGERPRINT_LOW = 1;
const WINDOW = 2;
export const LAST_USED = 3;
const BLOCKED_UNTIL = 4;
const GROUPS = 5;
const GROUP_COUNT = 8;

/** Times are milliseconds modulo 2^32: windows are shorter than that, and lapsed counters are swept long before it. */
function ageOf(now: number, time: number): number {
  const age = (now - time) >>> 0;
  // A hit is rounded up and the clock down, so a hit of this very millisecond may seem to lie ahead.
  return age === 0xffff_ffff ? 0 : age;
}

/** Makes a fresh counter at `at`. */
export function initRecord(
  words: Uint32Array,
  at: number,
  high: number,
  low: number,
  windowMs: number,
): void {
  words.fill(0, at, at + RECORD_WORDS);
  words[at + FINGERPRINT_HIGH] = high;
  words[at + FINGERPRINT_LOW] = low;
  words[at + WINDOW] = windowMs;
}

/** Units that count at `now`. */
export function usedUnits(words: Uint32Array, at: number, now: number): number {
  const windowMs = words[at + WINDOW]!;
  let used = 0;
  for (let group = at + GROUPS, end = group + 2 * GROUP_COUNT; group < end; group += 2) {
    const count = words[group + 1]!;
    if (count !== 0 && ageOf(now, words[group]!) < windowMs) used += count;
  }
  return used;
}

/** Charges units. `time` is the hit rounded up to a millisecond, not yet reduced modulo 2^32. */
export function addUnits(words: Uint32Array, at: number, time: number, cost: number): void {
  const windowMs = words[at + WINDOW]!;
  const group = at + GROUPS + 2 * (Math.floor((time * (GROUP_COUNT - 1)) / windowMs) % GROUP_COUNT);
  const tick = time >>> 0;
  const live = words[group + 1] !== 0 && ageOf(tick, words[group]!) < windowMs;
  words[group + 1] = live ? words[group + 1]! + cost : cost;
  words[group] = tick;
  words[at + LAST_USED] = tick;
}

/** Milliseconds from `now` until `needed` units have been given back; the whole window if they never are. */
export function msUntilFreed(words: Uint32Array, at: number, now: number, needed: number): number {
  const windowMs = words[at + WINDOW]!;
  let freed = 0;
  let waited = 0;
  // At most eight groups: picking the next oldest each time beats sorting them.
  for (let step = 0; step < GROUP_COUNT && freed < needed; step++) {
    let next = windowMs + 1;
    let count = 0;
    for (let group = at + GROUPS, end = group + 2 * GROUP_COUNT; group < end; group += 2) {
      if (words[group + 1] === 0) continue;
      const age = ageOf(now, words[group]!);
      const rest = windowMs - age;
      if (rest <= waited || rest > next) continue;
      count = rest === next ? count + words[group + 1]! : words[group + 1]!;
      next = rest;
    }
    if (next > windowMs) break;
    waited = next;
    freed += count;
  }
  return waited === 0 || freed < needed ? windowMs : waited;
}

/** Remembers that the counter refuses until then, so that a flood of other keys cannot push it out (R-RL-17). */
export function markBlocked(words: Uint32Array, at: number, now: number, ms: number): void {
  words[at + BLOCKED_UNTIL] = (now + ms) >>> 0 || 1;
}

export function isBlocked(words: Uint32Array, at: number, now: number): boolean {
  const until = words[at + BLOCKED_UNTIL]!;
  const left = (until - now) >>> 0;
  return until !== 0 && left !== 0 && left <= words[at + WINDOW]!;
}

/** Whether nothing counts any more. */
export function hasLapsed(words: Uint32Array, at: number, now: number): boolean {
  return ageOf(now, words[at + LAST_USED]!) >= words[at + WINDOW]!;
}

export function windowOf(words: Uint32Array, at: number): number {
  return words[at + WINDOW]!;
}
