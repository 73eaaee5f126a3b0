/** A JSON object of a token: own properties only, made without a prototype. */
export type Claims = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 10;
const MAX_MEMBERS = 100;
const MAX_STRING_LENGTH = 4_096;

/** The text is not the strict JSON object that a token must hold. Thrown and caught inside the reader only. */
export class ClaimsRefused extends Error {}

/**
 * Parses the JSON object of a token's header or claims: RFC 8259 and no more, each name once after escapes, no `__proto__`,
 * no lone surrogate, no number beyond a double, at most 10 levels, 100 members an object and 4 096 characters a string
 * (R-JW-06, R-JW-12). A byte-order mark is no JSON, so it fails by itself. Linear, one pass.
 *
 * @param text decoded from valid UTF-8
 * @throws ClaimsRefused
 */
export function parseStrictClaims(text: string): Claims {
  return new ClaimsParser(text).parse();
}

class ClaimsParser {
  #pos = 0;

  constructor(private readonly text: string) {}

  parse(): Claims {
    this.#space();
    if (this.#code() !== 0x7b) throw new ClaimsRefused('not an object');
    const claims = this.#object(1);
    this.#space();
    if (this.#pos !== this.text.length) throw new ClaimsRefused('trailing data');
    return claims;
  }

  #code(): number {
    return this.text.charCodeAt(this.#pos);
  }

  #space(): void {
    let code = this.#code();
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.#pos++;
      code = this.#code();
    }
  }

  // Recursion ends at MAX_DEPTH, so no token can exhaust the stack.
  #value(depth: number): unknown {
    const code = this.#code();
    if (code === 0x22) return this.#string();
    if (code === 0x7b) return this.#object(depth + 1);
    if (code === 0x5b) return this.#array(depth + 1);
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number();
    if (this.#word('true')) return true;
    if (this.#word('false')) return false;
    if (this.#word('null')) return null;
    throw new ClaimsRefused('grammar');
  }

  #word(word: string): boolean {
    if (!this.text.startsWith(word, this.#pos)) return false;
    this.#pos += word.length;
    return true;
  }

  #object(depth: number): Claims {
    if (depth > MAX_DEPTH) throw new ClaimsRefused('depth');
    const members = Object.create(null) as Record<string, unknown>;
    if (this.#opens(0x7d)) return members;
    for (let count = 1; ; count++) {
      if (count > MAX_MEMBERS) throw new ClaimsRefused('members');
      if (this.#code() !== 0x22) throw new ClaimsRefused('grammar');
      const name = this.#string();
      if (name === '__proto__' || name in members) throw new ClaimsRefused('name');
      this.#space();
      if (this.#code() !== 0x3a) throw new ClaimsRefused('grammar');
      this.#pos++;
      this.#space();
      members[name] = this.#value(depth);
      if (this.#closes(0x7d)) return members;
    }
  }

  #array(depth: number): readonly unknown[] {
    if (depth > MAX_DEPTH) throw new ClaimsRefused('depth');
    const items: unknown[] = [];
    if (this.#opens(0x5d)) return items;
    for (;;) {
      items.push(this.#value(depth));
      if (this.#closes(0x5d)) return items;
    }
  }

  /** Steps over an opening bracket; true if the closing one follows at once. */
  #opens(closing: number): boolean {
    this.#pos++;
    this.#space();
    if (this.#code() !== closing) return false;
    this.#pos++;
    return true;
  }

  /** Steps over what follows a value; true if it was the closing bracket, false if it was a comma. */
  #closes(closing: number): boolean {
    this.#space();
    const code = this.#code();
    this.#pos++;
    if (code === closing) return true;
    if (code !== 0x2c) throw new ClaimsRefused('grammar');
    this.#space();
    return false;
  }

  #string(): string {
    const { text } = this;
    const start = ++this.#pos;
    let escaped = false;
    for (let i = start; ; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x22) {
        this.#pos = i + 1;
        const value = escaped ? unescape(text.slice(start, i)) : text.slice(start, i);
        if (value.length > MAX_STRING_LENGTH) throw new ClaimsRefused('string');
        return value;
      }
      if (code === 0x5c) {
        escaped = true;
        i++;
      } else if (!(code >= 0x20)) throw new ClaimsRefused('string'); // a control character, or the end (NaN)
    }
  }

  #number(): number {
    const { text } = this;
    const start = this.#pos;
    let i = text.charCodeAt(start) === 0x2d ? start + 1 : start;
    const leadingZero = text.charCodeAt(i) === 0x30;
    const fraction = this.#digits(i);
    if (leadingZero && fraction > i + 1) throw new ClaimsRefused('number');
    i = fraction;
    if (text.charCodeAt(i) === 0x2e) i = this.#digits(i + 1);
    if ((text.charCodeAt(i) | 0x20) === 0x65) {
      const sign = text.charCodeAt(i + 1);
      i = this.#digits(sign === 0x2b || sign === 0x2d ? i + 2 : i + 1);
    }
    this.#pos = i;
    const value = Number(text.slice(start, i));
    if (!Number.isFinite(value)) throw new ClaimsRefused('number');
    return value;
  }

  /** Index behind at least one digit. */
  #digits(from: number): number {
    let i = from;
    for (let code = this.text.charCodeAt(i); code >= 0x30 && code <= 0x39; code = this.text.charCodeAt(i))
      i++;
    if (i === from) throw new ClaimsRefused('number');
    return i;
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function unescape(raw: string): string {
  let value: unknown;
  try {
    // The text between two quotes holds no bare quote and no control character: what is left to judge are the escapes.
    value = JSON.parse(`"${raw}"`);
  } catch {
    throw new ClaimsRefused('string');
  }
  if (typeof value !== 'string' || LONE_SURROGATE.test(value)) throw new ClaimsRefused('string');
  return value;
}
