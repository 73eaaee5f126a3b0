import fc from 'fast-check';
import {
  contentDisposition,
  escapeHtml,
  escapeLike,
  isPlainText,
  safeFileName,
  safeHeaderValue,
  safeRedirect,
  SecurityError,
  sqlIdentifier,
} from 'nestjs-api-security';
import { parseFragment } from 'parse5';
import { describe, expect, it } from 'vitest';

const refused = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    return error instanceof SecurityError && error.code === 'VALIDATION_FAILED';
  }
};

describe('plain text', () => {
  it.each([
    '',
    "O'Brien",
    '<3',
    'a && b',
    "'; DROP TABLE users; --",
    'SELECT * FROM t',
    '<script>alert(1)</script>',
    '${7*7} {{7*7}} #{7*7}',
    '../../etc/passwd',
    '%00%0d%0a',
    '{"$gt":""}',
    'Ω≈ç√∫˜µ≤≥÷',
    'שלום',
    'مرحبا\u200f!',
    'می\u200cخواهم',
    '田中さんにあげて下さい',
    '👩\u200d👩\u200d👧 ❤\ufe0f 🇩🇪',
    '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    'a\u00adb',
  ])('R-IV-22 takes %j', (text) => {
    expect(isPlainText(text)).toBe(true);
  });

  it.each([
    ['a NUL', 'a\u0000b'],
    ['an escape', '\u001b[31m'],
    ['a C1 control', 'a\u0085b'],
    ['half a surrogate pair', 'a\ud800'],
    ['a non-character', 'a\uffff'],
    ['a line end', 'a\nb'],
    ['a line separator', 'a\u2028b'],
    ['a tab', 'a\tb'],
    ['a right-to-left override', 'invoice\u202efdp.exe'],
    ['an isolate', 'a\u2066b'],
    ['a byte order mark', '\ufeffa'],
    ['tags without a flag', 'a\u{e0061}\u{e0062}'],
    ['tags that go on and on', `\u{1f3f4}${'\u{e0061}'.repeat(20)}\u{e007f}`],
    ['too much', 'a'.repeat(1_001)],
  ])('R-IV-08 R-IV-22 refuses %s', (_, text) => {
    expect(isPlainText(text)).toBe(false);
  });

  it('R-IV-08 counts characters as Unicode does, and has lines only where they are declared', () => {
    expect(isPlainText('👩'.repeat(20), { maxLength: 20 })).toBe(true);
    expect(isPlainText('👩'.repeat(21), { maxLength: 20 })).toBe(false);
    expect(isPlainText('👩', { minLength: 2 })).toBe(false);
    expect(isPlainText('a\r\n\tb', { multiline: true })).toBe(true);
    expect(isPlainText('a\u0007b', { multiline: true })).toBe(false);
  });

  it('R-IV-22 escapeHtml() gives back what went in, between tags and in attributes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const [element] = parseFragment(`<p title="${escapeHtml(text)}">${escapeHtml(text)}</p>`).childNodes;
        expect(element).toMatchObject({
          attrs: [{ name: 'title', value: text }],
          childNodes: text === '' ? [] : [{ nodeName: '#text', value: text }],
        });
      }),
    );
    expect(escapeHtml(`'"&<>`)).toBe('&#39;&quot;&amp;&lt;&gt;');
  });
});

describe('names in SQL', () => {
  it('R-IV-20 R-IV-25 come from a list', () => {
    const column = sqlIdentifier(['name', 'createdAt']);
    expect(column('name')).toBe('name');
    const mapped = sqlIdentifier({ name: 'users.name', joined: 'users.created_at' });
    expect(mapped('joined')).toBe('users.created_at');
    for (const name of [
      '',
      'NAME',
      'name;drop table users',
      'name desc',
      '"name"',
      'users.name',
      'password',
      '__proto__',
      'constructor',
      'toString',
      '0',
      'length',
    ]) {
      expect(
        refused(() => column(name)),
        name,
      ).toBe(true);
      expect(
        refused(() => mapped(name)),
        name,
      ).toBe(true);
    }
  });

  it('R-IV-25 escapeLike() leaves no wildcard', () => {
    expect(escapeLike('50%_a\\b')).toBe('50\\%\\_a\\\\b');
    expect(escapeLike('a!b%', '!')).toBe('a!!b!%');
    expect(escapeLike('[a]%', '\\', '%_[')).toBe('\\[a]\\%');
    const matches = (pattern: string, text: string): boolean => {
      const source = pattern.replaceAll(
        /\\([^])|([%_])|([^\w\s])/g,
        (_, quoted?: string, wild?: string, other?: string) =>
          wild === undefined
            ? `\\u{${(quoted ?? other)!.codePointAt(0)!.toString(16)}}`
            : wild === '%'
              ? '[^]*'
              : '[^]',
      );
      return new RegExp(`^${source}$`, 'u').test(text);
    };
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, other) => {
        expect(matches(escapeLike(text), text)).toBe(true);
        expect(matches(escapeLike(text), other)).toBe(other === text);
      }),
    );
  });
});

describe('text in headers', () => {
  it.each([
    'a\r\nSet-Cookie: a=b',
    'a\nb',
    'a\rb',
    'a\u0000b',
    'a\u007fb',
    'a\u0085b',
    'a\u2028b',
    'ü',
    '嘊嘍Set-Cookie',
    'a'.repeat(4_097),
  ])('R-IV-26 safeHeaderValue() refuses %j', (text) => {
    expect(refused(() => safeHeaderValue(text))).toBe(true);
  });

  it('R-IV-26 safeHeaderValue() keeps visible ASCII', () => {
    expect(safeHeaderValue(' a "b"; c=d\te ')).toBe('a "b"; c=d\te');
  });

  it.each([
    ['report.pdf', 'report.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['con .txt', '_con .txt'],
    ['NUL  .tar.gz', '_NUL  .tar.gz'],
    ['CONIN$', '_CONIN$'],
    ['conout$.txt', '_conout$.txt'],
    ['CLOCK$', '_CLOCK$'],
    [`${'a'.repeat(2_000)}.pdf`, `${'a'.repeat(251)}.pdf`],
    ['..\\..\\windows\\win.ini', 'win.ini'],
    ['C:\\a\\b.txt', 'b.txt'],
    ['/', 'file'],
    ['..', 'file'],
    ['', 'file'],
    ['. . .', 'file'],
    ['.htaccess', 'htaccess'],
    ['a.txt. . ', 'a.txt'],
    ['a\r\nSet-Cookie: x.txt', 'aSet-Cookie x.txt'],
    ['a\u0000.txt', 'a.txt'],
    ['invoice\u202efdp.exe', 'invoicefdp.exe'],
    ['a<b>:"|?*.txt', 'ab.txt'],
    ['con', '_con'],
    ['LPT1.txt', '_LPT1.txt'],
    ['console.log', 'console.log'],
    ['Übersicht 漢字 😀.pdf', 'Übersicht 漢字 😀.pdf'],
    ['a\ud800.txt', 'a.txt'],
  ])('R-IV-26 safeFileName(%j) is %j', (text, name) => {
    expect(safeFileName(text)).toBe(name);
  });

  it('R-IV-26 whatever comes, a file name is short, whole and in no other folder', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.constantFrom('', '.pdf', '/..', '. '),
        (text, end) => {
          const name = safeFileName(text + end);
          expect(name).toBe(safeFileName(name));
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
          expect(name).toMatch(/^[^./\\][^/\\\p{Cc}]*$/u);
          expect(name).not.toMatch(/\p{Cs}/u);
          const header = contentDisposition(text + end);
          expect(header).toMatch(
            /^attachment; filename="[^"\\%]+"(?:; filename\*=UTF-8''(?:[\w!#$&+.^`|~-]|%[\dA-F]{2})+)?$/,
          );
          const encoded = /\*=UTF-8''(.*)$/.exec(header)?.[1];
          if (encoded !== undefined) expect(decodeURIComponent(encoded)).toBe(name);
        },
      ),
    );
    expect(safeFileName(`${'ü'.repeat(300)}.pdf`)).toBe(`${'ü'.repeat(125)}.pdf`);
    expect(contentDisposition('Übersicht "2026".pdf', 'inline')).toBe(
      `inline; filename="_bersicht 2026.pdf"; filename*=UTF-8''%C3%9Cbersicht%202026.pdf`,
    );
    expect(contentDisposition('100%.pdf')).toBe(
      `attachment; filename="100_.pdf"; filename*=UTF-8''100%25.pdf`,
    );
  });

  it.each([
    ['/', '/'],
    ['/a/b?c=d&e=f#g', '/a/b?c=d&e=f#g'],
    ['/a//b', '/a//b'],
    ['//evil.example', undefined],
    ['///evil.example', undefined],
    ['/\\evil.example', undefined],
    ['\\\\evil.example', undefined],
    ['/\t/evil.example', undefined],
    ['/a/..//evil.example', undefined],
    ['/.//evil.example', undefined],
    ['/%2e%2e//evil.example', undefined],
    ['https://evil.example', undefined],
    ['https:evil.example', undefined],
    ['https://app.example.org', 'https://app.example.org'],
    ['https://app.example.org/a?b', 'https://app.example.org/a?b'],
    ['http://app.example.org', undefined],
    ['https://app.example.org:8443', undefined],
    ['https://app.example.org@evil.example', undefined],
    ['https://app.example.org.evil.example', undefined],
    ['https://app.example.org\\.evil.example', undefined],
    ['javascript:alert(1)', undefined],
    ['java\nscript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['/a\r\nSet-Cookie: x', undefined],
    ['/ü', undefined],
    ['a', undefined],
    ['', undefined],
    [['/a'], undefined],
    [undefined, undefined],
  ])('R-IV-26 safeRedirect(%j) is %j', (target, kept) => {
    expect(safeRedirect(target, '/home', ['app.example.org'])).toBe(kept ?? '/home');
  });
});
