/** What one proxy says about the hop before it (RFC 7239 §4); names and values as sent, quotes taken off. */
export interface ForwardedElement {
  readonly for: string;
  readonly proto: string;
}

/**
 * Reads a `Forwarded` header in one pass. Quotes are followed: a comma that a client got into a quoted `host` must not
 * become an element of its own.
 *
 * @returns undefined if the structure is broken, because then nobody can tell who wrote which part
 */
export function parseForwarded(text: string, maxElements: number): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  let at = 0;
  while (elements.length < maxElements) {
    const pairs = new Map<string, string>();
    for (;;) {
      const equals = text.indexOf('=', at);
      if (equals < 0) return undefined;
      const name = text.slice(at, equals).trim().toLowerCase();
      if (!isToken(name) || pairs.has(name)) return undefined;
      const value =
        text.charCodeAt(equals + 1) === QUOTE ? readQuoted(text, equals + 1) : readPlain(text, equals + 1);
      if (value === undefined) return undefined;
      pairs.set(name, value.text);
      at = value.end;
      if (text.charCodeAt(at) !== SEMICOLON) break;
      at++;
    }
    elements.push({ for: pairs.get('for') ?? '', proto: pairs.get('proto') ?? '' });
    if (at >= text.length) return elements;
    // Only a comma is left to stand here.
    at++;
  }
  return undefined;
}

interface ReadValue {
  readonly text: string;
  /** Where a semicolon, a comma or the end of the header stands. */
  readonly end: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

function readPlain(text: string, start: number): ReadValue | undefined {
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === COMMA || code === SEMICOLON) break;
    if (code === QUOTE || code === BACKSLASH) return undefined;
    end++;
  }
  return { text: text.slice(start, end).trim(), end };
}

function readQuoted(text: string, start: number): ReadValue | undefined {
  let value = '';
  let at = start + 1;
  for (; text.charCodeAt(at) !== QUOTE; at++) {
    if (text.charCodeAt(at) === BACKSLASH) at++;
    if (at >= text.length) return undefined;
    value += text[at]!;
  }
  at++;
  while (text.charCodeAt(at) === SPACE) at++;
  const next = text.charCodeAt(at);
  return at === text.length || next === COMMA || next === SEMICOLON ? { text: value, end: at } : undefined;
}

function isToken(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= SPACE || code >= 0x7f || '"(),/:;<=>?@[\\]{}'.includes(name[i]!)) return false;
  }
  return name !== '';
}
