import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startChromium } from '../support/chromium.js';
import { ALICE, type ServerApp, startServer } from './server-app.js';
import { authorizeUrl, pkce } from './visitor.js';

/** What axe finds wrong by the rules of WCAG 2.2, levels A and AA. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as { axe: typeof import('axe-core') };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations: found } = await runner.run({ runOnly: tags });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  return results;
}

describe.each(['light', 'dark'] as const)(
  'R-AS-14 the pages can be used by everybody, in %s',
  (colorScheme) => {
    let browser: Browser;
    let server: ServerApp;
    beforeAll(async () => {
      [browser, server] = await Promise.all([startChromium(), startServer('express')]);
    });
    afterAll(async () => {
      await Promise.all([browser?.close(), server?.close()]);
    });

    it('R-AS-14 R-SH-07 login, wrong login, consent, applications and errors have nothing that axe objects to', async () => {
      const client = await server.register({ name: 'Printer' });
      const context = await browser.newContext({ colorScheme });
      const page = await context.newPage();
      const seen: Record<string, string[]> = {};
      const check = async (name: string) => {
        seen[name] = await violations(page);
      };
      await page.goto(authorizeUrl(server.issuer, client.clientId, pkce()));
      await check('login');
      await page.getByLabel('Email or name').fill(ALICE.login);
      await page.getByLabel('Password').fill('wrong');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await check('wrong login');
      // By keyboard alone.
      await page.getByLabel('Password').focus();
      await page.keyboard.type(ALICE.password);
      await page.keyboard.press('Enter');
      await page.getByText('asks for permission').waitFor();
      expect(await page.textContent('h1')).toBe('Allow Printer to access your account?');
      await check('consent');
      await page.goto(`${server.issuer}/oauth/applications`);
      await check('login of the applications');
      await page.getByLabel('Email or name').fill(ALICE.login);
      await page.getByLabel('Password').fill(ALICE.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await check('applications');
      await page.goto(`${server.issuer}/oauth/authorize?client_id=x`);
      await check('error');
      expect(seen).toEqual(Object.fromEntries(Object.keys(seen).map((name) => [name, []])));
      expect(Object.keys(seen)).toHaveLength(6);
    });
  },
);
