import { describe, expect, it } from 'vitest';

import { escapeAt, isRefusedAt, KINDS, mayCompose, PLAIN, WIDE } from '../../../lib/http/json/text-bytes.js';
import { composed, isRefusedCodePoint } from '../../../lib/http/json/text-rules.js';

const isSurrogate = (point: number): boolean => point >= 0xd800 && point <= 0xdfff;
const POINTS = Array.from({ length: 0x11_0000 - 0x80 }, (_, i) => i + 0x80).filter(
  (one) => !isSurrogate(one),
);
const bytesOf = (point: number): Buffer => Buffer.from(String.fromCodePoint(point));

/** Letters that end a composition: behind another letter they may change it. */
function combining(): Set<number> {
  const found = new Set<number>();
  for (const point of POINTS) {
    const [, ...rest] = String.fromCodePoint(point).normalize('NFD');
    for (const letter of rest) found.add(letter.codePointAt(0)!);
  }
  return found;
}

/** Marks with an order among themselves: two such marks in the wrong order change places. */
function isReordered(letter: string): boolean {
  if (letter.normalize('NFD') !== letter) return false;
  return [`a\u0345${letter}`, `a${letter}\u0334`].some((text) => text.normalize('NFD') !== text);
}

describe('text as bytes', () => {
  it('R-IV-08 finds exactly the letters that no text may hold', () => {
    const wrong = POINTS.filter((point) => {
      const bytes = bytesOf(point);
      return (KINDS[bytes[0]!] === WIDE && isRefusedAt(bytes, 0)) !== isRefusedCodePoint(point);
    });
    expect(wrong).toEqual([]);
  });

  it('R-IV-08 passes over no letter that NFC changes, alone or behind another', () => {
    const tails = combining();
    const wrong = POINTS.filter((point) => {
      const bytes = bytesOf(point);
      if (KINDS[bytes[0]!] === WIDE && mayCompose(bytes, 0)) return false;
      const letter = String.fromCodePoint(point);
      return letter.normalize('NFC') !== letter || tails.has(point) || isReordered(letter);
    });
    expect(wrong.map((point) => point.toString(16))).toEqual([]);
  });

  it('R-IV-16 whatever has an order among marks counts as a mark, so that none of them can be stacked without end', () => {
    const wrong = POINTS.map((point) => String.fromCodePoint(point)).filter(
      (letter) => isReordered(letter) && composed(letter.repeat(31)) !== undefined,
    );
    expect(wrong).toEqual([]);
    expect(composed(`e${'\u0301'.repeat(30)}`)).toBe(`\u00e9${'\u0301'.repeat(29)}`);
  });

  it('R-IV-08 the letters of everyday texts need no second look', () => {
    for (const text of [
      'Jürgen',
      'Łódź',
      'Ελλάδα',
      'Москва',
      'שלום',
      'مرحبا',
      '東京タワー',
      '서울',
      'Việt',
      '“–…”',
      '€',
      '😀',
    ]) {
      const bytes = Buffer.from(text);
      const looks = [...bytes.keys()].filter((at) => KINDS[bytes[at]!] === WIDE && mayCompose(bytes, at));
      expect(looks, text).toEqual([]);
    }
    expect(KINDS[0x41]).toBe(PLAIN);
  });

  it('R-IV-08 escapes of letters that may compose are told apart from the others', () => {
    const widthOf = (text: string): number => escapeAt(Buffer.from(text), 1);
    expect([String.raw`\n`, String.raw`\u00fc`, String.raw`\ud83d\ude00`].map(widthOf)).toEqual([1, 5, 11]);
    expect([String.raw`\u0301`, String.raw`\ud834\udd5e`].map(widthOf)).toEqual([-5, -11]);
    expect([String.raw`\b`, String.raw`\u0000`, String.raw`\ud800`, String.raw`\u12`].map(widthOf)).toEqual([
      0, 0, 0, 0,
    ]);
  });
});
