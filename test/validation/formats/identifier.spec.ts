import { Identifier, identifierKey, isIdentifier } from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

describe('identifiers', () => {
  it.each([
    'ada',
    'Ada-99',
    'a.b_c-d',
    '99',
    'müller',
    'Łukasz',
    'Ελένη',
    'Анна',
    'ספיר',
    'سارة',
    '佐藤',
    'さとう',
    'サトーabc',
    '佐藤ひろし-abc',
    '김철수',
    'abc김철수',
    'ชาติ',
    'हिन्दी',
    'a'.repeat(64),
  ])('R-IV-09 take %s', (text) => {
    expect(isIdentifier(text.normalize('NFC'))).toBe(true);
  });

  it.each([
    ['a Cyrillic letter among Latin ones', 'аdmin'],
    ['a Greek letter among Latin ones', 'gοοgle'],
    ['Cyrillic and Greek', 'аα'],
    ['Hangul and Kana', '김さ'],
    ['a script of nobody today', '𐌰𐌱'],
    ['fullwidth letters', 'ａｄｍｉｎ'],
    ['mathematical letters', '𝐚𝐝𝐦𝐢𝐧'],
    ['a ligature', 'ﬁn'],
    ['a letter in pieces', 'e\u0301'],
    ['a zero-width space', 'admin\u200b'],
    ['a zero-width joiner', 'ad\u200dmin'],
    ['a word joiner', 'ad\u2060min'],
    ['a byte order mark', '\ufeffadmin'],
    ['a soft hyphen', 'ad\u00admin'],
    ['a variation selector', 'admin\ufe0f'],
    ['a tag character', 'admin\u{e0061}'],
    ['a right-to-left override', '\u202enimda'],
    ['an isolate', '\u2066admin\u2069'],
    ['a mark alone', '\u0301a'],
    ['piled marks', 'a\u0321\u0323\u0330\u0331\u0332'],
    ['the same mark twice', 'a\u0321\u0321'],
    ['digits of another script', 'a١'],
    ['two separators together', 'a--b'],
    ['a separator at the start', '-a'],
    ['a separator at the end', 'a.'],
    ['a space', 'a b'],
    ['markup', '<b>'],
    ['an emoji', 'ada😀'],
    ['half a surrogate pair', 'a\ud83d'],
    ['a NUL', 'a\u0000'],
    ['nothing', ''],
    ['too much', 'a'.repeat(65)],
  ])('R-IV-09 refuse %s', (_, text) => {
    expect(isIdentifier(text)).toBe(false);
  });

  it('R-IV-09 take what their options say', () => {
    expect(isIdentifier('müller', { ascii: true })).toBe(false);
    expect(isIdentifier('анна', { scripts: ['Latin'] })).toBe(false);
    expect(isIdentifier('анна', { scripts: ['Latin', 'Cyrillic'] })).toBe(true);
    expect(isIdentifier('анnа', { scripts: ['Latin', 'Cyrillic'] })).toBe(false);
    expect(isIdentifier('a/b', { separators: '/' })).toBe(true);
    expect(isIdentifier('a-b', { separators: '' })).toBe(false);
    expect(isIdentifier('ab', { minLength: 3 })).toBe(false);
    expect(isIdentifier('𠮷'.repeat(3), { maxLength: 3 })).toBe(true);
    expect(() => Identifier({ scripts: ['Klingon'] })).toThrow(SyntaxError);
  });

  it.each([
    ['admin', 'ADMIN'],
    ['admin', 'аdmіn'],
    ['admin', 'АDМIN'],
    ['admin', 'ａｄｍｉｎ'],
    ['admin', 'admin\u200b'],
    ['admin', 'adrnin'],
    ['strasse', 'straße'],
    ['STRASSE', 'STRAẞE'],
    ['paypal', 'раураl'],
    ['paypaI', 'paypa1'],
    ['google', 'g00gle'],
    ['wiki', 'vvıki'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΝΟΤ', 'νοτ'],
  ])('R-IV-09 %s and %s have one key', (a, b) => {
    expect(identifierKey(a)).toBe(identifierKey(b));
  });

  it('R-IV-09 names that nobody mixes up have keys of their own', () => {
    const names = ['ada', 'ädа', 'bob', 'eve', 'anna', 'otto', 'müller', 'muller', '佐藤', '김철수'];
    expect(new Set(names.map(identifierKey)).size).toBe(names.length);
  });
});
