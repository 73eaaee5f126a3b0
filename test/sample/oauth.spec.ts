import { randomBytes } from 'node:crypto';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../authorization-server/server-app.js';
import { startChromium } from '../support/chromium.js';
import { QuickstartBuild, type SampleProcess } from './quickstart-process.js';

const PASSWORD = 'correct horse battery staple';

describe('the OAuth sample, in a browser without scripts', () => {
  let build: QuickstartBuild;
  let browser: Browser;
  let ports: { AUTHORIZATION_SERVER_PORT: string; USERS_API_PORT: string; PRINT_SHOP_PORT: string };
  let shop: string;
  let server: string;
  const processes: SampleProcess[] = [];

  beforeAll(async () => {
    build = new QuickstartBuild();
    browser = await startChromium();
    const [AUTHORIZATION_SERVER_PORT, USERS_API_PORT, PRINT_SHOP_PORT] = (
      await Promise.all([freePort(), freePort(), freePort()])
    ).map(String) as [string, string, string];
    ports = { AUTHORIZATION_SERVER_PORT, USERS_API_PORT, PRINT_SHOP_PORT };
    server = `http://localhost:${AUTHORIZATION_SERVER_PORT}`;
    shop = `http://127.0.0.1:${PRINT_SHOP_PORT}`;
  });
  afterAll(async () => {
    await Promise.all(processes.map((one) => one.stop()));
    await browser?.close();
    build?.remove();
  });

  const newPage = async (): Promise<Page> => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    return context.newPage();
  };
  const text = async (page: Page, selector: string) => (await page.textContent(selector)) ?? '';
  const logIn = async (page: Page, password = PASSWORD) => {
    await page.getByLabel('Email or name').fill('ada@example.com');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  /** What the API answers the shop. */
  const press = async (page: Page, button: string) => {
    await page.goto(shop);
    await page.getByRole('button', { name: button }).click();
    return text(page, '#status');
  };

  it('R-AS-13 R-AS-14 CONTRACT-6 somebody allows one of two permissions, and takes it back', async () => {
    const all = build.spawn('oauth/main.js', { ...ports, DATABASE_URL: 'file:data/oauth-all.db' });
    processes.push(all);
    await Promise.all(
      [/(print shop listens)/, /(users API listens)/, /(authorization server listens)/].map((line) =>
        all.until(line),
      ),
    );
    const page = await newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });

    await page.goto(shop);
    await page.getByRole('button', { name: 'Connect my account' }).click();
    expect(page.url()).toContain(`${server}/oauth/interaction/`);
    await logIn(page, 'wrong');
    expect(await page.getByRole('alert').textContent()).toContain('is not right');
    await logIn(page);
    expect(await text(page, 'h1')).toBe('Allow Print Shop to access your account?');
    const [see, add] = [page.getByLabel('See the list of users'), page.getByLabel('Add users to the list')];
    expect([await see.isChecked(), await add.isChecked()]).toEqual([true, true]);
    await add.uncheck();
    await page.getByRole('button', { name: 'Allow' }).click();
    expect(page.url()).toBe(`${shop}/`);
    expect(await text(page, '#scopes')).toBe('users:read');

    expect(await press(page, 'Print the labels')).toBe('200');
    expect(await text(page, '#answer')).toContain('"onBehalfOf":"Ada Lovelace"');
    expect(await press(page, 'Add a user')).toBe('403');
    expect(await text(page, '#answer')).toContain('error="insufficient_scope", scope="users:write"');

    const own = await newPage();
    await own.goto(`${server}/oauth/applications`);
    await logIn(own);
    expect(await text(own, '.apps')).toContain('See the list of users');
    expect(await text(own, '.apps')).not.toContain('Add users');
    await own.getByRole('button', { name: 'Withdraw access of Print Shop' }).click();
    expect(await own.getByRole('status').textContent()).toBe('Print Shop has no access any more.');
    expect(await press(page, 'Print the labels')).toBe('401');
    expect(complaints).toEqual([]);
    await all.stop();
  });

  it('R-AS-13 who denies access gives none', async () => {
    const all = build.spawn('oauth/main.js', { ...ports, DATABASE_URL: 'file:data/oauth-deny.db' });
    processes.push(all);
    await Promise.all(
      [/(print shop listens)/, /(users API listens)/, /(authorization server listens)/].map((line) =>
        all.until(line),
      ),
    );
    const page = await newPage();
    await page.goto(shop);
    await page.getByRole('button', { name: 'Connect my account' }).click();
    await logIn(page);
    await page.getByRole('button', { name: 'Deny' }).click();
    expect(page.url()).toContain(`${shop}/callback?error=access_denied`);
    expect(await text(page, 'h2')).toBe('Not connected');
    await all.stop();
  });

  it('R-AS-06 R-AS-19 a server that is killed loses no grant, no session and no key', async () => {
    const secrets = {
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      PRINT_SHOP_SECRET: randomBytes(32).toString('base64url'),
      USERS_API_SECRET: randomBytes(32).toString('base64url'),
      DEMO_PASSWORD: PASSWORD,
    };
    const environment = { ...ports, ...secrets, DATABASE_URL: 'file:data/oauth-killed.db' };
    const start = async (name: string) => {
      const started = build.spawn(`oauth/${name}/main.js`, environment);
      processes.push(started);
      await started.until(/(listens on)/);
      return started;
    };
    const [first] = await Promise.all(['authorization-server', 'users-api', 'print-shop'].map(start));
    const page = await newPage();
    await page.goto(shop);
    await page.getByRole('button', { name: 'Connect my account' }).click();
    await logIn(page);
    await page.getByRole('button', { name: 'Allow' }).click();
    expect(await press(page, 'Add a user')).toBe('201');
    const keys = await (await fetch(`${server}/oauth/jwks`)).text();

    await first!.kill();
    expect(await press(page, 'Print the labels')).toBe('503');
    await start('authorization-server');
    expect(await (await fetch(`${server}/oauth/jwks`)).text()).toBe(keys);
    expect(await press(page, 'Print the labels')).toBe('200');
    // Still logged in: asked for consent, and not for a password.
    await page.goto(shop);
    await page.getByRole('button', { name: 'Forget me' }).click();
    await page.getByRole('button', { name: 'Connect my account' }).click();
    expect(await text(page, 'h1')).toBe('Allow Print Shop to access your account?');
  });
});
