import { isRefusedCodePoint } from './text-rules.js';

/** Part of a string as it is: ASCII, a continuation byte, or the first byte of a letter that needs no look. */
export const PLAIN = 0;
export const QUOTE = 1;
export const BACKSLASH = 2;
/** The first byte of a letter that may be refused, or may change in NFC. */
export const WIDE = 3;
/** A control, or DEL: no text. */
const CONTROL = 4;

/**
 * First bytes of blocks in which nothing is refused or composes: Latin-1 and Latin extended, Cyrillic, CJK ideographs, Hangul
 * syllables, private use.
 */
const isPlainLead = (byte: number): boolean =>
  (byte >= 0xc3 && byte <= 0xcb) ||
  byte === 0xd0 ||
  byte === 0xd1 ||
  byte === 0xd3 ||
  (byte >= 0xe4 && byte <= 0xe9) ||
  byte === 0xeb ||
  byte === 0xec ||
  byte === 0xee;

/** What a byte means inside a string. */
export const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22) return QUOTE;
  if (byte === 0x5c) return BACKSLASH;
  if (byte < 0x20 || byte === 0x7f) return CONTROL;
  return byte < 0xc0 || isPlainLead(byte) ? PLAIN : WIDE;
});

/**
 * Whether the letter that begins at a byte is one that no text may hold (R-IV-08). The bytes are valid UTF-8, so
 * surrogates cannot be among them.
 */
export function isRefusedAt(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at]!;
  // C1 controls begin with C2, non-characters with EF or, beyond the basic plane, with F0 to F4.
  if (lead < 0xef) return lead === 0xc2 && bytes[at + 1]! < 0xa0;
  const second = bytes[at + 1]! & 0x3f;
  const third = bytes[at + 2]! & 0x3f;
  if (lead === 0xef) return isRefusedCodePoint(0xf000 | (second << 6) | third);
  return isRefusedCodePoint(((lead & 7) << 18) | (second << 12) | (third << 6) | (bytes[at + 3]! & 0x3f));
}

/** Whether a letter that begins with a byte of kind `WIDE` may change in NFC; `false` only where it cannot. */
export function mayCompose(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 1]!;
  switch (bytes[at]!) {
    case 0xc2:
    case 0xcf:
    case 0xda:
      return false;
    // Greek, without a middle dot of its own.
    case 0xce:
      return second === 0x87;
    // Hebrew and Arabic, without the marks that are put on letters.
    case 0xd6:
      return second >= 0x91;
    case 0xd7:
      return second < 0x88;
    case 0xd8:
      return second >= 0x90 && second <= 0x9a;
    case 0xd9:
      return (second >= 0x8b && second <= 0x9f) || second === 0xb0;
    // Vietnamese, and punctuation such as dashes and quotes.
    case 0xe1:
      return second < 0xb8 || second > 0xbb;
    case 0xe2:
      return second !== 0x82 && (second !== 0x80 || bytes[at + 2]! < 0x82);
    // Japanese, without the two voicing marks that combine.
    case 0xe3:
      return second === 0x80 || (second === 0x82 && bytes[at + 2]! >= 0x99 && bytes[at + 2]! <= 0x9a);
    // Emoji.
    case 0xf0:
      return second !== 0x9f;
    default:
      return true;
  }
}

/** How many bytes an escape has behind its backslash; negative if its letter may change in NFC, 0 if it cannot be accepted. */
export function escapeAt(bytes: Uint8Array, at: number): number {
  switch (bytes[at] ?? 0) {
    case 0x75:
      return unicodeEscapeAt(bytes, at + 1);
    case 0x22:
    case 0x2f:
    case 0x5c:
    case 0x6e:
    case 0x72:
    case 0x74:
      return 1;
    // Backspace and form feed are well-formed JSON and no text.
    default:
      return 0;
  }
}

/** No letter before this one is part of a composition that is not made yet. */
const FIRST_COMPOSING = 0x300;

function unicodeEscapeAt(bytes: Uint8Array, at: number): number {
  const unit = hex4(bytes, at);
  if (unit < 0) return 0;
  if (unit < 0xd800 || unit > 0xdfff) {
    if (isRefusedCodePoint(unit)) return 0;
    return unit < FIRST_COMPOSING ? 5 : -5;
  }
  const isPair = unit < 0xdc00 && bytes[at + 4] === 0x5c && bytes[at + 5] === 0x75;
  const low = isPair ? hex4(bytes, at + 6) : -1;
  if (low < 0xdc00 || low > 0xdfff) return 0;
  const point = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  if (isRefusedCodePoint(point)) return 0;
  return point >> 12 === 0x1f ? 11 : -11;
}

function hex4(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const code = (bytes[i] ?? 0) | 0x20;
    if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30;
    else if (code >= 0x61 && code <= 0x66) value = value * 16 + code - 0x57;
    else return -1;
  }
  return value;
}
