/** A record is 40 bytes of a shard: half of its subject's digest, its identity, and eight words of its kind. */
export const RECORD_WORDS = 10;
export const FINGERPRINT = 0;
/** The meter's number in the lower half, `BLOCKED` above it, then 15 bits of the other half of the digest. */
export const IDENTITY = 1;
/** Numbers of meters begin with 1: no identity of a record is one of the two words below. */
export const METER_MASK = 0xffff;
/** Set while the counter has no room. */
export const BLOCKED = 0x1_0000;
export const DIGEST_SHIFT = 17;
/** Identity of a slot that holds no record. */
export const FREE = 0;
/** Identity of a record that the sweep under way takes out. */
export const LAPSED = BLOCKED;
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
