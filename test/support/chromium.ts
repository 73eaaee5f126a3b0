import { type Browser, chromium } from 'playwright-core';

import { serverBinary } from './servers/server-binary.js';

/** A browser without a window. @throws Error with the command that installs one */
export async function startChromium(): Promise<Browser> {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const executablePath = await serverBinary(names, 'chromium');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
