import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { redirectUriProblem } from '../../lib/authorization-server/clients/redirect-uri.js';
import { FormTokens } from '../../lib/authorization-server/form-tokens.js';
import { html } from '../../lib/authorization-server/pages/html.js';
import { page } from '../../lib/authorization-server/pages/page-frame.js';
import { formTargetsOf } from '../../lib/authorization-server/pages/page-writer.js';
import { RecordSeal } from '../../lib/authorization-server/records/record-seal.js';

describe('redirect URIs', () => {
  it.each([
    'https://app.example/callback',
    'https://app.example:8443/callback?from=a',
    'http://127.0.0.1/callback',
    'http://127.0.0.1:8080/',
    'http://[::1]/callback',
    'com.example.app:/callback',
  ])('R-AS-03 %s can be registered', (uri) => {
    expect(redirectUriProblem(uri)).toBeUndefined();
  });

  it.each([
    '',
    'callback',
    '//evil.example',
    'http://app.example/callback',
    'http://localhost/callback',
    'http://127.0.0.2/callback',
    'http://127.0.0.1.evil.example/',
    'https://app.example/#x',
    'https://*.example/callback',
    'https://me@app.example/callback',
    'https://app.example/call back',
    'https://app.example/\u202Ex',
    'javascript:alert(1)',
    'data:text/html,x',
    'myapp:/callback',
    'file:///etc/passwd',
    'intent://x#Intent;end',
    `https://app.example/${'x'.repeat(2_000)}`,
  ])('R-AS-03 %j cannot', (uri) => {
    expect(redirectUriProblem(uri)).toBeDefined();
  });

  it('R-AS-14 what a form may lead to never breaks out of the policy', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), (uri) => {
        for (const target of formTargetsOf(uri)) expect(target).not.toMatch(/[;,\s']/);
      }),
    );
  });
});

describe('pages', () => {
  it('R-AS-14 whatever is put into a page stays text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { text: made } = html`<p title="${text}">${[text, html`<b>${text}</b>`]}</p>`;
        const inside = made
          .replace(/^<p title="/, '')
          .replace(/<\/b><\/p>$/, '')
          .replace('">', '')
          .replace('<b>', '');
        expect(inside).not.toMatch(/[<>"']/);
      }),
    );
    expect(String(html`${undefined}${null}${false}${0}`)).toBe('0');
  });

  it.each([
    ['#0b57d0', '#fff'],
    ['#123456', '#fff'],
    ['#ffd400', '#000'],
    ['#ffffff', '#000'],
    ['#000000', '#fff'],
  ])('R-AS-14 what stands on %s can be read', (accent, color) => {
    const theme = { name: 'Example', accent, language: 'en' };
    const { text } = page({ theme, nonce: 'x' }, 'Title', html`<p>Text</p>`);
    expect(text).toContain(`button.main { background: ${accent}; color: ${color}; }`);
    expect(text).not.toContain('var(--accent)');
  });

  it('R-AS-13 a token of one form is good for no other', () => {
    const tokens = new FormTokens(['new', 'old']);
    const use = fc.array(fc.string(), { maxLength: 3 });
    fc.assert(
      fc.property(use, use, (one, other) => {
        const token = tokens.make(...one);
        expect(tokens.isGood(token, ...one)).toBe(true);
        expect(tokens.isGood(token, ...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
        expect(new FormTokens(['newest', 'new']).isGood(token, ...one)).toBe(true);
        expect(new FormTokens(['newest']).isGood(token, ...one)).toBe(false);
      }),
    );
    expect(tokens.isGood(undefined, 'x')).toBe(false);
  });
});

describe('RecordSeal', () => {
  const seal = new RecordSeal([Buffer.alloc(32, 1)]);

  it('R-AS-06 opens what it has sealed, in its own place, with its own key, unchanged', async () => {
    const content = { grantId: 'g', text: 'é' };
    const text = await seal.seal('RefreshToken', 'a', content);
    expect(text).not.toContain('grantId');
    expect(await seal.open('RefreshToken', 'a', text)).toEqual(content);
    const later = new RecordSeal([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]);
    expect(await later.open('RefreshToken', 'a', text)).toEqual(content);
    const refused = [
      () => seal.open('RefreshToken', 'b', text),
      () => seal.open('AccessToken', 'a', text),
      () => new RecordSeal([Buffer.alloc(32, 2)]).open('RefreshToken', 'a', text),
      () => seal.open('RefreshToken', 'a', `${text.slice(0, -3)}AAA`),
      () => seal.open('RefreshToken', 'a', 'x'),
    ];
    for (const one of refused) await expect(one()).rejects.toThrow('cannot be opened');
  });
});
