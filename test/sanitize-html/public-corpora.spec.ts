import { describe, expect, it } from 'vitest';

import { HOSTILE_HTML, NAUGHTY_STRINGS } from '../corpora/corpora.js';
import { faultsOf, harmIn, PROFILES } from './harm.js';

const TEXTS = [...HOSTILE_HTML, ...NAUGHTY_STRINGS];

describe('cleanHtml() on public corpora', () => {
  it('R-IV-23 they are whole, and much of them is harmful', () => {
    expect(HOSTILE_HTML).toHaveLength(181);
    expect(NAUGHTY_STRINGS).toHaveLength(461);
    expect(TEXTS.filter((html) => harmIn(html).length > 0).length).toBeGreaterThan(250);
  });

  it.each(PROFILES)(
    'R-IV-23 nothing harmful is left, and cleaning again changes nothing, with %o',
    (profile) => {
      for (const html of TEXTS) {
        for (const text of [html, `<p>${html}`, `<ul><li>${html}</ul><b>x</b>`, `<a title="${html}">x</a>`])
          expect(faultsOf(text, profile), text).toEqual([]);
      }
    },
  );

  it('R-IV-23 nor by two of them together', () => {
    for (let i = 0; i < TEXTS.length; i++) {
      const text = TEXTS[i]! + TEXTS[(i * 7 + 3) % TEXTS.length]!;
      expect(faultsOf(text, 'article'), text).toEqual([]);
    }
  });
});
