import fc from 'fast-check';
import { expect, it } from 'vitest';

import { KeyedHash } from '../../../lib/rate-limit/memory/keyed-hash.js';

const rotated = (word: number, by: number) => (word << by) | (word >>> (32 - by));

/** HalfSipHash-1-3 as its paper has it, for texts in bytes; all four words of the state at the end. */
function plainDigest(text: string, key: Uint32Array): [number, number] {
  const bytes = Buffer.from(text, 'latin1');
  const padded = Buffer.alloc((bytes.length & ~3) + 4);
  bytes.copy(padded);
  padded[padded.length - 1] = bytes.length & 0xff;
  const v = Int32Array.of(key[0]!, key[1]! ^ 0xee, 0x6c796765 ^ key[0]!, 0x74656462 ^ key[1]!);
  const half = (a: number, b: number, by: number) => {
    v[a]! += v[b]!;
    v[b] = rotated(v[b]!, by) ^ v[a]!;
  };
  const round = () => {
    half(0, 1, 5);
    v[0] = rotated(v[0]!, 16);
    half(2, 3, 8);
    half(0, 3, 7);
    half(2, 1, 13);
    v[2] = rotated(v[2]!, 16);
  };
  for (let at = 0; at < padded.length; at += 4) {
    v[3]! ^= padded.readInt32LE(at);
    round();
    v[0]! ^= padded.readInt32LE(at);
  }
  v[2]! ^= 0xee;
  for (let i = 0; i < 3; i++) round();
  return [v[1]! ^ v[3]!, v[0]! ^ v[2]!];
}

it('R-RL-20 digests texts in bytes as HalfSipHash-1-3 does, under its key', () => {
  const word = fc.nat(0xffff_ffff);
  const text = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(word, word, text, (first, second, subject) => {
      const key = Uint32Array.of(first, second);
      const hash = new KeyedHash(key);
      hash.digest(subject);
      expect([hash.high, hash.low]).toEqual(plainDigest(subject, key));
    }),
    { numRuns: 2_000 },
  );
});
