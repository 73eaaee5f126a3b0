import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startChromium } from '../support/chromium.js';
import { ALICE, type ServerApp, startServer } from './server-app.js';
import { authorizeUrl, pkce } from './visitor.js';

describe('R-AS-14 a browser gets from the consent page to where the application wants it', () => {
  let browser: Browser;
  let server: ServerApp;
  const listeners: Server[] = [];
  beforeAll(async () => {
    [browser, server] = await Promise.all([startChromium(), startServer('express')]);
  });
  afterAll(async () => {
    for (const one of listeners) one.close();
    await Promise.all([browser?.close(), server?.close()]);
  });

  const listen = async (host: string, answer: RequestListener): Promise<number> => {
    const listener = createServer(answer);
    listeners.push(listener);
    await new Promise<void>((done, fail) => {
      listener.once('error', fail);
      listener.listen(0, host, done);
    });
    return (listener.address() as AddressInfo).port;
  };
  /** The address at which a browser is after somebody has logged in and allowed. */
  const walk = async (redirectUri: string): Promise<string> => {
    const { clientId } = await server.register({ redirectUris: [redirectUri] });
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await page.goto(authorizeUrl(server.issuer, clientId, pkce(), { redirect_uri: redirectUri }));
    await page.getByLabel('Email or name').fill(ALICE.login);
    await page.getByLabel('Password').fill(ALICE.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('arrived').waitFor({ timeout: 5_000 });
    return page.url();
  };

  it('R-AS-03 R-AS-14 also if its callback leads on to another host', async () => {
    const home = await listen('127.0.0.1', (_, response) => response.end('arrived'));
    const callback = await listen('127.0.0.1', (_, response) =>
      response.writeHead(303, { location: `http://localhost:${home}/home` }).end(),
    );
    expect(await walk(`http://127.0.0.1:${callback}/callback`)).toBe(`http://localhost:${home}/home`);
  });

  it('R-AS-03 R-AS-14 also to [::1], which a policy cannot name', async (context) => {
    const port = await listen('::1', (_, response) => response.end('arrived')).catch(() => undefined);
    if (port === undefined) context.skip('this machine has no IPv6');
    expect(await walk(`http://[::1]:${port}/callback`)).toContain(`http://[::1]:${port}/callback?code=`);
  });
});
