/** A record is 40 bytes of a shard: half of its subject's digest, the number of its meter beside more of the digest, and eight words of its kind. */
export const RECORD_WORDS = 10;
export const FINGERPRINT = 0;
/** The meter's number in the lower half, the upper half of the other half of the digest above it. */
export const METER = 1;
export const BODY = 2;

/** Memory that holds records, one for each slot, as words and as doubles. */
export interface RecordMemory {
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
}

/** How a counter stands: written by those who read one, so that nothing has to be made for it. */
export interface Standing {
  /** Whole units that are taken. */
  used: number;
  /** Milliseconds until the next of them come back; 0 if none is taken. */
  resetMs: number;
}

/** Times in a record are milliseconds modulo 2^32, longer than any window. A hit is rounded up and the clock down, so it may seem to lie ahead. */
export function ageOf(now: number, time: number): number {
  const age = (now - time) >>> 0;
  return age === 0xffff_ffff ? 0 : age;
}
