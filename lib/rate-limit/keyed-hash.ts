import { randomFillSync } from 'node:crypto';

/**
 * HalfSipHash-1-3 with 64 bits of output (two 32-bit halves) and a random key: a client that chooses its own key text cannot
 * aim at somebody else's counter (R-RL-20). Works on 32-bit integers alone, so that V8 keeps it out of the heap.
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
    let v0 = this.#key0;
    let v1 = this.#key1 ^ 0xee;
    let v2 = 0x6c796765 ^ this.#key0;
    let v3 = 0x74656462 ^ this.#key1;
    const length = text.length;
    for (let i = 0; i < length; i += 2) {
      // Two UTF-16 units make one word; the length in the last word tells a missing unit from U+0000.
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
    v3 ^= length;
    for (let round = 0; round < 7; round++) {
      if (round === 1) {
        v0 ^= length;
        v2 ^= 0xee;
      } else if (round === 4) {
        this.high = v1 ^ v3;
        v1 ^= 0xdd;
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
    this.low = v1 ^ v3;
  }
}
