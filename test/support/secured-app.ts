import type { ModuleMetadata } from '@nestjs/common';
import { SecurityModule, type SecurityOptions } from 'nestjs-api-security';

import type { Adapter, RunningApp, StartOptions } from './app.js';
import { startBare } from './bare-app.js';

/** {@link startBare} with this module in front: over plain HTTP, silent, API keys on unless the options say otherwise. */
export function startSecured(
  adapter: Adapter,
  options: SecurityOptions,
  { imports = [], ...metadata }: ModuleMetadata,
  start: StartOptions = {},
): Promise<RunningApp> {
  const security = SecurityModule.forRoot({ https: 'off', logger: false, apiKeys: {}, ...options });
  return startBare(adapter, { imports: [security, ...imports], ...metadata }, start);
}
