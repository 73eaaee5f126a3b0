import type { Browser } from 'playwright-core';
import { cleanHtml } from 'nestjs-api-security/sanitize-html';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startChromium } from '../support/chromium.js';
import { HOSTILE_HTML, NAUGHTY_STRINGS } from '../corpora/corpora.js';
import { HOSTILE } from './vectors.js';

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());

interface Probe {
  ran?: number;
  alert?: () => void;
}

/** Which of the texts run something in a page, read by its parser as a whole and put into it by `innerHTML`. */
async function thatRun(texts: readonly string[]): Promise<string[]> {
  const context = await browser.newContext();
  await context.route('**/*', (route) => route.abort());
  // What runs sets `ran`, or calls `alert()`, which does it then.
  await context.addInitScript(() => {
    const own = globalThis as unknown as Probe & { top: Probe };
    own.alert = () => void (own.top.ran = 1);
  });
  const page = await context.newPage();
  const ran: string[] = [];
  for (const text of texts) {
    await page.setContent(`<!doctype html><body>${text}</body>`, { waitUntil: 'domcontentloaded' });
    const runs = await page.evaluate(async (html) => {
      const settle = (): Promise<void> => new Promise((done) => void setTimeout(done, 25));
      const own = globalThis as unknown as Probe & { document: { body: { innerHTML: string } } };
      await settle();
      const read = own.ran;
      own.document.body.innerHTML = html;
      await settle();
      return read === 1 || own.ran === 1;
    }, text);
    if (runs) ran.push(text);
  }
  await context.close();
  return ran;
}

describe('in a browser', { timeout: 180_000 }, () => {
  it('R-IV-23 much of the hostile HTML runs as it is, and none of it once it is cleaned', async () => {
    const quick = HOSTILE.filter((html) => !/frameset|http-equiv|<base/.test(html));
    expect((await thatRun(quick)).length).toBeGreaterThan(30);
    for (const profile of [
      'article',
      { elements: { p: ['title'], a: ['href', 'title'], details: [], q: ['cite'] } },
    ] as const)
      expect(await thatRun(quick.map((html) => cleanHtml(html, profile)))).toEqual([]);
  });

  it('R-IV-23 nor does anything of public corpora run once it is cleaned', async () => {
    const texts = [...HOSTILE_HTML, ...NAUGHTY_STRINGS.filter((text) => text.includes('<'))];
    const hostile = texts.filter((html) => !/frameset|http-equiv|<base|while\(1\)/i.test(html));
    const some = hostile.filter((_, i) => i % 4 === 0);
    expect((await thatRun(some)).length).toBeGreaterThan(20);
    const widest = {
      elements: { p: ['title'], a: ['href', 'title'], details: [], q: ['cite'], section: [] },
    } as const;
    const cleaned = hostile.map((html) => cleanHtml(html, widest));
    const pages = Array.from({ length: Math.ceil(cleaned.length / 20) }, (_, i) =>
      cleaned.slice(20 * i, 20 * (i + 1)).join('\n'),
    );
    expect(await thatRun(pages)).toEqual([]);
  });
});
