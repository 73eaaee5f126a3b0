/**
 * One counter as 16 words of a `Uint32Array`, 64 bytes: half of its key's fingerprint, its window, and seven groups of
 * hits. The other half, and whether the counter has no room, are in the shard's tags.
 *
 * Hits in the same sixth of a window share a group, and a group lapses one window after its *last* hit. So no unit
 * is given back early: over any interval of one window at most the limit passes (R-RL-15). A unit comes back at most a
 * sixth of a window late, and a counter costs the same however many hits it has had.
 */
export const RECORD_BITS = 4;
export const RECORD_WORDS = 1 << RECORD_BITS;
export const FINGERPRINT = 0;
export const WINDOW = 1;
const GROUPS = 2;
const GROUP_COUNT = 7;

/**
 * Times are milliseconds modulo 2^32, longer than any window; the sweep clears what has lapsed long before it looks new.
 * A hit is rounded up and the clock down, so a hit of this very millisecond may seem to lie ahead.
 */
function ageOf(now: number, time: number): number {
  const age = (now - time) >>> 0;
  return age === 0xffff_ffff ? 0 : age;
}

/** Where the group of a hit is. `time` is not reduced modulo 2^32. */
function groupOf(at: number, time: number, windowMs: number): number {
  const turn = Math.floor((time * (GROUP_COUNT - 1)) / windowMs);
  // What `%` gives, but that is a call into C++ for numbers of more than 31 bits.
  return at + GROUPS + 2 * (turn - Math.floor(turn / GROUP_COUNT) * GROUP_COUNT);
}

/** Units that count at `now`; forgets the groups that have lapsed. */
export function usedUnits(words: Uint32Array, at: number, now: number): number {
  const windowMs = words[at + WINDOW]!;
  let used = 0;
  for (let group = at + GROUPS, end = at + RECORD_WORDS; group < end; group += 2) {
    const count = words[group + 1]!;
    if (count === 0) continue;
    if (ageOf(now, words[group]!) < windowMs) used += count;
    else words[group + 1] = 0;
  }
  return used;
}

/** Charges units. `time` is the hit rounded up to a millisecond, not reduced modulo 2^32. */
export function addUnits(words: Uint32Array, at: number, time: number, cost: number): void {
  const windowMs = words[at + WINDOW]!;
  const group = groupOf(at, time, windowMs);
  const tick = time >>> 0;
  // The last turn of this group ended a window ago; merging with a live one is safe all the same.
  const live = words[group + 1] !== 0 && ageOf(tick, words[group]!) < windowMs;
  words[group + 1] = live ? words[group + 1]! + cost : cost;
  words[group] = tick;
}

/** What a charge has come to: written by {@link chargeUnits}, so that nothing has to be made for it. */
export interface Charged {
  used: number;
  resetMs: number;
}

/**
 * Looks, charges and looks again in one pass over the groups: what nearly every check comes to. Without room it changes
 * nothing and is false. `time` as in {@link addUnits}.
 */
export function chargeUnits(
  words: Uint32Array,
  at: number,
  now: number,
  time: number,
  limit: number,
  cost: number,
  charged: Charged,
): boolean {
  const windowMs = words[at + WINDOW]!;
  const target = groupOf(at, time, windowMs);
  let used = 0;
  let resetMs = windowMs;
  for (let group = at + GROUPS, end = at + RECORD_WORDS; group < end; group += 2) {
    const count = words[group + 1]!;
    if (count === 0) continue;
    const age = ageOf(now, words[group]!);
    if (age >= windowMs) words[group + 1] = 0;
    else {
      used += count;
      // The target's own units wait for this hit now.
      if (group !== target && windowMs - age < resetMs) resetMs = windowMs - age;
    }
  }
  if (used + cost > limit) return false;
  words[target + 1]! += cost;
  words[target] = time >>> 0;
  charged.used = used + cost;
  charged.resetMs = resetMs;
  return true;
}

/** Milliseconds from `now` until `needed` units have been given back; the whole window if they never are. */
export function msUntilFreed(words: Uint32Array, at: number, now: number, needed: number): number {
  const windowMs = words[at + WINDOW]!;
  let freed = 0;
  let waited = 0;
  // At most seven groups: picking the next oldest each time beats sorting them.
  while (freed < needed) {
    let next = windowMs + 1;
    let count = 0;
    for (let group = at + GROUPS, end = at + RECORD_WORDS; group < end; group += 2) {
      if (words[group + 1] === 0) continue;
      const rest = windowMs - ageOf(now, words[group]!);
      if (rest <= waited || rest > next) continue;
      count = rest === next ? count + words[group + 1]! : words[group + 1]!;
      next = rest;
    }
    if (count === 0) return windowMs;
    waited = next;
    freed += count;
  }
  return waited;
}

/** Milliseconds since the last hit that still counts, or -1 if none does. */
export function idleMs(words: Uint32Array, at: number, now: number): number {
  const windowMs = words[at + WINDOW]!;
  let idle = -1;
  for (let group = at + GROUPS, end = at + RECORD_WORDS; group < end; group += 2) {
    if (words[group + 1] === 0) continue;
    const age = ageOf(now, words[group]!);
    if (age < windowMs && (idle < 0 || age < idle)) idle = age;
  }
  return idle;
}
