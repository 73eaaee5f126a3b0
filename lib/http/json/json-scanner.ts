import type { JsonLimits } from './json-limits.js';
import { isUnsafeNumber } from './number-literal.js';
import { isRefusedCodePoint } from './text-rules.js';

/** Why a text is refused; `shape` is over a limit, everything else is not the JSON that it claims to be. */
export type JsonFault = 'shape' | 'grammar' | 'duplicate' | 'name' | 'number' | 'string';

/** Thrown inside the scan only. */
export class JsonRefused extends Error {
  constructor(readonly fault: JsonFault) {
    super(fault);
  }
}

const OBJECT = 1;
const ARRAY = 2;
/** Member names are compared one by one up to here; larger objects get a set. */
const FEW_NAMES = 12;

/**
 * One pass over a JSON text, without recursion: grammar, shape limits, duplicate and dangerous names, numbers that a double
 * cannot hold, characters that no text field should. Builds nothing: what passes is safe for `JSON.parse`.
 */
export class JsonScanner {
  /** Some text is not ASCII, so it has to be normalised. */
  hasWideText = false;
  hasNegativeZero = false;
  #pos = 0;
  #keys = 0;
  readonly #names: string[] = [];

  constructor(
    private readonly text: string,
    private readonly limits: JsonLimits,
  ) {}

  /** @throws JsonRefused */
  scan(): void {
    const { text, limits } = this;
    const kinds: number[] = [];
    const counts: number[] = [];
    const nameStarts: number[] = [];
    const nameSets: (Set<string> | undefined)[] = [];
    let depth = 0;
    this.#space();
    for (;;) {
      // One value begins here.
      const code = text.charCodeAt(this.#pos);
      if (code === 0x7b || code === 0x5b) {
        if (++depth > limits.maxDepth) throw new JsonRefused('shape');
        this.#pos++;
        this.#space();
        const isObject = code === 0x7b;
        if (text.charCodeAt(this.#pos) === (isObject ? 0x7d : 0x5d)) {
          this.#pos++;
          depth--;
        } else {
          kinds[depth] = isObject ? OBJECT : ARRAY;
          counts[depth] = 1;
          nameStarts[depth] = this.#names.length;
          nameSets[depth] = undefined;
          if (isObject) this.#name(nameStarts[depth]!, nameSets, depth);
          continue;
        }
      } else this.#scalar(code);
      // The value has ended: what comes next depends on what is around it.
      for (;;) {
        this.#space();
        if (depth === 0) {
          if (this.#pos !== text.length) throw new JsonRefused('grammar');
          return;
        }
        const next = text.charCodeAt(this.#pos);
        const isObject = kinds[depth] === OBJECT;
        if (next === 0x2c) {
          this.#pos++;
          this.#space();
          if (isObject) this.#name(nameStarts[depth]!, nameSets, depth);
          else if (++counts[depth]! > limits.maxItems) throw new JsonRefused('shape');
          break;
        }
        if (next !== (isObject ? 0x7d : 0x5d)) throw new JsonRefused('grammar');
        this.#pos++;
        this.#names.length = nameStarts[depth]!;
        depth--;
      }
    }
  }

  #space(): void {
    const { text } = this;
    let code = text.charCodeAt(this.#pos);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)
      code = text.charCodeAt(++this.#pos);
  }

  #name(first: number, sets: (Set<string> | undefined)[], depth: number): void {
    const { text, limits } = this;
    if (text.charCodeAt(this.#pos) !== 0x22) throw new JsonRefused('grammar');
    if (++this.#keys > limits.maxKeys) throw new JsonRefused('shape');
    const start = this.#pos + 1;
    const escaped = this.#string(limits.maxKeyLength);
    const raw = text.slice(start, this.#pos - 1);
    const name = escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
    if (name === '__proto__' || name === 'constructor' || name === 'prototype') throw new JsonRefused('name');
    const names = this.#names;
    let set = sets[depth];
    if (set === undefined && names.length - first >= FEW_NAMES)
      sets[depth] = set = new Set(names.slice(first));
    if (set) {
      if (set.has(name)) throw new JsonRefused('duplicate');
      set.add(name);
    } else {
      for (let i = first; i < names.length; i++) if (names[i] === name) throw new JsonRefused('duplicate');
      names.push(name);
    }
    this.#space();
    if (text.charCodeAt(this.#pos) !== 0x3a) throw new JsonRefused('grammar');
    this.#pos++;
    this.#space();
  }

  #scalar(code: number): void {
    if (code === 0x22) this.#string(this.limits.maxStringLength);
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) this.#number();
    else if (code === 0x74) this.#word('true');
    else if (code === 0x66) this.#word('false');
    else if (code === 0x6e) this.#word('null');
    else throw new JsonRefused('grammar');
  }

  #word(word: string): void {
    if (!this.text.startsWith(word, this.#pos)) throw new JsonRefused('grammar');
    this.#pos += word.length;
  }

  /** Moves behind the closing quote; tells whether there were escapes. */
  #string(maxLength: number): boolean {
    const { text } = this;
    const start = ++this.#pos;
    let escaped = false;
    for (let i = start; ; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x22) {
        if (i - start > maxLength && (!escaped || decodedLength(text.slice(start, i)) > maxLength))
          throw new JsonRefused('shape');
        this.#pos = i + 1;
        return escaped;
      }
      if (code >= 0x20 && code < 0x7f && code !== 0x5c) continue;
      if (code === 0x5c) {
        escaped = true;
        i = this.#escape(i + 1);
      } else if (code >= 0x80) i = this.#wide(i);
      // A control character, DEL, or the end of the text (NaN).
      else throw new JsonRefused(Number.isNaN(code) || code < 0x20 ? 'grammar' : 'string');
    }
  }

  /** A character beyond ASCII; the text comes from valid UTF-8, so surrogates stand in pairs. */
  #wide(at: number): number {
    this.hasWideText = true;
    const point = this.text.codePointAt(at)!;
    if (isRefusedCodePoint(point)) throw new JsonRefused('string');
    return point > 0xffff ? at + 1 : at;
  }

  /** `at` stands on the character behind the backslash; returns the last one of the escape. */
  #escape(at: number): number {
    switch (this.text.charCodeAt(at)) {
      case 0x22:
      case 0x5c:
      case 0x2f:
      case 0x6e:
      case 0x72:
      case 0x74:
        return at;
      case 0x62:
      case 0x66:
        // Backspace and form feed are well-formed JSON and no text.
        throw new JsonRefused('string');
      case 0x75:
        return this.#unicodeEscape(at);
      default:
        throw new JsonRefused('grammar');
    }
  }

  #unicodeEscape(at: number): number {
    const { text } = this;
    const unit = hex4(text, at + 1);
    if (unit >= 0x80) this.hasWideText = true;
    if (unit >= 0xdc00 && unit <= 0xdfff) throw new JsonRefused('string');
    if (unit < 0xd800 || unit > 0xdbff) {
      if (isRefusedCodePoint(unit)) throw new JsonRefused('string');
      return at + 4;
    }
    const paired = text.charCodeAt(at + 5) === 0x5c && text.charCodeAt(at + 6) === 0x75;
    const low = paired ? hex4(text, at + 7) : 0;
    if (low < 0xdc00 || low > 0xdfff) throw new JsonRefused('string');
    if (isRefusedCodePoint((unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x1_0000))
      throw new JsonRefused('string');
    return at + 10;
  }

  #number(): void {
    const { text } = this;
    const start = this.#pos;
    let i = start;
    if (text.charCodeAt(i) === 0x2d) i++;
    const integer = i;
    let code = text.charCodeAt(i);
    if (code === 0x30) code = text.charCodeAt(++i);
    else {
      if (!(code >= 0x31 && code <= 0x39)) throw new JsonRefused('grammar');
      while (code >= 0x30 && code <= 0x39) code = text.charCodeAt(++i);
    }
    let plain = true;
    if (code === 0x2e) {
      plain = false;
      i = digits(text, i + 1);
      code = text.charCodeAt(i);
    }
    if (code === 0x65 || code === 0x45) {
      plain = false;
      const sign = text.charCodeAt(i + 1);
      i = digits(text, sign === 0x2b || sign === 0x2d ? i + 2 : i + 1);
    }
    this.#pos = i;
    if (plain && i - integer <= 15) {
      if (i - integer === 1 && integer > start && text.charCodeAt(integer) === 0x30)
        this.hasNegativeZero = true;
      return;
    }
    const literal = text.slice(start, i);
    if (isUnsafeNumber(literal)) throw new JsonRefused('number');
    if (Object.is(Number(literal), -0)) this.hasNegativeZero = true;
  }
}

function digits(text: string, from: number): number {
  let i = from;
  for (let code = text.charCodeAt(i); code >= 0x30 && code <= 0x39; code = text.charCodeAt(i)) i++;
  if (i === from) throw new JsonRefused('grammar');
  return i;
}

function hex4(text: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const code = text.charCodeAt(i) | 0x20;
    if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30;
    else if (code >= 0x61 && code <= 0x66) value = value * 16 + code - 0x57;
    else throw new JsonRefused('grammar');
  }
  return value;
}

function decodedLength(raw: string): number {
  return (JSON.parse(`"${raw}"`) as string).length;
}
