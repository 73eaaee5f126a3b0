import { randomInt } from 'node:crypto';

import type { JsonLimits } from './json-limits.js';
import { isUnsafeNumber } from './number-literal.js';
import { escapeAt, isRefusedAt } from './text-bytes.js';

const PLAIN = 0;
const QUOTE = 1;
const BACKSLASH = 2;
const WIDE = 3;
/** A control, or DEL: no text. */
const CONTROL = 4;
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22) return QUOTE;
  if (byte === 0x5c) return BACKSLASH;
  if (byte >= 0x80) return WIDE;
  return byte < 0x20 || byte === 0x7f ? CONTROL : PLAIN;
});

const REFUSED = -1;
/** Names are compared by hash; nobody outside can know which ones collide. */
const MULTIPLIER = randomInt(2 ** 30) * 2 + 1;
const DANGEROUS: ReadonlySet<number> = new Set(['__proto__', 'constructor', 'prototype'].map(hashOf));
/** Steps to a free place; where more are necessary, the exact scanner looks. */
const MAX_PROBES = 16;
/** Objects are numbered on from text to text, so that nothing has to be cleared in between; up to here. */
const LAST_OWNER = 2 ** 30;
/** Behind so many letters it is worth asking Node for the end of a string. */
const LONG_STRING = 48;
/** A number of so few characters fits a double, whatever it is. */
const SHORT_NUMBER = 15;

/**
 * Looks in one pass over the bytes for all that `JSON.parse` does not see: shape, names that come twice or are dangerous,
 * numbers that a double would change, characters that are no text. It only ever says yes, and only of texts that
 * `JSON.parse` then accepts; what it does not like or cannot tell, `JsonScanner` has to judge. One for all bodies of the same
 * limits: a scan allocates nothing and is never interrupted.
 */
export class ByteScanner {
  /** Letters beyond ASCII stand in the text as they are. */
  wide = false;
  /** Some are escaped: the text itself does not show whether they are in NFC. */
  wideEscapes = false;
  negativeZero = false;
  /** Which object has a name of this hash: an open-addressing table, at most half full. */
  readonly #owners: Int32Array;
  readonly #hashes: Int32Array;
  readonly #mask: number;
  #lastOwner = 0;
  #firstOwner = 1;
  /** By depth: the number of the object that is open there, or 0 for an array. */
  readonly #open: Int32Array;
  /** By depth: commas of the array so far. */
  readonly #commas: Int32Array;
  #keys = 0;
  /** No escape and no DEL is in the whole text, so strings end at the next quote. */
  #hops = false;

  constructor(private readonly limits: JsonLimits) {
    const size = 2 ** Math.ceil(Math.log2(2 * limits.maxKeys + 2));
    this.#owners = new Int32Array(size);
    this.#hashes = new Int32Array(size);
    this.#mask = size - 1;
    this.#open = new Int32Array(limits.maxDepth + 1);
    this.#commas = new Int32Array(limits.maxDepth + 1);
  }

  /** @param bytes valid UTF-8. @returns `false` says that the exact scanner has to look */
  scan(bytes: Uint8Array, ascii: boolean): boolean {
    this.#begin(bytes, ascii);
    const { maxDepth, maxItems } = this.limits;
    const open = this.#open;
    const commas = this.#commas;
    const { length } = bytes;
    let depth = 0;
    let expectsName = false;
    let i = 0;
    while (i < length) {
      const byte = bytes[i]!;
      if (byte === 0x22) {
        i = expectsName ? this.#name(bytes, i + 1, open[depth]!) : this.#text(bytes, i + 1);
        if (i === REFUSED) return false;
        expectsName = false;
      } else if (byte === 0x2c) {
        if (open[depth] !== 0) expectsName = true;
        else if (++commas[depth]! >= maxItems) return false;
        i++;
      } else if (byte === 0x7b || byte === 0x5b) {
        if (++depth > maxDepth) return false;
        expectsName = byte === 0x7b;
        open[depth] = expectsName ? ++this.#lastOwner : 0;
        commas[depth] = 0;
        i++;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--depth < 0) return false;
        expectsName = false;
        i++;
      } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
        i = this.#number(bytes, i);
        if (i === REFUSED) return false;
      } else i++;
    }
    return true;
  }

  #begin(bytes: Uint8Array, ascii: boolean): void {
    if (this.#lastOwner > LAST_OWNER) {
      this.#owners.fill(0);
      this.#lastOwner = 0;
    }
    this.#firstOwner = this.#lastOwner + 1;
    this.#keys = 0;
    this.#open[0] = 0;
    this.#commas[0] = 0;
    this.wide = this.wideEscapes = this.negativeZero = false;
    this.#hops = ascii && !bytes.includes(0x5c) && !bytes.includes(0x7f);
  }

  /** All three move behind what they read, or say that it cannot be accepted here. */
  #name(bytes: Uint8Array, start: number, owner: number): number {
    const { length } = bytes;
    let hash = 0;
    let i = start;
    for (; i < length; i++) {
      const letter = bytes[i]!;
      const kind = KINDS[letter]!;
      if (kind !== PLAIN) {
        if (kind === QUOTE) break;
        if (kind !== WIDE || isRefusedAt(bytes, i)) return REFUSED;
        this.wide = true;
      }
      hash = (Math.imul(hash, MULTIPLIER) + letter) | 0;
    }
    if (i - start > this.limits.maxKeyLength || ++this.#keys > this.limits.maxKeys) return REFUSED;
    return this.#isNew(hash, owner) ? i + 1 : REFUSED;
  }

  #text(bytes: Uint8Array, start: number): number {
    const { length } = bytes;
    const hopAt = this.#hops ? start + LONG_STRING : length;
    let i = start;
    for (; i < length; i++) {
      const kind = KINDS[bytes[i]!]!;
      if (kind === PLAIN) {
        if (i !== hopAt) continue;
        i = bytes.indexOf(0x22, i);
        if (i < 0) return REFUSED;
        break;
      }
      if (kind === QUOTE) break;
      if (kind === WIDE) {
        if (isRefusedAt(bytes, i)) return REFUSED;
        this.wide = true;
      } else if (kind === BACKSLASH) {
        const escape = escapeAt(bytes, i + 1);
        if (escape === 0) return REFUSED;
        if (escape < 0) this.wideEscapes = true;
        i += Math.abs(escape);
      } else return REFUSED;
    }
    return i - start > this.limits.maxStringLength ? REFUSED : i + 1;
  }

  #number(bytes: Uint8Array, start: number): number {
    const { length } = bytes;
    let hasExponent = false;
    let i = start + 1;
    for (; i < length; i++) {
      const code = bytes[i]!;
      if ((code >= 0x30 && code <= 0x39) || code === 0x2e) continue;
      if (code === 0x65 || code === 0x45) hasExponent = true;
      else if (code !== 0x2b && code !== 0x2d) break;
    }
    const maybeNegativeZero = bytes[start] === 0x2d && bytes[start + 1] === 0x30;
    if (!hasExponent && i - start <= SHORT_NUMBER && !maybeNegativeZero) return i;
    const literal = String.fromCharCode(...bytes.subarray(start, i));
    if (isUnsafeNumber(literal)) return REFUSED;
    if (Object.is(Number(literal), -0)) this.negativeZero = true;
    return i;
  }

  /** Notes a name; `false` if the object has had it already, as far as this table can tell. */
  #isNew(hash: number, owner: number): boolean {
    if (DANGEROUS.has(hash)) return false;
    const owners = this.#owners;
    let at = (Math.imul(hash ^ Math.imul(owner, 0x9e37_79b1), 0x85eb_ca6b) >>> 7) & this.#mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const known = owners[at]!;
      if (known < this.#firstOwner) {
        owners[at] = owner;
        this.#hashes[at] = hash;
        return true;
      }
      if (known === owner && this.#hashes[at] === hash) return false;
      at = (at + 1) & this.#mask;
    }
    return false;
  }
}

function hashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, MULTIPLIER) + name.charCodeAt(i)) | 0;
  return hash;
}
