import type { LimitMeter } from '../../policy/limit-meter.js';
import { addBucket, idleBucket, readBucket, untilFits } from './bucket-record.js';
import { BUCKET, type CounterMeter, FIXED, SLIDING } from './counter-meter.js';
import { addFixed, idleFixed, readFixed, refundFixed } from './fixed-record.js';
import { RECORD_WORDS, type RecordMemory, type Standing } from './record-layout.js';
import {
  addSliding,
  chargeSliding,
  idleSliding,
  readSliding,
  refundSliding,
  startSliding,
  untilFreed,
} from './sliding-record.js';

/** A moment as records take it: rounded down for what lapses, rounded up for what is counted. */
export interface Moment {
  now: number;
  hit: number;
}

/** What a record of any kind can do. `slot` is its place in the shard. */
export function startRecord(
  { words }: RecordMemory,
  slot: number,
  meter: CounterMeter,
  limit: number,
  { hit }: Moment,
): void {
  if (meter.kind === SLIDING) startSliding(words, slot * RECORD_WORDS, meter, limit, hit);
}

/** Tells how many units are taken, and when the next come back. */
export function readRecord(
  memory: RecordMemory,
  slot: number,
  meter: CounterMeter,
  limit: LimitMeter,
  { now, hit }: Moment,
  standing: Standing,
): void {
  const at = slot * RECORD_WORDS;
  if (meter.kind === SLIDING) readSliding(memory.words, at, meter, now, hit, standing);
  else if (meter.kind === FIXED) readFixed(memory.words, at, meter, now, standing);
  else readBucket(memory.words, memory.doubles, at, limit, now, standing);
}

/** Charges units if they fit, and tells how the counter stands then; the same as reading, adding and reading again. */
export function chargeRecord(
  memory: RecordMemory,
  slot: number,
  meter: CounterMeter,
  limit: LimitMeter,
  moment: Moment,
  cost: number,
  standing: Standing,
): boolean {
  const { now, hit } = moment;
  if (meter.kind === SLIDING)
    return chargeSliding(memory.words, slot * RECORD_WORDS, meter, limit.limit, now, hit, cost, standing);
  readRecord(memory, slot, meter, limit, moment, standing);
  if (standing.used + cost > limit.burst) return false;
  addToRecord(memory, slot, meter, limit, moment, cost);
  readRecord(memory, slot, meter, limit, moment, standing);
  return true;
}

/** Charges units that fit. */
export function addToRecord(
  memory: RecordMemory,
  slot: number,
  meter: CounterMeter,
  limit: LimitMeter,
  { now, hit }: Moment,
  cost: number,
): void {
  const at = slot * RECORD_WORDS;
  if (meter.kind === SLIDING) addSliding(memory.words, at, meter, limit.limit, hit, cost);
  else if (meter.kind === FIXED) addFixed(memory.words, at, meter, now, hit, cost);
  else addBucket(memory.words, memory.doubles, at, limit, now, cost);
}

/** Milliseconds until a charge that does not fit would; 0 if it never does. */
export function waitOfRecord(
  memory: RecordMemory,
  slot: number,
  meter: CounterMeter,
  limit: LimitMeter,
  { now, hit }: Moment,
  { used, resetMs }: Standing,
  cost: number,
): number {
  const at = slot * RECORD_WORDS;
  if (meter.kind === SLIDING) return untilFreed(memory.words, at, meter, now, hit, used + cost - limit.limit);
  if (cost > limit.burst) return 0;
  return meter.kind === FIXED ? resetMs : untilFits(memory.words, memory.doubles, at, limit, now, cost);
}

export function refundRecord(
  memory: RecordMemory,
  slot: number,
  meter: CounterMeter,
  limit: LimitMeter,
  { now }: Moment,
  chargedAt: number,
  cost: number,
): void {
  const at = slot * RECORD_WORDS;
  if (meter.kind === SLIDING) refundSliding(memory.words, at, meter, chargedAt, cost);
  else if (meter.kind === FIXED) refundFixed(memory.words, at, meter, now, chargedAt, cost);
  else addBucket(memory.words, memory.doubles, at, limit, now, -cost);
}

/** Milliseconds since the last hit that still counts, or -1 if the record has lapsed. */
export function idleOfRecord(
  memory: RecordMemory,
  slot: number,
  meter: CounterMeter,
  { now, hit }: Moment,
): number {
  const at = slot * RECORD_WORDS;
  if (meter.kind === SLIDING) return idleSliding(memory.words, at, meter, now, hit);
  if (meter.kind === BUCKET) return idleBucket(memory.words, memory.doubles, at, now);
  return idleFixed(memory.words, at, meter, now);
}

/** Keeps a record, as the number `index` of several, for {@link restoreRecord}. */
export function saveRecord({ words }: RecordMemory, slot: number, saved: Uint32Array, index: number): void {
  const from = slot * RECORD_WORDS;
  const to = index * RECORD_WORDS;
  for (let word = 0; word < RECORD_WORDS; word++) saved[to + word] = words[from + word]!;
}

export function restoreRecord(
  { words }: RecordMemory,
  slot: number,
  saved: Uint32Array,
  index: number,
): void {
  const to = slot * RECORD_WORDS;
  const from = index * RECORD_WORDS;
  for (let word = 0; word < RECORD_WORDS; word++) words[to + word] = saved[from + word]!;
}
