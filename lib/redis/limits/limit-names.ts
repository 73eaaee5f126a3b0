import { createHash } from 'node:crypto';

import { sha256 } from '../../authentication/sha256.js';
import type { LimitMeter } from '../../policy/limit-meter.js';
import { slotTagOf } from './slot-tags.js';

/** Of the layout of keys and values: another one counts anew, beside the old. */
const VERSION = 2;
/** Characters of base64url that hold at least 128 bits. */
const TAG_LENGTH = 22;
/** A half of a UTF-16 pair that stands alone: UTF-8 has the same bytes for all of them. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What a script has to be told of a meter, made once for each. */
export interface MeterWords {
  /** What follows the tag in the name of a counter. */
  readonly name: string;
  /** The kind of counter: `s`liding window, `b`ucket or `f`ixed window. */
  readonly kind: 's' | 'b' | 'f';
  /** Kind, limit, window, the burst of a bucket or the bits of a sliding window's count, and 1 for a dry run. */
  readonly rule: string;
  /** Whether its units are taken to the node in advance, where its turns are long enough for that. */
  readonly isLeased: boolean;
  /** Tells counters with different limits apart, under one prefix. */
  readonly limitName: string;
}

/** Shorter windows are not leased: a lease is over with its sixth of the window, and would be before it has come. */
const MIN_LEASED_MS = 300;

/**
 * Names of counters: `<prefix>rl:2:{<tag>}:<bucket>:<kind><window in base 36>`. The tag is a digest of the subject, so no text of a user's ever reaches
 * a command or meets another's (R-RL-20), and on a cluster all limits of one subject are in one slot.
 */
export class LimitNames {
  readonly #begin: string;
  readonly #words = new WeakMap<LimitMeter, MeterWords>();

  constructor(prefix: string) {
    this.#begin = `${prefix}rl:${VERSION}:`;
  }

  /** Of the list of nodes. */
  get nodes(): string {
    return `${this.#begin}nodes`;
  }

  /** Of what is known of the server's clock. @param tag on a cluster: there it is in the slot of this one */
  clock(tag: string): string {
    return tag === '' ? `${this.#begin}clock` : `${this.#begin}clock:{${slotTagOf(tag)}}`;
  }

  counter(tag: string, meter: LimitMeter): string {
    return `${this.#begin}{${tag}}:${this.wordsOf(meter).name}`;
  }

  wordsOf(meter: LimitMeter): MeterWords {
    let words = this.#words.get(meter);
    if (words === undefined) this.#words.set(meter, (words = newWords(meter)));
    return words;
  }
}

/** The digest of a subject. */
export function tagOf(subject: string): string {
  if (!LONE_SURROGATE.test(subject)) return sha256(subject).slice(0, TAG_LENGTH);
  // 0xff is in no UTF-8, so this is no other text's digest.
  const hash = createHash('sha256').update(Buffer.of(0xff)).update(Buffer.from(subject, 'utf16le'));
  return hash.digest('base64url').slice(0, TAG_LENGTH);
}

function newWords(meter: LimitMeter): MeterWords {
  const { algorithm, bucket, burst, dryRun, limit, mode, windowMs } = meter;
  const kind = algorithm === 'token-bucket' ? 'b' : algorithm === 'fixed-window' ? 'f' : 's';
  const size = kind === 'b' ? burst : bitsOf(limit);
  const name = `${bucket}:${kind}${windowMs.toString(36)}`;
  return {
    name,
    limitName: `${name}\n${limit}`,
    kind,
    rule: `${kind}${limit},${windowMs},${size},${dryRun ? 1 : 0};`,
    isLeased: mode === 'lease' && algorithm === 'sliding-window' && !dryRun && windowMs >= MIN_LEASED_MS,
  };
}

/** That a count up to the limit takes. */
export function bitsOf(limit: number): number {
  return 32 - Math.clz32(limit);
}
