import { randomInt } from 'node:crypto';

/** Names are compared by hash; nobody outside can know which ones collide. */
const MULTIPLIER = randomInt(2 ** 30) * 2 + 1;
const DANGEROUS: ReadonlySet<number> = new Set(
  ['__proto__', 'constructor', 'prototype'].map((name) => nameHash(Buffer.from(name), 0, name.length)),
);
/** `"":1,` */
const SHORTEST_MEMBER = 5;
/** Steps to a free place; where more are necessary, the exact scanner looks. */
const MAX_PROBES = 64;
/** Objects are numbered on from text to text, so that nothing has to be cleared in between; up to here. */
const LAST_OWNER = 2 ** 30;

/** Which object has which names: hashes in an open-addressing table, at most half full. */
export class NameTable {
  /** In pairs, the hash of a name and the number of its object. */
  readonly #names: Int32Array;
  /** Of the part of the table that a text of this length can fill at all. */
  #mask = 0;
  #firstOwner = 1;

  constructor(maxNames: number) {
    this.#names = new Int32Array(2 * tableSize(maxNames));
  }

  /** Forgets the names of the last text. @returns behind which number objects are to be counted */
  begin(lastOwner: number, textLength: number): number {
    this.#mask = Math.min(this.#names.length / 2, tableSize(textLength / SHORTEST_MEMBER)) - 1;
    let last = lastOwner;
    if (last > LAST_OWNER) {
      this.#names.fill(0);
      last = 0;
    }
    this.#firstOwner = last + 1;
    return last;
  }

  /** Notes a name; `false` if the object has had it already, as far as this table can tell. */
  isNew(hash: number, owner: number): boolean {
    const names = this.#names;
    let at = (hash ^ Math.imul(owner, 0x9e37_79b1)) & this.#mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const known = names[2 * at + 1]!;
      if (known < this.#firstOwner) {
        names[2 * at] = hash;
        names[2 * at + 1] = owner;
        return true;
      }
      if (known === owner && names[2 * at] === hash) return false;
      at = (at + 1) & this.#mask;
    }
    return false;
  }
}

/** A power of two, so that a mask finds a place; at least twice as many places as names. */
function tableSize(names: number): number {
  return 1 << (33 - Math.clz32(Math.max(1, Math.ceil(names))));
}

/** A hash of a name's bytes; four at a time, since what takes long is multiplying. */
export function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const four = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(hash ^ four, MULTIPLIER);
    hash ^= hash >>> 15;
  }
  let rest = 0;
  for (; i < end; i++) rest = (rest << 8) | bytes[i]!;
  hash = Math.imul(hash ^ rest, MULTIPLIER);
  return hash ^ (hash >>> 16);
}

/** Whether it is the hash of a name that means something to JavaScript. */
export function isDangerousName(hash: number, length: number): boolean {
  return (length === 9 || length === 11) && DANGEROUS.has(hash);
}
