import { hasPiledMarks } from './piled-marks.js';

/**
 * Characters that no text from a client may hold (R-IV-08): controls but tab, line feed and carriage return,
 * and the code points that Unicode sets aside as non-characters.
 */
export function isRefusedCodePoint(point: number): boolean {
  if (point < 0x20) return point !== 0x09 && point !== 0x0a && point !== 0x0d;
  if (point < 0x7f) return false;
  if (point <= 0x9f) return true;
  if (point >= 0xd800 && point <= 0xdfff) return true;
  return (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
}

/** Whether a decoded text holds a refused character or half a surrogate pair. */
export function hasRefusedText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code < 0x7f) continue;
    const point = text.codePointAt(i)!;
    if (isRefusedCodePoint(point)) return true;
    if (point > 0xffff) i++;
  }
  return false;
}

/** A text in NFC; `undefined` if it stacks more marks on one letter than can be put in order in time. */
export function composed(text: string): string | undefined {
  if (hasNoMarks(text)) return text;
  return hasPiledMarks(text) ? undefined : text.normalize('NFC');
}

/** Nothing below U+0300 composes with anything below it. */
function hasNoMarks(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x300) return false;
  return true;
}
