import type { JsonLimits } from './json-limits.js';
import { isDangerousName, nameHash, NameTable } from './name-table.js';
import { isUnsafeNumber } from './number-literal.js';
import { BACKSLASH, escapeAt, isRefusedAt, KINDS, mayCompose, PLAIN, QUOTE, WIDE } from './text-bytes.js';

const REFUSED = -1;
/** Behind so many letters it is worth having searched for the end of a string. */
const LONG_STRING = 24;
/** A number of so few characters fits a double, whatever it is. */
const SHORT_NUMBER = 15;

/**
 * Looks in one pass over the bytes for all that `JSON.parse` does not see: shape, names that come twice or are dangerous,
 * numbers that a double would change, characters that are no text. It only ever says yes, and only of texts that
 * `JSON.parse` then accepts; what it does not like or cannot tell, `JsonScanner` has to judge. One for all bodies of the same
 * limits: a scan allocates nothing and is never interrupted.
 */
export class ByteScanner {
  /** Some letter may change in NFC. */
  composes = false;
  /** There are `\\u` escapes, so the text itself does not show whether what it says is in NFC. */
  hides = false;
  negativeZero = false;
  readonly #names: NameTable;
  #lastOwner = 0;
  /** By depth, of what is open around the present array or object: the number of the object, or 0 for an array. */
  readonly #open: Int32Array;
  /** By depth, of the same: commas of the array so far. */
  readonly #commas: Int32Array;
  #keys = 0;
  /** No DEL is in the text: of ASCII in a string, only quotes and backslashes mean something that `JSON.parse` does not see. */
  #simple = false;
  /** Nothing but ASCII either, nor a backslash. */
  #hops = false;

  constructor(private readonly limits: JsonLimits) {
    this.#names = new NameTable(limits.maxKeys);
    this.#open = new Int32Array(limits.maxDepth + 1);
    this.#commas = new Int32Array(limits.maxDepth + 1);
  }

  /** @param bytes valid UTF-8, of which `text` is the text. @returns `false` says that the exact scanner has to look */
  scan(bytes: Uint8Array, text: string, ascii: boolean): boolean {
    this.#begin(bytes, text, ascii);
    const { maxDepth, maxItems } = this.limits;
    const open = this.#open;
    const commas = this.#commas;
    const { length } = bytes;
    let depth = 0;
    // Of what is open at the moment: its number, or 0 for an array, and the commas of the array so far.
    let owner = 0;
    let seen = 0;
    let expectsName = false;
    let i = 0;
    while (i < length) {
      const byte = bytes[i]!;
      if (byte === 0x22) {
        i = expectsName ? this.#name(bytes, i + 1, owner) : this.#text(bytes, text, i + 1);
        if (i === REFUSED) return false;
        expectsName = false;
      } else if (byte === 0x2c) {
        if (owner !== 0) expectsName = true;
        else if (++seen >= maxItems) return false;
        i++;
      } else if (byte <= 0x39) {
        // Space, or the first character of a number.
        if (byte === 0x2d || byte >= 0x30) {
          i = this.#number(bytes, i);
          if (i === REFUSED) return false;
        } else i++;
      } else if (byte === 0x7b || byte === 0x5b) {
        open[depth] = owner;
        commas[depth] = seen;
        if (++depth > maxDepth) return false;
        expectsName = byte === 0x7b;
        owner = expectsName ? ++this.#lastOwner : 0;
        seen = 0;
        i++;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (--depth < 0) return false;
        owner = open[depth]!;
        seen = commas[depth]!;
        expectsName = false;
        i++;
      } else i++;
    }
    return true;
  }

  #begin(bytes: Uint8Array, text: string, ascii: boolean): void {
    this.#lastOwner = this.#names.begin(this.#lastOwner, bytes.length);
    this.#keys = 0;
    this.composes = this.hides = this.negativeZero = false;
    this.#simple = !text.includes('\u007f');
    this.#hops = ascii && this.#simple && bytes.length > LONG_STRING && !text.includes('\\');
  }

  /** All three move behind what they read, or say that it cannot be accepted here. */
  #name(bytes: Uint8Array, start: number, owner: number): number {
    const { length } = bytes;
    let i = start;
    if (this.#simple) while (i < length && bytes[i] !== 0x22 && bytes[i] !== 0x5c && bytes[i]! < 0x80) i++;
    if (i >= length || bytes[i] !== 0x22) i = this.#endOfRest(bytes, i, false);
    const size = i - start;
    // What is refused has no size either.
    if (size < 0 || size > this.limits.maxKeyLength || ++this.#keys > this.limits.maxKeys) return REFUSED;
    const hash = nameHash(bytes, start, i);
    if (isDangerousName(hash, size) || !this.#names.isNew(hash, owner)) return REFUSED;
    return bytes[i + 1] === 0x3a ? i + 2 : i + 1;
  }

  #text(bytes: Uint8Array, text: string, start: number): number {
    const { length } = bytes;
    const maxLength = this.limits.maxStringLength;
    let i = start;
    if (this.#simple) {
      const hopAt = this.#hops ? start + LONG_STRING : length;
      while (i < length) {
        const byte = bytes[i]!;
        if (byte === 0x22) return i - start > maxLength ? REFUSED : i + 1;
        if (byte === 0x5c || byte >= 0x80) break;
        if (++i === hopAt) {
          i = text.indexOf('"', i);
          return i < 0 || i - start > maxLength ? REFUSED : i + 1;
        }
      }
    }
    i = this.#endOfRest(bytes, i, true);
    return i === REFUSED || i - start > maxLength ? REFUSED : i + 1;
  }

  /** Where a string ends that goes on with letters, or with escapes, that need a look. */
  #endOfRest(bytes: Uint8Array, start: number, mayEscape: boolean): number {
    const { length } = bytes;
    let i = start;
    for (; i < length; i++) {
      const kind = KINDS[bytes[i]!]!;
      if (kind === PLAIN) continue;
      if (kind === QUOTE) break;
      if (kind === WIDE) {
        if (isRefusedAt(bytes, i)) return REFUSED;
        if (mayCompose(bytes, i)) this.composes = true;
      } else if (kind === BACKSLASH && mayEscape) {
        const escape = escapeAt(bytes, i + 1);
        if (escape === 0) return REFUSED;
        if (escape < 0) this.composes = true;
        if (escape !== 1) this.hides = true;
        i += Math.abs(escape);
      } else return REFUSED;
    }
    return i;
  }

  #number(bytes: Uint8Array, start: number): number {
    const { length } = bytes;
    let i = start + 1;
    let code = bytes[i]!;
    while (code >= 0x30 && code <= 0x39) code = bytes[++i]!;
    // Nearly all numbers are whole and short.
    if (
      (code === 0x2c || code === 0x5d || code === 0x7d) &&
      i - start <= SHORT_NUMBER &&
      bytes[start] !== 0x2d
    )
      return i;
    const whole = i;
    let hasExponent = false;
    for (; i < length; code = bytes[++i]!) {
      if ((code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === 0x2d) continue;
      if (code !== 0x65 && code !== 0x45) break;
      hasExponent = true;
    }
    const maybeZero = bytes[start] === 0x2d && bytes[start + 1] === 0x30;
    if (!hasExponent) {
      if (i - start <= SHORT_NUMBER && !maybeZero) return i;
      // Between two whole numbers, so far from both that rounding reaches neither.
      const tenth = bytes[whole] === 0x2e && whole - start < SHORT_NUMBER ? bytes[whole + 1]! : 0x30;
      if (tenth > 0x30 && tenth < 0x39) return i;
    }
    let literal = '';
    for (let at = start; at < i; at++) literal += String.fromCharCode(bytes[at]!);
    if (isUnsafeNumber(literal)) return REFUSED;
    if (maybeZero && Number(literal) === 0) this.negativeZero = true;
    return i;
  }
}
