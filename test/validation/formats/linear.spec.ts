import {
  contentDisposition,
  escapeHtml,
  escapeLike,
  identifierKey,
  isBase64Url,
  isBigIntString,
  isCidr,
  isCurrencyCode,
  isDecimalString,
  isE164,
  isEmailAddress,
  isFullDate,
  isFullTime,
  isHostname,
  isIdentifier,
  isIpAddress,
  isLanguageTag,
  isPlainText,
  isRfc3339,
  isSafeUrl,
  isStrictUrl,
  isStrictUuid,
  safeFileName,
  safeRedirect,
} from 'nestjs-api-security';
import { describe, expect, it } from 'vitest';

const SIZE = 50_000;
const huge = { maxLength: 10 * SIZE };

/** With their own caps, and as far as options can lift them. */
const CHECKS: Readonly<Record<string, (text: string) => unknown>> = {
  isRfc3339,
  isFullDate,
  isFullTime,
  isStrictUuid,
  isEmailAddress,
  isHostname,
  isIpAddress,
  isCidr,
  isStrictUrl,
  isBase64Url,
  isE164,
  isDecimalString,
  isBigIntString,
  isLanguageTag,
  isCurrencyCode,
  isIdentifier,
  'isStrictUrl, no cap': (text) => isStrictUrl(text, huge),
  'isBase64Url, no cap': (text) => isBase64Url(text, { maxBytes: 10 * SIZE }),
  'isDecimalString, no cap': (text) => isDecimalString(text, { maxIntegerDigits: 10 * SIZE }),
  'isIdentifier, no cap': (text) => isIdentifier(text, huge),
  'isPlainText, no cap': (text) => isPlainText(text, { ...huge, multiline: true }),
  isPlainText,
  'isSafeUrl, no cap': (text) => isSafeUrl(text, huge),
  isSafeUrl,
  identifierKey,
  escapeHtml,
  escapeLike,
  safeFileName,
  safeRedirect: (text) => safeRedirect(text, '/', ['a.example']),
  contentDisposition,
};

/** Repeated; the end makes a whole match fail late. */
const PIECES = [
  'a', 'a.', '.', '-', 'a-', '@', 'a@', '1', '0', '1.', '%', '%41', '[', ']', ':', '1:', '/', '//', 'https://a', '?', '#',
  '=', 'A', '+', ' ', '\n', '\u0301', '\u0327\u0301', 'ä', 'а', '漢', '\u{1f469}\u200d', '\ud800', '\u200b', 'rn', 'xn--', 'xn--a.', 'İ', 'ﷺ',
]; // prettier-ignore
const STARTS = ['', 'https://a.example/', 'https://', 'a@', '0.'];
/** No text has the first; the second is made of characters that URLs may have, and no URL. */
const ENDS = ['\u0000', '#['];

function worstOf(check: (text: string) => unknown, size: number, starts: readonly string[] = STARTS): number {
  let worst = 0;
  for (const piece of PIECES) {
    const filling = piece.repeat(Math.ceil(size / Buffer.byteLength(piece)));
    for (const start of starts) {
      for (const end of ENDS) {
        const text = `${start}${filling}${end}`;
        const began = performance.now();
        check(text);
        worst = Math.max(worst, performance.now() - began);
      }
    }
  }
  return worst;
}

describe('50 kB of anything', { timeout: 120_000 }, () => {
  // On a quiet machine each takes under 20 ms; a pattern that backtracks takes seconds.
  it.each(Object.entries(CHECKS))('R-IV-16 costs %s next to nothing', (_, check) => {
    expect(worstOf(check, SIZE)).toBeLessThan(1_000);
  });

  it.each(Object.keys(CHECKS).filter((name) => name.endsWith('no cap')))(
    'R-IV-16 %s takes time in proportion to the length',
    (name) => {
      const check = CHECKS[name]!;
      worstOf(check, SIZE, ['']);
      const [once, eightfold] = [worstOf(check, SIZE, ['']), worstOf(check, 8 * SIZE, [''])];
      // Quadratic time would be 64 times as much; a busy machine may stop for a while.
      expect(eightfold).toBeLessThan(Math.max(32 * once, 1_000));
    },
  );
});
