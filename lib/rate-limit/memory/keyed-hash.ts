import { randomFillSync } from 'node:crypto';

/**
 * HalfSipHash-1-3, all of whose state makes 64 bits (two 32-bit halves), under a random key: a client that chooses its own key text
 * cannot aim at somebody else's counter (R-RL-20). Works on 32-bit integers alone, so that V8 keeps it out of the heap.
 */
export class KeyedHash {
  /** The halves of the last digest. */
  high = 0;
  low = 0;
  readonly #key0: number;
  readonly #key1: number;

  constructor(key: Uint32Array = randomFillSync(new Uint32Array(2))) {
    this.#key0 = key[0]! | 0;
    this.#key1 = key[1]! | 0;
  }

  digest(text: string): void {
    if (!this.#digestBytes(text)) this.#digestUnits(text);
  }

  /** Four characters to a word, as for a text in bytes; false if one is no byte. */
  #digestBytes(text: string): boolean {
    let v0 = this.#key0;
    let v1 = this.#key1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.#key0;
    let v3 = 0x74656462 ^ this.#key1;
    const length = text.length;
    const whole = length & ~3;
    let seen = 0;
    let i = 0;
    while (i < whole) {
      const a = text.charCodeAt(i);
      const b = text.charCodeAt(i + 1);
      const c = text.charCodeAt(i + 2);
      const d = text.charCodeAt(i + 3);
      seen |= a | b | c | d;
      const word = a | (b << 8) | (c << 16) | (d << 24);
      i += 4;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    let last = length << 24;
    for (let shift = 0; i < length; i++, shift += 8) {
      const code = text.charCodeAt(i);
      seen |= code;
      last |= code << shift;
    }
    if (seen > 0xff) return false;
    this.#finish(v0, v1, v2, v3, last);
    return true;
  }

  /** Two UTF-16 units to a word. Another start than for bytes, so that no two texts are the same words. */
  #digestUnits(text: string): void {
    let v0 = this.#key0;
    let v1 = this.#key1 ^ 0xdd;
    let v2 = 0x6c796765 ^ this.#key0;
    let v3 = 0x74656462 ^ this.#key1;
    const length = text.length;
    for (let i = 0; i < length; i += 2) {
      const word = text.charCodeAt(i) | (i + 1 < length ? text.charCodeAt(i + 1) << 16 : 0);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.#finish(v0, v1, v2, v3, length);
  }

  /** The last word, and three rounds to finish. Both halves come of one state: nobody ever sees them. */
  #finish(v0: number, v1: number, v2: number, v3: number, last: number): void {
    v3 ^= last;
    for (let round = 0; round < 4; round++) {
      if (round === 1) {
        v0 ^= last;
        v2 ^= 0xee;
      }
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.high = v1 ^ v3;
    this.low = v0 ^ v2;
  }
}
