import fc from 'fast-check';
import { cleanHtml, type HtmlProfile } from 'nestjs-api-security/sanitize-html';
import { describe, expect, it } from 'vitest';

import { cleanerFor } from '../../lib/sanitize-html/clean-html.js';
import { fits } from '../../lib/sanitize-html/html-limits.js';
import { compileProfile } from '../../lib/sanitize-html/html-profile.js';
import { faultsOf, harmIn, IMAGES, PROFILES } from './harm.js';
import { HOSTILE } from './vectors.js';

describe('cleanHtml()', () => {
  it('R-IV-23 the check of these tests notices what is harmful', () => {
    expect(harmIn('<p onclick=x>')).toEqual(['p[onclick=x]', 'p[onclick=x]']);
    expect(harmIn('<a href="java&Tab;script:x">')).toHaveLength(2);
    expect(HOSTILE.filter((html) => harmIn(html).length > 0).length).toBeGreaterThan(100);
  });

  it.each(HOSTILE)('R-IV-23 leaves nothing harmful of %s', (html) => {
    for (const profile of PROFILES) {
      for (const text of [html, `<p>${html}`, `<b>a</b>${html}<ul><li>${html}</ul>`])
        expect(faultsOf(text, profile)).toEqual([]);
    }
  });

  it.each([
    ['<p>Hi <b>there</b>, <a href="https://example.org/?a=1&amp;b=2">read</a></p>'],
    ['<h2>One</h2><p>Two<br>three</p><ul><li>four</li><li>five</li></ul><hr><pre>six\n  seven</pre>'],
    ['<blockquote><p>1 &lt; 2 &amp;&amp; "x" \'y\' ünï 😀&nbsp;z</p></blockquote>'],
    ['<a href="mailto:ada@example.org">write</a> <a href="/path?x#y">here</a> <a href="#below">below</a>'],
  ])('R-IV-22 R-IV-23 keeps %s', (html) => {
    expect(cleanHtml(html, 'article').replaceAll(' rel="noopener noreferrer nofollow ugc"', '')).toBe(html);
  });

  it('R-IV-23 profiles keep more or less of it', () => {
    const html = '<h2>T</h2><p>a <b>b</b> <i title=x>c</i> &lt; d</p>';
    expect(cleanHtml(html, 'text')).toBe('Ta b c &lt; d');
    expect(cleanHtml(html, 'inline')).toBe('Ta <b>b</b> <i>c</i> &lt; d');
    expect(cleanHtml(html, 'article')).toBe('<h2>T</h2><p>a <b>b</b> <i>c</i> &lt; d</p>');
    expect(cleanHtml('<p title=t class=c>x</p>', IMAGES)).toBe('<p title="t">x</p>');
  });

  it('R-IV-23 links get no hold on the page; what is left of others is text', () => {
    expect(cleanHtml('<a href=https://example.org rel=me target=_blank>x</a>', 'inline')).toBe(
      '<a href="https://example.org" rel="noopener noreferrer nofollow ugc">x</a>',
    );
    expect(cleanHtml('<a href=javascript:x>y</a>', 'inline')).toBe('<a>y</a>');
  });

  it('R-IV-23 images come from listed hosts by https, or not at all', () => {
    const image = '<img src="https://img.example.org/a.png" alt="a" width="10">';
    expect(cleanHtml(image, IMAGES)).toBe(image);
    for (const src of [
      'http://img.example.org/a.png',
      'https://img.example.org.evil.example/a.png',
      'https://evil.example/?img.example.org',
      'https://a@img.example.org/',
      '//img.example.org/a.png',
      '/a.png',
      'data:image/png;base64,AA==',
      '',
    ]) {
      expect(cleanHtml(`<img src="${src}" alt=a>`, IMAGES), src).toBe('');
    }
  });

  it.each<[string, HtmlProfile]>([
    ['script', { elements: { script: [] } }],
    ['svg', { elements: { svg: [] } }],
    ['template', { elements: { template: [] } }],
    ['form', { elements: { form: [] } }],
    ['__proto__', { elements: Object.fromEntries([['__proto__', []]]) }],
    ['onclick', { elements: { p: ['onclick'] } }],
    ['style', { elements: { p: ['style'] } }],
    ['srcset', { elements: { img: ['srcset'] }, imageHosts: ['img.example.org'] }],
    ['javascript', { elements: { a: ['href'] }, schemes: ['javascript'] }],
    ['imageHosts', { elements: { img: ['src'] } }],
  ])('R-IV-23 no profile has %s', (name, profile) => {
    expect(() => cleanHtml('', profile)).toThrow(name);
  });

  it('R-IV-23 whatever comes is cleaned once and for all', { timeout: 120_000 }, () => {
    const piece = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.constantFrom(
        '<p>',
        '</p>',
        '<b>',
        '</b>',
        '<ul>',
        '<li>',
        '</ul>',
        '<a href="https://x.example">',
        '</a>',
        '<pre>\n',
      ),
      fc.constantFrom(
        '<table>',
        '<td>',
        '<svg>',
        '</svg>',
        '<math>',
        '<mtext>',
        '<select>',
        '<!--',
        '-->',
        '"',
        "'",
        '<',
        '>',
        '&',
      ),
      fc.constantFrom(
        '<h2>',
        '<blockquote>',
        '</blockquote>',
        '<i>',
        '</i>',
        '<br>',
        '<hr>',
        '</br>',
        ' title="',
        '/',
        '\n',
        '\u0000',
      ),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), fc.constantFrom(...PROFILES), (pieces, profile) => {
        expect(faultsOf(pieces.join(''), profile)).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
  });

  it('R-IV-23 R-IV-16 reads no further than the limits, before and after', () => {
    const bound = { maxLength: 200, maxTags: 20 };
    const within = (html: string): string => cleanHtml(html, 'article', bound);
    expect(within('x'.repeat(200))).toHaveLength(200);
    expect(within('<b>x</b>'.repeat(10))).toBe('<b>x</b>'.repeat(10));
    expect(within('&amp;'.repeat(20))).toBe('&amp;'.repeat(20));
    for (const html of [
      'x'.repeat(201),
      '<b>x</b>'.repeat(11),
      '<!---->'.repeat(21),
      '&amp;'.repeat(21),
      '\u00a0'.repeat(21),
      // Within the limits before, beyond them after.
      '>'.repeat(51),
      '<p>'.repeat(11),
      '<a href=x>y</a>'.repeat(4),
    ])
      expect(() => within(html), html).toThrow(RangeError);
    const page = '<p>x</p>'.repeat(2_000);
    expect(() => cleanHtml(page, 'article')).toThrow('10000 characters or 3000 tags');
    expect(cleanHtml(page, 'article', { maxLength: 16_000, maxTags: 4_000 })).toBe(page);
  });

  it('R-IV-23 what is beyond the limits becomes text that is beyond them too', () => {
    const pieces = ['<b>', '<a href=x>', '&', '<p>x', '>', '\u00a0', '<script>'];
    for (const piece of pieces) {
      for (const limits of [
        { maxLength: 40, maxTags: 1_000 },
        { maxLength: 1_000, maxTags: 5 },
      ]) {
        const after = cleanerFor(compileProfile('article'), limits)(piece.repeat(41));
        expect(fits(after, limits), piece).toBe(false);
        expect(after).not.toMatch(/[<>]/);
      }
    }
  });

  it('R-IV-16 takes time in proportion to the length, whatever is repeated', { timeout: 120_000 }, () => {
    const time = (html: string): number => {
      const began = performance.now();
      cleanHtml(html, 'article', { maxLength: Infinity, maxTags: Infinity });
      return performance.now() - began;
    };
    for (const piece of [
      '<',
      '<b>',
      '<p>',
      '<b><p>',
      '<a>',
      '<a href="',
      '<ul><li>',
      '&',
      '&lt',
      '<!--',
      '<svg>',
      '<b x="y" ',
      '<pre>\n',
      '</p>',
      '"',
      '<h2><p>',
    ]) {
      const html = piece.repeat(10_000 / piece.length);
      time(html);
      const [once, eightfold] = [time(html), time(html.repeat(8))];
      // Quadratic time would be 64 times as much.
      expect(eightfold, piece).toBeLessThan(Math.max(32 * once, 1_000));
    }
  });
});
