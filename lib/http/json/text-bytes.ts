import { isRefusedCodePoint } from './text-rules.js';

/**
 * Whether the character that begins at a byte beyond ASCII is one that no text may hold (R-IV-08). The bytes are valid
 * UTF-8, so surrogates cannot be among them.
 */
export function isRefusedAt(bytes: Uint8Array, at: number): boolean {
  const lead = bytes[at]!;
  // C1 controls begin with C2, non-characters with EF or, beyond the basic plane, with F0 to F4.
  if (lead < 0xef) return lead === 0xc2 && bytes[at + 1]! < 0xa0;
  const [second, third] = [bytes[at + 1]! & 0x3f, bytes[at + 2]! & 0x3f];
  if (lead === 0xef) return isRefusedCodePoint(0xf000 | (second << 6) | third);
  return isRefusedCodePoint(((lead & 7) << 18) | (second << 12) | (third << 6) | (bytes[at + 3]! & 0x3f));
}

/**
 * How many bytes an escape has behind its backslash; negative if it stands for a letter beyond ASCII, 0 if it cannot be
 * accepted as it is.
 */
export function escapeAt(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
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

function unicodeEscapeAt(bytes: Uint8Array, at: number): number {
  const unit = hex4(bytes, at);
  if (unit < 0) return 0;
  if (unit < 0xd800 || unit > 0xdfff) {
    if (isRefusedCodePoint(unit)) return 0;
    return unit < 0x80 ? 5 : -5;
  }
  const isPair = unit < 0xdc00 && bytes[at + 4] === 0x5c && bytes[at + 5] === 0x75;
  const low = isPair ? hex4(bytes, at + 6) : -1;
  if (low < 0xdc00 || low > 0xdfff) return 0;
  return isRefusedCodePoint(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)) ? 0 : -11;
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
